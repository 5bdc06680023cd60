"""Models, and their versions with signatures in order of declaration: get and list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.models import Model, ModelVersion, User, latest_version
from playground.compute.routing import DEFAULT_APP_ID
from playground.gateway.families import small_models
from playground.gateway.families.owners import user_id_of, write_time
from playground.gateway.families.paging import page_of
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


ABSENT = "Model does not exist"
"""The very words by which official clients tell, as they make a workflow, that a model is not there."""


def get_model(caller: User, request: service_pb2.GetModelRequest) -> service_pb2.SingleModelResponse:
    try:
        model = find_model(caller, request.user_app_id, request.model_id)
    except NotFoundError as error:
        names = caller, request.user_app_id, request.model_id
        made = small_models.recall(*names) or small_models.standing_in(*names, request.version_id)
        if made is not None:
            return service_pb2.SingleModelResponse(model=made)
        error.details = ABSENT
        raise
    version = find_version(model, request.version_id) if request.version_id else model.latest
    return service_pb2.SingleModelResponse(model=model_message(model, version))


def list_models(caller: User, request: service_pb2.ListModelsRequest) -> service_pb2.MultiModelResponse:
    """Of everybody, where the request names nobody at all: so official clients ask for all."""
    owner = request.user_app_id
    rows = Model.objects.visible_to(caller)
    if request.HasField("user_app_id"):
        rows = rows.filter(app__owner__username=user_id_of(caller, owner))
    if owner.app_id:
        rows = rows.filter(app__slug=owner.app_id)
    if request.model_type_id:
        rows = rows.filter(type_id=request.model_type_id)
    if request.name:
        rows = rows.filter(slug__icontains=request.name)
    if request.model_version_ids:
        rows = rows.filter(pk__in=ModelVersion.objects.filter(slug__in=list(request.model_version_ids)).values("model"))
    rows = rows.select_related("app__owner").annotate(latest_pk=latest_version("pk"))
    found = page_of(caller, rows, request)
    versions = ModelVersion.objects.defer("config", "requirements").in_bulk(_latest_pks(found))
    return service_pb2.MultiModelResponse(models=[_listed(row, versions) for row in found])


def _latest_pks(rows: Iterable[Model]) -> set[int]:
    return {pk for row in rows if (pk := getattr(row, "latest_pk", None)) is not None}


def _listed(row: Model, versions: Mapping[int, ModelVersion]) -> resources_pb2.Model:
    """In lists, the methods' names and kinds are told too: official listings show them."""
    version = versions.get(getattr(row, "latest_pk", None) or 0)
    message = model_message(row, version)
    for full in version.signatures if version is not None else ():
        message.model_version.method_signatures.add(name=full.name, method_type=full.method_type)
    return message


def get_model_version(
    caller: User, request: service_pb2.GetModelVersionRequest
) -> service_pb2.SingleModelVersionResponse:
    model = find_model(caller, request.user_app_id, request.model_id)
    version = find_version(model, request.version_id)
    return service_pb2.SingleModelVersionResponse(model_version=version_message(model, version, in_full=True))


def list_model_versions(
    caller: User, request: service_pb2.ListModelVersionsRequest
) -> service_pb2.MultiModelVersionResponse:
    model = find_model(caller, request.user_app_id, request.model_id)
    rows = page_of(caller, model.versions.all(), request, newest_first=True)
    return service_pb2.MultiModelVersionResponse(
        model_versions=[version_message(model, row, in_full=True) for row in rows]
    )


def find_model(caller: User, owner: resources_pb2.UserAppIDSet, model_id: str) -> Model:
    """The model at an address. Raises NotFoundError in the same words for what is hidden and what is not there."""
    if not model_id:
        raise InputError("The call names no model: give model_id.", code=StatusCode.MODEL_INVALID_REQUEST)
    user_id, app_id = user_id_of(caller, owner), owner.app_id or DEFAULT_APP_ID
    visible = Model.objects.visible_to(caller).select_related("app__owner")
    found = visible.at(user_id, app_id, model_id).first()
    if found is None:
        near = visible.filter(app__owner__username=user_id, app__slug=app_id).order_by("pk")
        names = ", ".join(str(row) for row in near[:20])
        there = f" The models you can use are {names}." if names else ""
        raise NotFoundError(
            f"No model {user_id}/{app_id}/models/{model_id} for you. "
            f"It does not exist, or is not shared with you.{there}",
            code=StatusCode.MODEL_DOES_NOT_EXIST,
        )
    return found


def find_version(model: Model, version_id: str) -> ModelVersion:
    """The version with this id, or the latest for "". Raises NotFoundError."""
    found = model.versions.filter(slug=version_id).first() if version_id else model.latest
    if found is None:
        ids = ", ".join(model.versions.order_by("-pk").values_list("slug", flat=True)[:20])
        raise NotFoundError(
            f"The model {model} has no version {version_id}. Its versions are {ids}."
            if version_id
            else f"The model {model} has no version yet.",
            code=StatusCode.MODEL_DOES_NOT_EXIST,
        )
    return found


def model_message(model: Model, version: ModelVersion | None) -> resources_pb2.Model:
    """Lean, since official clients send the whole of it back with every call."""
    message = resources_pb2.Model(
        id=model.slug,
        name=model.slug,
        user_id=model.app.owner.username,
        app_id=model.app.slug,
        model_type_id=model.type_id,
        description=model.summary,
        visibility=resources_pb2.Visibility(gettable=model.visibility),
    )
    write_time(message.created_at, model.created_at)
    write_time(message.modified_at, model.modified_at)
    if version is not None:
        message.model_version.CopyFrom(version_message(model, version, in_full=False))
    return message


def version_message(model: Model, version: ModelVersion, *, in_full: bool) -> resources_pb2.ModelVersion:
    signatures: Sequence[resources_pb2.MethodSignature] = version.signatures if in_full else ()
    message = resources_pb2.ModelVersion(
        id=version.slug,
        user_id=model.app.owner.username,
        app_id=model.app.slug,
        status=status_pb2.Status(code=StatusCode.MODEL_TRAINED, description="Model is trained"),
        method_signatures=signatures,
    )
    write_time(message.created_at, version.created_at)
    return message


HANDLERS: dict[str, Callable[..., object]] = {
    "GetModel": get_model,
    "ListModels": list_models,
    "GetModelVersion": get_model_version,
    "ListModelVersions": list_model_versions,
}
