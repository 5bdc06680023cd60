"""Deployments and runners over the wire: made, read, edited, deleted; as owner, member, viewer and stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import asking, live
from tests.gateway.asking import deployment, fine, new_id, place, refused, whose, worker

if TYPE_CHECKING:
    from tests.gateway.live import Live

DELAYS = {
    "traffic_history_seconds": 120,
    "scale_down_delay_seconds": 30,
    "scale_up_delay_seconds": 7,
    "scale_to_zero_delay_seconds": 600,
}


@pytest.fixture(scope="module")
def team(gateway: Live) -> Live:
    return asking.add_team(gateway)


def version_of(gateway: Live, model_id: str = "echo") -> str:
    request = service_pb2.GetModelVersionRequest(user_app_id=whose("owner", "main"), model_id=model_id)
    return str(fine(gateway.call("GetModelVersion", request)).model_version.id)


def test_a_deployment_carries_what_it_was_given(gateway: Live) -> None:
    slug = new_id("dp")
    scale = resources_pb2.AutoscaleConfig(min_replicas=0, max_replicas=4, disable_packing=True, **DELAYS)
    wanted = deployment(slug, description="Nightly", autoscale_config=scale, scheduling_choice=3)
    wanted.metadata.update({"queue_limit": 9, "environment": {"GREETING": "hi"}, "secrets": {"KEY": "hush-hush"}})
    made = fine(asking.post_deployments(gateway, wanted)).deployments[0]
    assert (made.id, made.user_id, made.description, made.scheduling_choice) == (slug, "owner", "Nightly", 3)
    assert made.autoscale_config == scale
    assert made.deploy_latest_version
    assert made.worker.model.model_version.id == version_of(gateway)
    assert (made.nodepools[0].id, made.nodepools[0].compute_cluster.id) == ("shared", "local")
    assert made.metadata["queue_limit"] == 9
    assert dict(made.metadata["environment"]) == {"GREETING": "hi"}
    assert list(made.metadata["secrets"]) == ["KEY"]
    assert "hush" not in str(made)
    assert fine(asking.get_deployment(gateway, slug)).deployment.metadata["secrets"][0] == "KEY"
    fine(asking.delete_deployments(gateway, slug))
    refused(asking.get_deployment(gateway, slug), StatusCode.DEPLOYMENT_DOES_NOT_EXIST)


def test_edits_set_what_they_carry_and_no_more(gateway: Live) -> None:
    slug = new_id("dp")
    fine(asking.post_deployments(gateway, deployment(slug, description="One")))
    change = resources_pb2.Deployment(id=slug, visibility=resources_pb2.Visibility(gettable=50))
    edited = fine(asking.patch_deployment(gateway, change)).deployments[0]
    assert (edited.visibility.gettable, edited.description) == (50, "One")
    change = resources_pb2.Deployment(id=slug, status=resources_pb2.Deployment.DISABLED)
    assert fine(asking.patch_deployment(gateway, change)).deployments[0].status == resources_pb2.Deployment.DISABLED
    change = resources_pb2.Deployment(id=slug)
    change.metadata.update({"is_enabled": True, "description": "", "max_replicas": 3, "secrets": {"A": "b"}})
    edited = fine(asking.patch_deployment(gateway, change)).deployments[0]
    assert edited.status == resources_pb2.Deployment.ENABLED
    assert (edited.description, edited.autoscale_config.max_replicas) == ("", 3)
    change.metadata.update({"secrets": {"A": None}})
    assert not fine(asking.patch_deployment(gateway, change)).deployments[0].metadata["secrets"]
    fine(asking.delete_deployments(gateway, slug))


def test_pinned_and_following(gateway: Live) -> None:
    """Official clients write ``desired_worker`` with action overwrite; ``worker`` is what was observed."""
    slug, version = new_id("dp"), version_of(gateway)
    pinned = fine(asking.post_deployments(gateway, deployment(slug, worker=worker(version_id=version)))).deployments[0]
    assert not pinned.deploy_latest_version
    follow = resources_pb2.Deployment(id=slug, deploy_latest_version=True)
    assert fine(asking.patch_deployment(gateway, follow)).deployments[0].deploy_latest_version
    again = resources_pb2.Deployment(id=slug, desired_worker=worker(version_id=version))
    assert not fine(asking.patch_deployment(gateway, again)).deployments[0].deploy_latest_version
    fine(asking.delete_deployments(gateway, slug))


@pytest.mark.parametrize(
    ("facts", "code", "words"),
    [
        ({"worker": resources_pb2.Worker()}, StatusCode.DEPLOYMENT_INVALID_REQUEST, "worker.model"),
        ({"worker": worker("absent")}, StatusCode.MODEL_DOES_NOT_EXIST, "absent"),
        ({"worker": worker(version_id="v9")}, StatusCode.MODEL_DOES_NOT_EXIST, "v9"),
        ({"nodepools": []}, StatusCode.DEPLOYMENT_INVALID_REQUEST, "nodepool"),
        ({"nodepools": [place("local", "night")]}, StatusCode.NODEPOOL_DOES_NOT_EXIST, "local/night"),
        ({"nodepools": [place("night")]}, StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST, "night/shared"),
        ({"user_id": "stranger"}, StatusCode.CONN_INSUFFICIENT_SCOPES, "stranger"),
        (
            {"autoscale_config": resources_pb2.AutoscaleConfig(min_replicas=3, max_replicas=2)},
            StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
            "min_replicas",
        ),
        (
            {"worker": resources_pb2.Worker(workflow=resources_pb2.Workflow(id="w"))},
            StatusCode.DEPLOYMENT_INVALID_REQUEST,
            "Workflows",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(gateway: Live, facts: Any, code: int, words: str) -> None:
    assert words in refused(asking.post_deployments(gateway, deployment(new_id(), **facts)), code)


@pytest.mark.parametrize(
    "told", [{"queue_limit": "many"}, {"min_replicas": 1.5}, {"secrets": ["hush"]}, {"environment": {"A": 1}}]
)
def test_metadata_that_lies_is_refused_without_its_values(gateway: Live, told: dict[str, Any]) -> None:
    wanted = deployment(new_id())
    wanted.metadata.update(told)
    said = refused(asking.post_deployments(gateway, wanted), StatusCode.DEPLOYMENT_INVALID_REQUEST)
    assert next(iter(told)) in said
    assert "hush" not in said


def test_another_action_and_another_model_are_refused(gateway: Live) -> None:
    change = resources_pb2.Deployment(id="shared-echo")
    assert "remove" in refused(
        asking.patch_deployment(gateway, change, action="remove"), StatusCode.DEPLOYMENT_INVALID_REQUEST
    )
    change = resources_pb2.Deployment(id="shared-echo", desired_worker=worker("absent"))
    refused(asking.patch_deployment(gateway, change), StatusCode.MODEL_DOES_NOT_EXIST)


def test_the_shared_one_stays(gateway: Live) -> None:
    said = refused(asking.delete_deployments(gateway, "shared-echo"), StatusCode.DEPLOYMENT_INVALID_REQUEST)
    assert "shared" in said


@pytest.mark.parametrize("user", asking.EVERYBODY)
def test_who_deploys(team: Live, user: str) -> None:
    slug = new_id("dp")
    reply = asking.post_deployments(team, deployment(slug, nodepools=[place(user_id="owner")]), user=user)
    if user in ("owner", "member"):
        fine(reply)
        fine(asking.delete_deployments(team, slug, user=user))
    elif user == "viewer":
        refused(reply, StatusCode.CONN_INSUFFICIENT_SCOPES)
    else:
        refused(reply, StatusCode.MODEL_DOES_NOT_EXIST)


@pytest.mark.parametrize("user", ["member", "viewer", "stranger"])
def test_who_sees_and_changes_anothers(team: Live, user: str) -> None:
    private, public = new_id("dp"), new_id("dp")
    everybody = resources_pb2.Visibility(gettable=50)
    private_one = deployment(private)
    public_one = deployment(public, visibility=everybody)
    public_one.metadata.update({"environment": {"GREETING": "hi"}, "secrets": {"KEY": "hush"}})
    fine(asking.post_deployments(team, private_one, public_one))
    refused(asking.get_deployment(team, private, user=user, owner="owner"), StatusCode.DEPLOYMENT_DOES_NOT_EXIST)
    seen = asking.get_deployment(team, public, user=user, owner="owner")
    if user == "stranger":
        refused(seen, StatusCode.DEPLOYMENT_DOES_NOT_EXIST)
    else:
        assert "environment" not in fine(seen).deployment.metadata
        assert "secrets" not in seen.deployment.metadata
    for slug in (private, public):
        assert asking.delete_deployments(team, slug, user=user, owner="owner").status.code != live.OK
        assert asking.delete_deployments(team, slug, user=user).status.code == StatusCode.DEPLOYMENT_DOES_NOT_EXIST
        request = service_pb2.PatchDeploymentsRequest(
            user_app_id=whose("owner"), deployments=[resources_pb2.Deployment(id=slug, description="taken")]
        )
        assert team.call("PatchDeployments", request, user=user).status.code != live.OK
    fine(asking.delete_deployments(team, private, public))


def test_runners_are_the_replicas(team: Live) -> None:
    request = service_pb2.ListRunnersRequest(user_app_id=whose(), compute_cluster_id="local", nodepool_id="shared")
    live.wait_for(lambda: len(team.call("ListRunners", request).runners) == 1, "the runner to be told")
    runner = team.call("ListRunners", request).runners[0]
    assert runner.worker.model.id == "echo"
    assert runner.nodepool.compute_cluster.id == "local"
    assert runner.metadata["deployment_id"] == "shared-echo"
    request.model_version_ids.append(version_of(team))
    assert len(team.call("ListRunners", request).runners) == 1
    request.model_version_ids[:] = ["other"]
    assert not team.call("ListRunners", request).runners
    one = service_pb2.GetRunnerRequest(user_app_id=whose(), runner_id=runner.id)
    assert fine(team.call("GetRunner", one)).runner.id == runner.id
    fine(team.call("GetRunner", one, user="viewer"))
    refused(team.call("GetRunner", one, user="stranger"), StatusCode.RUNNER_DOES_NOT_EXIST)
    delete = service_pb2.DeleteRunnersRequest(user_app_id=whose(), ids=[runner.id])
    assert "deployment" in refused(team.call("DeleteRunners", delete), StatusCode.CONN_INSUFFICIENT_SCOPES)
