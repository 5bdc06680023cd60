"""Clarifai's small models, ``prompter``, ``image-crop`` and ``concept-thresholder``, as official clients know them.

Here they are no models: a node of a workflow does these acts itself. Official clients make such a model, its version
and then the workflow, asking in between whether it is there. So it is, for who made it, for as long as that takes; the
workflow that comes next says all of it again, and that is kept.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import orjson
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.access import Role, require_role
from playground.catalog.models import Workflow
from playground.compute.routing import DEFAULT_APP_ID
from playground.gateway.families import owners
from playground.gateway.families.apps import find_app
from playground.protocol import structs
from playground.protocol.errors import AccessError
from playground.sdk.graphs import GraphError, small_model_of
from playground.sdk.graphs.reading import SMALL_MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from playground.catalog.models import App, User
    from playground.sdk.graphs import Node

TRUSTED = (
    "Models are trusted code: administrators add them and their versions in the terminal, "
    "with manage.py models add DIR."
)


KEPT_SECONDS = 600.0
_MOST_KEPT = 1000
_made: dict[tuple[int, str, str, str], tuple[float, resources_pb2.Model]] = {}


def post_models(caller: User, request: service_pb2.PostModelsRequest) -> service_pb2.MultiModelResponse:
    """Raises AccessError for all but small ones."""
    if not request.models or any(one.model_type_id not in SMALL_MODELS for one in request.models):
        absent = [one.id for one in request.models if one.id and one.model_type_id not in SMALL_MODELS]
        raise AccessError(f"There is no model {absent[0]} to use. {TRUSTED}" if absent else TRUSTED)
    app = _app(caller, request.user_app_id)
    models = [_message(app, one.id, one.model_type_id, description=one.description) for one in request.models]
    for message in models:
        _remember(caller, message)
    return service_pb2.MultiModelResponse(models=models)


def post_versions(caller: User, request: service_pb2.PostModelVersionsRequest) -> service_pb2.SingleModelResponse:
    """Raises AccessError for all but small ones."""
    made = recall(caller, request.user_app_id, request.model_id)
    if made is None or len(request.model_versions) != 1:
        raise AccessError(TRUSTED)
    app = _app(caller, request.user_app_id)
    params = structs.read_struct(request.model_versions[0].output_info.params)
    message = _message(app, made.id, made.model_type_id, params, description=made.description)
    _remember(caller, message)
    return service_pb2.SingleModelResponse(model=message)


def recall(caller: User, owner: resources_pb2.UserAppIDSet, model_id: str) -> resources_pb2.Model | None:
    """A small model that the caller made a moment ago."""
    key = (caller.pk, owners.user_id_of(caller, owner), owner.app_id or DEFAULT_APP_ID, model_id)
    made_at, message = _made.get(key, (0.0, None))
    return message if made_at and time.monotonic() - made_at < KEPT_SECONDS else None


def standing_in(
    caller: User, owner: resources_pb2.UserAppIDSet, model_id: str, version_id: str
) -> resources_pb2.Model | None:
    """The one that a workflow of the app has a node of: what official clients export, they ask for to make it anew."""
    if model_id not in SMALL_MODELS or not version_id:
        return None
    user_id, app_id = owners.user_id_of(caller, owner), owner.app_id or DEFAULT_APP_ID
    rows = Workflow.objects.visible_to(caller).filter(app__owner__username=user_id, app__slug=app_id)
    for row in rows.select_related("app__owner").order_by("-pk")[:_MOST_KEPT]:
        messages = (message_of(row.app, node) for node in _nodes_of(row))
        if found := next((one for one in messages if one and one.model_version.id == version_id), None):
            return found
    return None


def _nodes_of(row: Workflow) -> Sequence[Node]:
    try:
        return row.latest.read().nodes if row.latest is not None else ()
    except GraphError:
        return ()


def _remember(caller: User, message: resources_pb2.Model) -> None:
    if len(_made) >= _MOST_KEPT:
        _made.clear()
    _made[caller.pk, message.user_id, message.app_id, message.id] = time.monotonic(), message


def message_of(app: App, node: Node) -> resources_pb2.Model | None:
    """A node that calls no model, by the small model that does the same; None for others."""
    found = small_model_of(node)
    return None if found is None else _message(app, found[0], *found)


def _app(caller: User, owner: resources_pb2.UserAppIDSet) -> App:
    app = find_app(caller, owner, owner.app_id or DEFAULT_APP_ID)
    require_role(caller, app, Role.MEMBER)
    return app


def _message(
    app: App, model_id: str, kind: str, params: Mapping[str, Any] | None = None, *, description: str = ""
) -> resources_pb2.Model:
    message = resources_pb2.Model(
        id=model_id,
        name=model_id,
        model_type_id=kind,
        user_id=app.owner.username,
        app_id=app.slug,
        description=description,
    )
    if params is not None:
        version = message.model_version
        version.id = hashlib.md5(orjson.dumps(params, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()
        version.status.CopyFrom(status_pb2.Status(code=StatusCode.MODEL_TRAINED, description="Model is trained"))
        structs.write_struct(version.output_info.params, dict(params))
    return message


HANDLERS: dict[str, Callable[..., object]] = {"PostModels": post_models, "PostModelVersions": post_versions}
