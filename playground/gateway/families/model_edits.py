"""What changes models over the wire: edit, delete. New ones are added in the terminal alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog import edits
from playground.compute import services
from playground.compute.services.removal import delete_version
from playground.gateway.families import owners
from playground.gateway.families.models import find_model, find_version, model_message
from playground.gateway.families.small_models import TRUSTED
from playground.protocol.errors import AccessError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import Model, User

INVALID = StatusCode.MODEL_INVALID_REQUEST


def patch_models(caller: User, request: service_pb2.PatchModelsRequest) -> service_pb2.MultiModelResponse:
    owners.require_some(request.models, "model", INVALID)
    owners.check_action(request.action, INVALID)
    rows = [_edit(caller, request.user_app_id, message) for message in request.models]
    return service_pb2.MultiModelResponse(models=[model_message(row, row.latest) for row in rows])


def delete_models(caller: User, request: service_pb2.DeleteModelsRequest) -> Any:
    if request.delete_all:
        raise InputError("Models are deleted by id: give ids.", code=INVALID)
    owners.require_some(request.ids, "model", INVALID)
    return _delete(caller, request.user_app_id, list(request.ids))


def delete_model(caller: User, request: service_pb2.DeleteModelRequest) -> Any:
    return _delete(caller, request.user_app_id, [request.model_id])


def delete_model_version(caller: User, request: service_pb2.DeleteModelVersionRequest) -> Any:
    if not request.version_id:
        raise InputError("The call names no version: give version_id.", code=INVALID)
    model = find_model(caller, request.user_app_id, request.model_id)
    delete_version(caller, find_version(model, request.version_id))
    return status_pb2.BaseResponse()


def refuse(caller: User, request: object) -> NoReturn:
    raise AccessError(TRUSTED)


def _delete(caller: User, owner: resources_pb2.UserAppIDSet, ids: list[str]) -> Any:
    for model_id in dict.fromkeys(ids):
        services.delete_model(caller, find_model(caller, owner, model_id))
    return status_pb2.BaseResponse()


def _edit(caller: User, owner: resources_pb2.UserAppIDSet, message: resources_pb2.Model) -> Model:
    row = find_model(caller, owner, message.id)
    if message.model_type_id and message.model_type_id != row.type_id:
        raise InputError(
            f"{row} is of type {row.type_id}, as it was added; the terminal changes that: manage.py models add.",
            code=INVALID,
        )
    facts: Any = owners.given({"description": message.description, "visibility": message.visibility.gettable or None})
    return edits.edit_model(caller, row, **facts)


HANDLERS: dict[str, Callable[..., object]] = {
    "PatchModels": patch_models,
    "DeleteModel": delete_model,
    "DeleteModels": delete_models,
    "PatchModelVersions": refuse,
    "DeleteModelVersion": delete_model_version,
}
