"""What holds for all management calls: paging, lean listings, what is not there yet, and the caller's token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import asking
from tests.gateway.asking import cluster, deployment, fine, new_id, refused, whose
from tests.gateway.live import OK, V2

if TYPE_CHECKING:
    from tests.gateway.live import Live

LISTS = {
    "ListApps": "apps",
    "ListModels": "models",
    "ListModelTypes": "model_types",
    "ListComputeClusters": "compute_clusters",
    "ListNodepools": "nodepools",
    "ListDeployments": "deployments",
    "ListRunners": "runners",
    "ListCloudProviders": "cloud_providers",
    "ListCloudRegions": "cloud_regions",
    "ListInstanceTypes": "instance_types",
}
LATER = ["ListDatasetVersions", "ListKeys", "PostUploads"]


def list_deployments(gateway: Live, page: int = 0, per_page: int = 0, *, cluster_id: str = "") -> list[str]:
    request = service_pb2.ListDeploymentsRequest(
        user_app_id=whose(), page=page, per_page=per_page, compute_cluster_id=cluster_id
    )
    return [one.id for one in fine(gateway.call("ListDeployments", request, user="owner")).deployments]


@pytest.mark.parametrize("name", LISTS)
def test_a_listing_is_status_and_list_alone(gateway: Live, name: str) -> None:
    """Official clients take the second populated field as the list."""
    request = getattr(service_pb2, f"{name}Request")()
    populated = {field.name for field, _ in fine(gateway.call(name, request)).ListFields()}
    assert {"status"} <= populated <= {"status", LISTS[name]}


@pytest.mark.parametrize("name", [name for name in LISTS if "Cloud" not in name and "Instance" not in name])
def test_paging_ends(gateway: Live, name: str) -> None:
    """Asked without numbers, official clients go on until a page is empty."""
    for per_page in (0, 1):
        for page in range(1, 1000):
            request = getattr(service_pb2, f"{name}Request")(page=page, per_page=per_page)
            if not getattr(fine(gateway.call(name, request)), LISTS[name]):
                break
        else:
            pytest.fail("it does not end")


def test_nothing_is_lost_or_repeated_when_rows_come_and_go_between_pages(gateway: Live) -> None:
    ids = [new_id("dp") for _ in range(6)]
    fine(asking.post_deployments(gateway, *(deployment(slug) for slug in ids)))
    seen: list[str] = []
    page = 1
    while found := list_deployments(gateway, page, 2):
        seen += found
        mine = [slug for slug in found if slug in ids]
        if mine:
            fine(asking.delete_deployments(gateway, *mine))
        if page == 1:
            late = new_id("dp")
            fine(asking.post_deployments(gateway, deployment(late)))
        page += 1
    assert [slug for slug in seen if slug in ids] == ids
    assert seen.count(late) == 1
    assert len(seen) == len(set(seen))
    fine(asking.delete_deployments(gateway, late))


def test_a_page_out_of_order_is_counted_off(gateway: Live) -> None:
    every = list_deployments(gateway, 1, 1000)
    assert list_deployments(gateway, 1, 7) == every[:7]
    assert list_deployments(gateway, 1000, 7) == []


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_says_so_in_band(gateway: Live, name: str) -> None:
    request = getattr(service_pb2, f"{name}Request")()
    assert name in refused(gateway.call(name, request), StatusCode.NOT_IMPLEMENTED)


def test_a_stream_that_comes_later_is_one_message(gateway: Live) -> None:
    """A stream that ends without a message is a riddle to official clients."""
    with grpc.insecure_channel(gateway.address) as channel:
        ask = channel.unary_stream(
            V2 + "StreamLogEntries",
            service_pb2.StreamLogEntriesRequest.SerializeToString,
            service_pb2.MultiLogEntryResponse.FromString,
        )
        replies = list(ask(service_pb2.StreamLogEntriesRequest(), metadata=gateway.metadata(), timeout=10))
    assert [reply.status.code for reply in replies] == [StatusCode.NOT_IMPLEMENTED]


@pytest.mark.parametrize("name", ["PostComputeClusters", "ListDeployments", "ListInputs", "GetUser"])
@pytest.mark.parametrize(("token", "code"), [("", StatusCode.CONN_INVALID_REQUEST), ("nobody's", 11008)])
def test_every_call_asks_who_it_is(gateway: Live, name: str, token: str, code: int) -> None:
    refused(gateway.call(name, getattr(service_pb2, f"{name}Request")(), token=token), code)


def test_the_callers_token_is_not_kept(gateway: Live) -> None:
    """Official clients send it as the cluster's key."""
    token = gateway.tokens["owner"]
    replies: list[Any] = []
    for slug in (new_id("cc"), "local", "a b"):  # made, a clash, a bad id
        wanted = cluster(slug, provider="local", region="local", key=resources_pb2.Key(id=token))
        replies.append(asking.post_clusters(gateway, wanted))
        patch = service_pb2.PatchComputeClustersRequest(user_app_id=whose(), compute_clusters=[wanted])
        replies.append(gateway.call("PatchComputeClusters", patch))
    assert [reply.status.code == OK for reply in replies] == [True, True, False, True, False, False]
    assert not any(token in str(reply) for reply in replies)
    files = [path for path in gateway.data.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite3" for path in files)
    assert [path for path in files if token.encode() in read(path)] == []


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
