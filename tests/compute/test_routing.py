"""Every row of the routing table, and every refusal: what is wrong, what exists, and nothing run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.routing import (
    DeploymentEntry,
    ModelEntry,
    ModelKey,
    NodepoolKey,
    Request,
    Selector,
    Snapshot,
    route,
)
from playground.protocol.errors import ConflictError, InputError, NotFoundError, PlaygroundError

HELLO = ModelKey("owner", "main", "hello")
OTHER = ModelKey("owner", "main", "smollm2")
SHARED_POOL = NodepoolKey("owner", "local", "shared")
FAST_POOL = NodepoolKey("mate", "lab", "fast")
EMPTY_POOL = NodepoolKey("mate", "lab", "empty")
SHARED = DeploymentEntry(1, "owner", "shared-hello", HELLO, SHARED_POOL, is_shared=True)
SHARED_OTHER = DeploymentEntry(2, "owner", "shared-smollm2", OTHER, SHARED_POOL, is_shared=True)
OWN = DeploymentEntry(3, "mate", "hello-fast", HELLO, FAST_POOL)
PINNED = DeploymentEntry(4, "mate", "hello-old", HELLO, NodepoolKey("mate", "lab", "slow"), pinned="v1")
OFF = DeploymentEntry(5, "mate", "hello-off", HELLO, NodepoolKey("mate", "lab", "dark"), is_enabled=False)
SPARE_POOL = NodepoolKey("mate", "lab", "spare", 5)
WIDE = DeploymentEntry(8, "mate", "other-wide", OTHER, FAST_POOL, others=(SPARE_POOL, EMPTY_POOL))
NONE = DeploymentEntry(9, "mate", "hello-none", HELLO, NodepoolKey("mate", "lab", "none"), max_replicas=0)
TWIN_POOL = NodepoolKey("mate", "lab", "twins")
TWINS = [DeploymentEntry(6, "mate", "twin-a", HELLO, TWIN_POOL), DeploymentEntry(7, "mate", "twin-b", HELLO, TWIN_POOL)]
DEPLOYMENTS = [SHARED, SHARED_OTHER, OWN, PINNED, OFF, WIDE, NONE, *TWINS]
MATE = Snapshot.of(
    "mate",
    models=[
        ModelEntry(HELLO, ("v2", "v1")),
        ModelEntry(OTHER, ("w1",)),
        ModelEntry(ModelKey("mate", "main", "new"), ()),
    ],
    deployments=DEPLOYMENTS,
    nodepools=[SHARED_POOL, EMPTY_POOL, SPARE_POOL, *(entry.nodepool for entry in DEPLOYMENTS)],
    built_in=SHARED_POOL,
)


def ask(model: ModelKey = HELLO, *, version_id: str = "", **selector: str) -> Request:
    chosen = Selector(**selector, is_given=True) if selector else Selector()
    return Request(model.user_id, model.app_id, model.model_id, version_id, chosen)


@pytest.mark.parametrize(
    ("request_", "expected", "version"),
    [
        (ask(), SHARED, "v2"),
        (ask(version_id="v2"), SHARED, "v2"),
        (ask(OTHER), SHARED_OTHER, "w1"),
        (ask(deployment_id="hello-fast"), OWN, "v2"),
        (ask(deployment_id="hello-fast", deployment_user_id="me"), OWN, "v2"),
        (ask(deployment_id="hello-fast", deployment_user_id="mate"), OWN, "v2"),
        (ask(deployment_id="shared-hello", deployment_user_id="owner"), SHARED, "v2"),
        (ask(deployment_id="hello-old"), PINNED, "v1"),
        (ask(deployment_id="hello-old", version_id="v1"), PINNED, "v1"),
        (ask(cluster_id="lab", nodepool_id="fast"), OWN, "v2"),
        (ask(cluster_id="lab", nodepool_id="fast", cluster_user_id="mate"), OWN, "v2"),
        (ask(OTHER, cluster_id="lab", nodepool_id="fast"), WIDE, "w1"),
        (ask(OTHER, cluster_id="lab", nodepool_id="spare"), WIDE, "w1"),
        (ask(OTHER, cluster_id="lab", nodepool_id="empty"), WIDE, "w1"),
        (ask(cluster_id="local", nodepool_id="shared"), SHARED, "v2"),
        (ask(cluster_id="local", nodepool_id="shared", cluster_user_id="owner"), SHARED, "v2"),
    ],
)
def test_it_goes_where_it_is_told(request_: Request, expected: DeploymentEntry, version: str) -> None:
    found = route(MATE, request_)
    assert found.deployment == expected
    assert found.version_id == version
    assert found.model.key == expected.model


@pytest.mark.parametrize("user_id", ["", "me", "owner"])
def test_me_and_nothing_mean_the_caller(user_id: str) -> None:
    owner = replace(MATE, user_id="owner")
    assert route(owner, Request(user_id, "", "hello")).deployment == SHARED


REFUSALS = [
    (ask(ModelKey("owner", "main", "helo")), NotFoundError, StatusCode.MODEL_DOES_NOT_EXIST, ["helo", str(OTHER)]),
    (Request("owner", "main", ""), InputError, StatusCode.MODEL_INVALID_REQUEST, ["model_id"]),
    (ask(ModelKey("mate", "main", "new")), NotFoundError, StatusCode.DEPLOYMENT_DOES_NOT_EXIST, ["new"]),
    (ask(version_id="v9"), NotFoundError, StatusCode.MODEL_DOES_NOT_EXIST, ["v9", "v2, v1"]),
    (ask(version_id="v1"), ConflictError, StatusCode.DEPLOYMENT_INVALID_REQUEST, ["shared-hello", "v2", "v1"]),
    (
        ask(version_id="v2", deployment_id="hello-old"),
        ConflictError,
        StatusCode.DEPLOYMENT_INVALID_REQUEST,
        ["hello-old", "v1", "v2"],
    ),
    (
        ask(deployment_id="night"),
        NotFoundError,
        StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        ["night", "hello-fast", "shared-hello (shared) of owner"],
    ),
    (
        ask(deployment_id="hello-fast", deployment_user_id="owner"),
        NotFoundError,
        StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        ["hello-fast of owner"],
    ),
    (
        ask(deployment_id="shared-hello"),
        NotFoundError,
        StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        ["shared-hello", "of owner"],
    ),
    (
        ask(OTHER, deployment_id="hello-fast"),
        InputError,
        StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        ["hello-fast serves owner/main/models/hello", "shared-smollm2"],
    ),
    (ask(deployment_id="hello-off"), ConflictError, StatusCode.DEPLOYMENT_DISABLED, ["hello-off", "switched off"]),
    (ask(deployment_id="hello-none"), ConflictError, StatusCode.MODEL_NOT_DEPLOYED, ["hello-none", "maximum is 0"]),
    (
        ask(deployment_id="hello-fast", cluster_id="lab", nodepool_id="fast"),
        InputError,
        StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        ["both", "hello-fast", "lab/fast"],
    ),
    (
        ask(deployment_id="hello-fast", nodepool_id="fast"),
        InputError,
        StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        ["both"],
    ),
    (ask(nodepool_id="fast"), InputError, StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT, ["fast", "compute_cluster_id"]),
    (ask(cluster_id="lab"), InputError, StatusCode.NODEPOOL_INVALID_ARGUMENT, ["lab", "nodepool_id"]),
    (ask(runner_id="r1"), InputError, StatusCode.RUNNER_INVALID_ARGUMENT, ["r1"]),
    (ask(deployment_user_id="owner"), InputError, StatusCode.DEPLOYMENT_INVALID_ARGUMENT, ["names nothing"]),
    (
        ask(cluster_id="nowhere", nodepool_id="fast"),
        NotFoundError,
        StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST,
        ["nowhere", "lab/fast", "local/shared"],
    ),
    (
        ask(cluster_id="lab", nodepool_id="slower"),
        NotFoundError,
        StatusCode.NODEPOOL_DOES_NOT_EXIST,
        ["lab", "slower", "lab/fast"],
    ),
    (
        ask(cluster_id="lab", nodepool_id="empty"),
        NotFoundError,
        StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        ["lab/empty", "hello-fast"],
    ),
    (
        ask(cluster_id="lab", nodepool_id="twins"),
        InputError,
        StatusCode.NODEPOOL_INVALID_ARGUMENT,
        ["several", "twin-a, twin-b"],
    ),
]


@pytest.mark.parametrize(("request_", "kind", "code", "words"), REFUSALS)
def test_it_refuses_in_words(request_: Request, kind: type[PlaygroundError], code: int, words: list[str]) -> None:
    with pytest.raises(kind) as refusal:
        route(MATE, request_)
    assert refusal.value.code == code
    assert not refusal.value.retryable
    for word in words:
        assert word in refusal.value.message


def test_what_is_hidden_reads_as_what_does_not_exist() -> None:
    """A stranger's snapshot holds nothing of it, so only the name that they gave comes back."""
    stranger = Snapshot.of("stranger", models=[], deployments=[], nodepools=[SHARED_POOL], built_in=SHARED_POOL)
    messages = []
    for key in (HELLO, ModelKey("owner", "main", "absent")):
        with pytest.raises(NotFoundError) as refusal:
            route(stranger, ask(key))
        messages.append(refusal.value.message.replace(key.model_id, "…"))
    assert messages[0] == messages[1]


def test_a_cluster_of_ones_own_is_not_swapped_for_the_built_in_one() -> None:
    mine = NodepoolKey("mate", "local", "tiny")
    snapshot = replace(MATE, nodepools=MATE.nodepools | {mine})
    with pytest.raises(NotFoundError, match="local/tiny"):
        route(snapshot, ask(cluster_id="local", nodepool_id="shared"))


def test_a_model_without_versions_is_named() -> None:
    key = ModelKey("mate", "main", "new")
    lone = DeploymentEntry(9, "mate", "lone", key, FAST_POOL)
    snapshot = Snapshot.of("mate", models=[ModelEntry(key, ())], deployments=[lone], nodepools=[FAST_POOL])
    with pytest.raises(NotFoundError, match="no version yet"):
        route(snapshot, ask(key, deployment_id="lone"))


def test_a_deployment_between_two_nodepools_is_named_where_it_really_is() -> None:
    assert WIDE.seen_on(SPARE_POOL.pk).nodepool == SPARE_POOL
    assert WIDE.seen_on(FAST_POOL.pk) is WIDE
    assert WIDE.seen_on(99).nodepool == FAST_POOL
