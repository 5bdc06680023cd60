"""What to ask about apps and models and how to read the answers, touching no network: one function an act.

``None`` leaves a thing as it is. Clusters, nodepools, deployments and runners are in ``compute_asks.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from playground.sdk.calls import check, parse_reference
from playground.sdk.channel import Rpc
from playground.sdk.resources import (
    App,
    ModelInfo,
    VersionInfo,
    Visibility,
    read_app,
    read_model,
    read_version,
    write_visibility,
)

T = TypeVar("T")
_SERVICE = service_pb2.DESCRIPTOR.services_by_name["V2"]


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """A call to make, what its reply is refused for, and how a good one reads."""

    rpc: Rpc
    request: Any
    read: Callable[[Any], T]
    check: Callable[[Any], None] = check

    @property
    def is_act(self) -> bool:
        """Made once: whether one that failed on the way was done is not known. A prediction changes nothing."""
        return not self.rpc.name.startswith(("Get", "List", "PostWorkflowResults"))


def ask(name: str, read: Callable[[Any], T], *, check: Callable[[Any], None] = check, **fields: Any) -> Ask[T]:
    given = {field: value for field, value in fields.items() if value is not None}
    reply = _SERVICE.methods_by_name[name].output_type.name
    kind = status_pb2.BaseResponse if reply == "BaseResponse" else getattr(service_pb2, reply)
    return Ask(Rpc(name, kind), getattr(service_pb2, f"{name}Request")(**given), read, check)


def whose(user_id: str = "", app_id: str = "") -> resources_pb2.UserAppIDSet:
    return resources_pb2.UserAppIDSet(user_id=user_id or "me", app_id=app_id)


def nothing(reply: Any) -> None:
    """Of calls whose reply is a status alone."""


def message_of(kind: Any, **fields: Any) -> Any:
    return kind(**{name: value for name, value in fields.items() if value is not None})


# --- apps ----------------------------------------------------------------------------------------------------------


def list_apps(user_id: str) -> Ask[list[App]]:
    return ask("ListApps", lambda reply: [read_app(one) for one in reply.apps], user_app_id=whose(user_id))


def get_app(app_id: str, user_id: str) -> Ask[App]:
    return ask("GetApp", lambda reply: read_app(reply.app), user_app_id=whose(user_id, app_id))


def create_app(app_id: str, description: str, visibility: Visibility | None) -> Ask[App]:
    wanted = message_of(resources_pb2.App, id=app_id, description=description, visibility=write_visibility(visibility))
    return ask("PostApps", lambda reply: read_app(reply.apps[0]), user_app_id=whose(), apps=[wanted])


def edit_app(app_id: str, user_id: str, description: str | None, visibility: Visibility | None) -> Ask[App]:
    wanted = message_of(resources_pb2.App, id=app_id, description=description, visibility=write_visibility(visibility))
    where = whose(user_id, app_id)
    return ask("PatchApp", lambda reply: read_app(reply.app), user_app_id=where, app=wanted, action="overwrite")


def delete_app(app_id: str, user_id: str) -> Ask[None]:
    return ask("DeleteApp", nothing, user_app_id=whose(user_id, app_id))


# --- models --------------------------------------------------------------------------------------------------------


def list_models(user_id: str, app_id: str) -> Ask[list[ModelInfo]]:
    where = whose(user_id, app_id)
    return ask("ListModels", lambda reply: [read_model(one) for one in reply.models], user_app_id=where)


def get_model(reference: str) -> Ask[ModelInfo]:
    at = parse_reference(reference)
    where = whose(at.user_id, at.app_id)
    return ask(
        "GetModel",
        lambda reply: read_model(reply.model),
        user_app_id=where,
        model_id=at.model_id,
        version_id=at.version_id,
    )


def edit_model(reference: str, description: str | None, visibility: Visibility | None) -> Ask[ModelInfo]:
    at = parse_reference(reference)
    facts = {"description": description, "visibility": write_visibility(visibility)}
    wanted = message_of(resources_pb2.Model, id=at.model_id, **facts)
    where = whose(at.user_id, at.app_id)
    return ask(
        "PatchModels",
        lambda reply: read_model(reply.models[0]),
        user_app_id=where,
        models=[wanted],
        action="overwrite",
    )


def delete_model(reference: str) -> Ask[None]:
    at = parse_reference(reference)
    return ask("DeleteModels", nothing, user_app_id=whose(at.user_id, at.app_id), ids=[at.model_id])


def list_versions(reference: str) -> Ask[list[VersionInfo]]:
    at = parse_reference(reference)
    where = whose(at.user_id, at.app_id)
    return ask(
        "ListModelVersions",
        lambda reply: [read_version(one) for one in reply.model_versions],
        user_app_id=where,
        model_id=at.model_id,
    )


def delete_version(reference: str, version_id: str) -> Ask[None]:
    at = parse_reference(reference)
    where = whose(at.user_id, at.app_id)
    return ask("DeleteModelVersion", nothing, user_app_id=where, model_id=at.model_id, version_id=version_id)
