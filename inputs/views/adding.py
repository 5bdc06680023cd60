"""What comes in from the Inputs-Manager: one input a request, its bytes in the request or uploaded in parts before.

Refusals are JSON ``{"error": {name, message, request_id}}``; for bytes that are here already, with ``existing``.
"""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import orjson
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from inputs.queries import find_app
from inputs.services import DuplicateError, Given, Label, add_inputs, plain_id
from playground.media import services as media
from playground.media.views import refusing_in_json
from playground.protocol.errors import InputError, PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from inputs.models import Input
    from playground.catalog.models import User

FIELDS = {"name": str, "url": str, "text": str, "id": str, "metadata": dict, "concepts": list, "datasets": list}


@require_POST
@refusing_in_json
def add(request: HttpRequest) -> JsonResponse:
    """``input`` is JSON: {app, id, name, concepts, datasets, metadata, on_duplicate}, with text, url or upload; or
    there is a ``file`` beside it.
    """
    user = cast("User", request.user)
    body = read_object(request.POST.get("input", ""))
    app = find_app(user, str(body.get("app", "")))
    given = _read(user, request, body)
    (made,) = add_inputs(user, app, [given])
    if isinstance(made, DuplicateError) and (there := made.existing) is not None:
        if there.slug == given.slug and there.owner_id == user.pk:
            return JsonResponse(_describe(there))  # it was sent again, as the answer to it was lost
        words = {"error": {"name": made.name, "message": made.message}, "existing": _describe(there)}
        return JsonResponse(words, status=HTTPStatus.CONFLICT)
    if isinstance(made, PlaygroundError):
        raise made
    return JsonResponse(_describe(made), status=HTTPStatus.CREATED)


def _read(user: User, request: HttpRequest, body: Mapping[str, Any]) -> Given:
    for name, kind in FIELDS.items():
        if not isinstance(body.get(name) or kind(), kind):
            raise InputError(f"{name}: this is not what it can be.", argument=name)
    given = Given(
        slug=body.get("id") or "",
        text=body.get("text") or None,
        url=body.get("url") or None,
        name=body.get("name") or "",
        metadata=body.get("metadata") or {},
        concepts=labels_of(body.get("concepts") or []),
        datasets=ids_of(body.get("datasets") or []),
        on_duplicate="keep" if body.get("on_duplicate") == "keep" else "refuse",
    )
    if upload_id := body.get("upload"):
        return dataclasses.replace(given, upload=media.find_upload(user, str(upload_id)))
    file = request.FILES.get("file")
    return dataclasses.replace(given, data=cast("BinaryIO", file)) if file is not None else given


def labels_of(names: list[Any]) -> list[Label]:
    """Concepts as a person names them: each gets an id, and keeps its name."""
    return [Label(plain_id(name), name=name.strip()) for name in map(str, names) if name.strip()]


def ids_of(names: list[Any]) -> list[str]:
    return [plain_id(name) for name in map(str, names) if name.strip()]


def read_object(text: str | bytes) -> dict[str, Any]:
    """Raises InputError for what is no JSON object."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise InputError("A JSON object is needed.")
    return body


def _describe(row: Input) -> dict[str, str]:
    return {"id": row.slug, "name": row.title, "url": row.get_absolute_url()}
