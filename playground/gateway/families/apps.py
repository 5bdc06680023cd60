"""Apps: get, list, make, edit, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog import edits
from playground.catalog.models import App
from playground.compute.services.removal import delete_app as remove_app
from playground.gateway.families import owners
from playground.gateway.families.paging import page_of
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import User

INVALID = StatusCode.CONN_INVALID_REQUEST


def get_app(caller: User, request: service_pb2.GetAppRequest) -> service_pb2.SingleAppResponse:
    return service_pb2.SingleAppResponse(app=app_message(find_app(caller, request.user_app_id)))


def list_apps(caller: User, request: service_pb2.ListAppsRequest) -> service_pb2.MultiAppResponse:
    owner = owners.user_id_of(caller, request.user_app_id)
    rows = App.objects.visible_to(caller).filter(owner__username=owner).select_related("owner")
    if text := request.name or request.id or request.search or request.query:
        rows = rows.filter(slug__icontains=text)
    return service_pb2.MultiAppResponse(apps=[app_message(row) for row in page_of(caller, rows, request)])


def post_apps(caller: User, request: service_pb2.PostAppsRequest) -> service_pb2.MultiAppResponse:
    """Official clients name a workflow to begin with; there is none here, and apps begin empty."""
    owners.require_some(request.apps, "app", INVALID)
    owners.require_self(caller, request.user_app_id.user_id, *(message.user_id for message in request.apps))
    rows = [edits.create_app(caller, message.id, **_facts(message)) for message in request.apps]
    return service_pb2.MultiAppResponse(apps=[app_message(row) for row in rows])


def patch_apps(caller: User, request: service_pb2.PatchAppsRequest) -> service_pb2.MultiAppResponse:
    owners.require_some(request.apps, "app", INVALID)
    rows = [_edit(caller, request, message) for message in request.apps]
    return service_pb2.MultiAppResponse(apps=[app_message(row) for row in rows])


def patch_app(caller: User, request: service_pb2.PatchAppRequest) -> service_pb2.SingleAppResponse:
    return service_pb2.SingleAppResponse(app=app_message(_edit(caller, request, request.app)))


def delete_app(caller: User, request: service_pb2.DeleteAppRequest) -> Any:
    remove_app(caller, find_app(caller, request.user_app_id))
    return status_pb2.BaseResponse()


def find_app(caller: User, owner: resources_pb2.UserAppIDSet, app_id: str = "") -> App:
    """Raises NotFoundError in the same words for what is hidden and what is not there."""
    user_id, app_id = owners.user_id_of(caller, owner), app_id or owner.app_id
    visible = App.objects.visible_to(caller).select_related("owner").order_by("pk")
    found = visible.filter(owner__username=user_id, slug=app_id).first()
    if found is None:
        names = owners.named(visible[: owners.SHOWN])
        there = f" The apps you can see are {names}." if names else ""
        raise NotFoundError(f"No app {user_id}/{app_id} for you. It does not exist, or is not shared with you.{there}")
    return found


def app_message(row: App) -> resources_pb2.App:
    message = resources_pb2.App(
        id=row.slug,
        name=row.slug,
        user_id=row.owner.username,
        description=row.description,
        visibility=resources_pb2.Visibility(gettable=row.visibility),
    )
    owners.write_time(message.created_at, row.created_at)
    return message


def _edit(caller: User, request: Any, message: resources_pb2.App) -> App:
    owners.check_action(request.action, INVALID)
    row = find_app(caller, request.user_app_id, message.id)
    return edits.edit_app(caller, row, **_facts(message))


def _facts(message: resources_pb2.App) -> Any:
    return owners.given({"description": message.description, "visibility": message.visibility.gettable or None})


HANDLERS: dict[str, Callable[..., object]] = {
    "GetApp": get_app,
    "ListApps": list_apps,
    "PostApps": post_apps,
    "PatchApps": patch_apps,
    "PatchApp": patch_app,
    "DeleteApp": delete_app,
}
