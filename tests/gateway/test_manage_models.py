"""Apps, models, versions and model types over the wire; as owner, member, viewer and stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import asking
from tests.gateway.asking import fine, new_id, refused, whose

if TYPE_CHECKING:
    from tests.gateway.live import Live

OWNER = whose("owner", "main")
ADD_MODEL = """
from playground.catalog.models import App, Model, ModelVersion
from playground.compute.services import ensure_shared_deployment
model = Model.objects.create(app=App.objects.get(owner__username="owner", slug="main"), slug=sys.argv[1])
for slug in sys.argv[2:]:
    ModelVersion.objects.create(model=model, slug=slug, folder="/nowhere")
ensure_shared_deployment(model)
"""


@pytest.fixture(scope="module")
def team(gateway: Live) -> Live:
    return asking.add_team(gateway)


def add_model(gateway: Live, *versions: str) -> str:
    """A model that cannot start; it is only looked at."""
    slug = new_id("model")
    gateway.django(ADD_MODEL, slug, *versions)
    return slug


def patch_model(gateway: Live, model: Any, *, user: str = "owner", action: str = "merge") -> Any:
    request = service_pb2.PatchModelsRequest(user_app_id=OWNER, models=[model], action=action)
    return gateway.call("PatchModels", request, user=user)


def delete_model(gateway: Live, *ids: str, user: str = "owner") -> Any:
    request = service_pb2.DeleteModelsRequest(user_app_id=OWNER, ids=ids)
    return gateway.call("DeleteModels", request, user=user)


def test_an_app_lives_from_post_to_delete(gateway: Live) -> None:
    slug = new_id("app")
    begun_with = resources_pb2.Workflow(id="Empty", app_id="main", user_id="clarifai")
    wanted = resources_pb2.App(id=slug, description="Mine", default_workflow=begun_with)
    request = service_pb2.PostAppsRequest(user_app_id=whose(), apps=[wanted])
    made = fine(gateway.call("PostApps", request, user="stranger")).apps[0]
    assert (made.id, made.name, made.user_id, made.description) == (slug, slug, "stranger", "Mine")
    assert "already" in refused(
        gateway.call("PostApps", request, user="stranger"), StatusCode.DEPLOYMENT_INVALID_REQUEST
    )
    get = service_pb2.GetAppRequest(user_app_id=whose("me", slug))
    assert fine(gateway.call("GetApp", get, user="stranger")).app == made
    apps = gateway.call("ListApps", service_pb2.ListAppsRequest(user_app_id=whose()), user="stranger").apps
    assert slug in {app.id for app in apps}
    change = resources_pb2.App(id=slug, visibility=resources_pb2.Visibility(gettable=50))
    patch = service_pb2.PatchAppRequest(user_app_id=whose("me", slug), app=change, action="overwrite")
    assert fine(gateway.call("PatchApp", patch, user="stranger")).app.visibility.gettable == 50
    many = service_pb2.PatchAppsRequest(user_app_id=whose(), apps=[resources_pb2.App(id=slug, description="New")])
    assert fine(gateway.call("PatchApps", many, user="stranger")).apps[0].description == "New"
    fine(gateway.call("DeleteApp", service_pb2.DeleteAppRequest(user_app_id=whose("me", slug)), user="stranger"))
    refused(gateway.call("GetApp", get, user="stranger"), StatusCode.CONN_DOES_NOT_EXIST)


def test_an_app_with_models_stays_and_says_which(gateway: Live) -> None:
    request = service_pb2.DeleteAppRequest(user_app_id=OWNER)
    assert "echo" in refused(gateway.call("DeleteApp", request), StatusCode.CONN_INVALID_REQUEST)


@pytest.mark.parametrize("user", ["member", "viewer", "stranger"])
def test_who_changes_an_app(team: Live, user: str) -> None:
    patch = service_pb2.PatchAppRequest(user_app_id=OWNER, app=resources_pb2.App(id="main", description="Taken"))
    wanted = StatusCode.CONN_DOES_NOT_EXIST if user == "stranger" else StatusCode.CONN_INSUFFICIENT_SCOPES
    refused(team.call("PatchApp", patch, user=user), wanted)
    refused(team.call("DeleteApp", service_pb2.DeleteAppRequest(user_app_id=OWNER), user=user), wanted)
    get = team.call("GetApp", service_pb2.GetAppRequest(user_app_id=OWNER), user=user)
    assert get.status.code == (StatusCode.CONN_DOES_NOT_EXIST if user == "stranger" else 10000)


@pytest.mark.parametrize("user", ["member", "viewer", "stranger"])
def test_who_changes_a_model(team: Live, user: str) -> None:
    slug = add_model(team, new_id("v"))
    wanted = StatusCode.MODEL_DOES_NOT_EXIST if user == "stranger" else StatusCode.CONN_INSUFFICIENT_SCOPES
    refused(patch_model(team, resources_pb2.Model(id=slug, description="Taken"), user=user), wanted)
    refused(delete_model(team, slug, user=user), wanted)
    fine(delete_model(team, slug))


def test_a_model_is_edited_and_deleted(gateway: Live) -> None:
    slug = add_model(gateway, new_id("v"))
    public = resources_pb2.Model(id=slug, description="Says more.", visibility=resources_pb2.Visibility(gettable=50))
    edited = fine(patch_model(gateway, public)).models[0]
    assert (edited.description, edited.visibility.gettable) == ("Says more.", 50)
    get = service_pb2.GetModelRequest(user_app_id=OWNER, model_id=slug)
    assert fine(gateway.call("GetModel", get, user="stranger")).model.description == "Says more."
    other = resources_pb2.Model(id=slug, model_type_id="visual-detector")
    assert "type" in refused(patch_model(gateway, other), StatusCode.MODEL_INVALID_REQUEST)
    refused(delete_model(gateway), StatusCode.MODEL_INVALID_REQUEST)
    fine(delete_model(gateway, slug))
    refused(gateway.call("GetModel", get), StatusCode.MODEL_DOES_NOT_EXIST)
    refused(asking.get_deployment(gateway, f"shared-{slug}"), StatusCode.DEPLOYMENT_DOES_NOT_EXIST)


def test_a_model_in_use_stays_and_says_where(gateway: Live) -> None:
    slug = add_model(gateway, new_id("v"))
    user_of = new_id("dp")
    fine(asking.post_deployments(gateway, asking.deployment(user_of, worker=asking.worker(slug))))
    assert user_of in refused(delete_model(gateway, slug), StatusCode.DEPLOYMENT_INVALID_REQUEST)
    fine(asking.delete_deployments(gateway, user_of))
    fine(delete_model(gateway, slug))


def test_a_version_is_deleted_unless_it_is_needed(gateway: Live) -> None:
    old, new = new_id("v"), new_id("v")
    slug, pinned = add_model(gateway, old, new), new_id("dp")
    request = service_pb2.DeleteModelVersionRequest(user_app_id=OWNER, model_id=slug, version_id=new)
    worker = asking.worker(slug, version_id=new)
    fine(asking.post_deployments(gateway, asking.deployment(pinned, worker=worker)))
    assert pinned in refused(gateway.call("DeleteModelVersion", request), StatusCode.MODEL_INVALID_REQUEST)
    fine(asking.delete_deployments(gateway, pinned))
    fine(gateway.call("DeleteModelVersion", request))
    refused(gateway.call("DeleteModelVersion", request), StatusCode.MODEL_DOES_NOT_EXIST)
    request.version_id = old
    assert "only version" in refused(gateway.call("DeleteModelVersion", request), StatusCode.MODEL_INVALID_REQUEST)
    request.version_id = ""
    refused(gateway.call("DeleteModelVersion", request), StatusCode.MODEL_INVALID_REQUEST)
    fine(delete_model(gateway, slug))


@pytest.mark.parametrize("name", ["PostModels", "PostModelVersions", "PatchModelVersions"])
def test_models_are_added_in_the_terminal_alone(gateway: Live, name: str) -> None:
    request = getattr(service_pb2, f"{name}Request")(user_app_id=OWNER)
    assert "terminal" in refused(gateway.call(name, request), StatusCode.CONN_INSUFFICIENT_SCOPES)


def test_all_models_are_listed_to_who_names_nobody(gateway: Live) -> None:
    """``clarifai model list all`` leaves user_app_id out; an empty one means oneself."""
    public = add_model(gateway, new_id("v"))
    fine(patch_model(gateway, resources_pb2.Model(id=public, visibility=resources_pb2.Visibility(gettable=50))))
    for owner, is_seen in ((None, True), (whose(""), False), (whose("owner"), True)):
        request = service_pb2.ListModelsRequest(user_app_id=owner)
        listed = gateway.call("ListModels", request, user="stranger").models
        assert (public in {model.id for model in listed}) is is_seen
        assert "echo" not in {model.id for model in listed}
    fine(delete_model(gateway, public))


def test_model_types_are_listed_to_the_end(gateway: Live) -> None:
    seen: list[str] = []
    for page in range(1, 100):
        request = service_pb2.ListModelTypesRequest(user_app_id=OWNER, page=page, per_page=4)
        found = fine(gateway.call("ListModelTypes", request)).model_types
        seen += [one.id for one in found]
        if not found:
            break
    assert len(seen) == len(set(seen)) > 10
    assert "any-to-any" in seen
