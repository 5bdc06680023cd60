"""The management calls that official clients need: as owner, and as a stranger who sees nothing."""

from __future__ import annotations

from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live
from tests.gateway.live import Live

OWNER = resources_pb2.UserAppIDSet(user_id="owner", app_id="main")
ME = resources_pb2.UserAppIDSet(user_id="me", app_id="main")


@pytest.mark.parametrize("user_app_id", [OWNER, ME])
def test_a_model_is_lean_and_complete(gateway: Live, user_app_id: Any) -> None:
    model = gateway.call("GetModel", service_pb2.GetModelRequest(user_app_id=user_app_id, model_id="echo")).model
    assert (model.id, model.name, model.user_id, model.app_id) == ("echo", "echo", "owner", "main")
    assert model.model_type_id == "text-to-text"
    assert model.description == "Says what it was told."
    assert model.model_version.id
    assert not model.model_version.method_signatures


def test_signatures_stand_in_order_of_declaration(gateway: Live) -> None:
    request = service_pb2.GetModelVersionRequest(user_app_id=OWNER, model_id="echo")
    live.wait_for(
        lambda: gateway.call("GetModelVersion", request).model_version.method_signatures, "the signatures to be known"
    )
    listed = gateway.call("ListModels", service_pb2.ListModelsRequest(user_app_id=OWNER)).models
    kinds = {one.name: one.method_type for one in listed[0].model_version.method_signatures}
    assert {name: kinds[name] for name in ("predict", "generate", "stream")} == {
        "predict": 1,
        "generate": 2,
        "stream": 4,
    }
    version = gateway.call("GetModelVersion", request).model_version
    names = [signature.name for signature in version.method_signatures]
    assert names[:5] == ["predict", "generate", "stream", "fail", "leave"]
    assert version.method_signatures[0].description == "Say it back."
    request.version_id = version.id
    assert gateway.call("GetModelVersion", request).model_version == version


def test_lists_end(gateway: Live) -> None:
    for page, expected in [(0, True), (1, True), (2, False), (9, False)]:
        models = gateway.call("ListModels", service_pb2.ListModelsRequest(user_app_id=ME, page=page))
        assert models.status.code == live.OK
        assert ("echo" in [model.id for model in models.models]) is expected
        assert all(model.HasField("model_version") for model in models.models)
        versions = gateway.call(
            "ListModelVersions",
            service_pb2.ListModelVersionsRequest(user_app_id=OWNER, model_id="echo", page=page),
        )
        assert bool(versions.model_versions) is expected


def test_it_knows_me(gateway: Live) -> None:
    for user in ("owner", "stranger"):
        request = service_pb2.GetUserRequest(user_app_id=resources_pb2.UserAppIDSet(user_id="me"))
        assert gateway.call("GetUser", request, user=user).user.id == user


def test_a_deployment_says_where_and_what(gateway: Live) -> None:
    reply = gateway.call("GetDeployment", service_pb2.GetDeploymentRequest(user_app_id=ME, deployment_id="shared-echo"))
    deployment = reply.deployment
    assert deployment.worker.model.id == "echo"
    assert deployment.nodepools[0].id == "shared"
    assert deployment.nodepools[0].compute_cluster.id == "local"
    assert deployment.metadata["state"] == "ready"
    metrics = deployment.deployment_metrics
    assert (metrics.desired_replicas, metrics.live_replicas) == (1, 1)
    version_id = deployment.worker.model.model_version.id
    for ids, count in [([], True), ([version_id], True), (["other"], False)]:
        request = service_pb2.ListDeploymentsRequest(user_app_id=ME, nodepool_id="shared", model_version_ids=ids)
        found = gateway.call("ListDeployments", request).deployments
        assert ("shared-echo" in [row.id for row in found]) is count


@pytest.mark.parametrize("user", ["owner", "stranger"])
def test_the_built_in_nodepool_goes_by_its_name(gateway: Live, user: str) -> None:
    request = service_pb2.GetNodepoolRequest(user_app_id=ME, compute_cluster_id="local", nodepool_id="shared")
    assert gateway.call("GetNodepool", request, user=user).nodepool.id == "shared"


@pytest.mark.parametrize(
    ("name", "request_", "code"),
    [
        ("GetModel", service_pb2.GetModelRequest(user_app_id=OWNER, model_id="{}"), StatusCode.MODEL_DOES_NOT_EXIST),
        (
            "GetModelVersion",
            service_pb2.GetModelVersionRequest(user_app_id=OWNER, model_id="{}"),
            StatusCode.MODEL_DOES_NOT_EXIST,
        ),
        (
            "ListModelVersions",
            service_pb2.ListModelVersionsRequest(user_app_id=OWNER, model_id="{}"),
            StatusCode.MODEL_DOES_NOT_EXIST,
        ),
        (
            "GetDeployment",
            service_pb2.GetDeploymentRequest(user_app_id=OWNER, deployment_id="shared-{}"),
            StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        ),
    ],
)
def test_a_stranger_reads_the_same_of_hidden_and_absent(gateway: Live, name: str, request_: Any, code: int) -> None:
    said = []
    for model_id in ("echo", "absent"):
        request = type(request_).FromString(request_.SerializeToString())
        for field, value in request.ListFields():
            if field.name in {"model_id", "deployment_id"}:
                setattr(request, field.name, value.format(model_id))
        status = gateway.call(name, request, user="stranger").status
        assert status.code == code
        said.append(status.description.replace(model_id, "…"))
    assert said[0] == said[1]


def test_a_stranger_lists_nothing(gateway: Live) -> None:
    assert not gateway.call("ListModels", service_pb2.ListModelsRequest(user_app_id=OWNER), user="stranger").models
    request = service_pb2.ListDeploymentsRequest(user_app_id=OWNER)
    assert not gateway.call("ListDeployments", request, user="stranger").deployments
    owner = service_pb2.GetUserRequest(user_app_id=OWNER)
    assert gateway.call("GetUser", owner, user="stranger").status.code == StatusCode.CONN_DOES_NOT_EXIST


def test_an_unknown_version_is_named(gateway: Live) -> None:
    request = service_pb2.GetModelVersionRequest(user_app_id=OWNER, model_id="echo", version_id="v9")
    status = gateway.call("GetModelVersion", request).status
    assert status.code == StatusCode.MODEL_DOES_NOT_EXIST
    assert "v9" in status.description


def test_model_types_say_what_they_take(gateway: Live) -> None:
    request = service_pb2.GetModelTypeRequest(user_app_id=OWNER, model_type_id="visual-detector")
    assert list(gateway.call("GetModelType", request).model_type.input_fields) == ["image"]
    request.model_type_id = "smell-to-taste"
    assert gateway.call("GetModelType", request).status.code == StatusCode.CONN_DOES_NOT_EXIST
