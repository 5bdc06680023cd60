"""Media over HTTP: stored bytes with ranges, and uploads in parts of at most 4 MiB that can pause and go on.

Refusals are JSON ``{"error": {name, message, request_id}}`` with a fitting status: the uploader shows the words
as they are.
"""

from __future__ import annotations

import asyncio
import functools
import io
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from playground.media import blobs, services
from playground.media.blobs import PIECE
from playground.media.kinds import SHOWN_INLINE, TEXT, megabytes
from playground.protocol.errors import (
    AccessError,
    ConflictError,
    InputError,
    NotFoundError,
    OverloadedError,
    PlaygroundError,
    ServerError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import BinaryIO

    from playground.media.models import Reference, Upload

    View = Callable[..., HttpResponseBase]

logger = logging.getLogger(__name__)

_STATUS = {
    InputError: HTTPStatus.BAD_REQUEST,
    AccessError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    OverloadedError: HTTPStatus.TOO_MANY_REQUESTS,
}
_RANGE = re.compile("bytes=[0-9]{0,20}-[0-9]{0,20}")
_WHOLE_UP_TO = 2**20


def refusing_in_json(view: View) -> View:
    """The view for signed-in users, its errors turned into JSON with their words."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if not request.user.is_authenticated:
                raise AccessError("You are signed out. Sign in again to go on.")
            return view(request, *args, **kwargs)
        except PlaygroundError as error:
            status = _STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
            return JsonResponse({"error": _describe(request, error)}, status=status)
        except (OSError, OperationalError) as error:
            if not _is_full(error):
                raise
            logger.exception("Nothing more can be stored")
            full = ServerError("The server's disk is full: nothing was stored. Try again when there is room.")
            return JsonResponse({"error": _describe(request, full)}, status=HTTPStatus.INSUFFICIENT_STORAGE)

    return wrapper


def _is_full(error: OSError | OperationalError) -> bool:
    """Whether it is the disk, the folder's quota, or the database on them."""
    return "disk is full" in str(error) or (isinstance(error, OSError) and blobs.is_full(error))


def _describe(request: HttpRequest, error: PlaygroundError) -> dict[str, str]:
    """The words of a refusal, and the request's id, under which the log has them too."""
    logger.info("%s: %s", error.name, error.message)
    request_id = getattr(request, "request_id", "")
    return {"name": error.name, "message": error.message, "request_id": request_id}


@require_POST
@refusing_in_json
def uploads(request: HttpRequest) -> HttpResponse:
    """Announce an upload: ``{name, size, expect?}`` → ``{id, url, part_size, received}``."""
    body = _json(request)
    size = body.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise InputError("size: a whole number of bytes is needed.")
    upload = services.begin_upload(
        request.user,  # type: ignore[arg-type] # a signed-in user, see refusing_in_json
        name=str(body.get("name", "")),
        size=size,
        expect=_expected(body),
    )
    return JsonResponse(_describe_upload(upload), status=HTTPStatus.CREATED)


@require_http_methods(["GET", "HEAD", "DELETE"])
@refusing_in_json
def upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """How far an upload has got (after a pause, go on from ``received``); DELETE gives it up."""
    found = services.find_upload(request.user, upload_id)
    if request.method == "DELETE":
        services.remove_upload(found)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    response = JsonResponse(_describe_upload(found))
    response["Upload-Offset"] = str(found.received)
    return response


@require_http_methods(["PUT"])
@refusing_in_json
def part(request: HttpRequest, upload_id: str, offset: int) -> HttpResponse:
    """Take the part of an upload that begins at ``offset``; on a conflict the answer says where to go on."""
    found = services.find_upload(request.user, upload_id)
    if int(request.headers.get("Content-Length") or 0) > settings.UPLOAD_PART_BYTES:
        raise InputError(f"A part may have at most {megabytes(settings.UPLOAD_PART_BYTES)}.")
    try:
        received = services.append_part(found, offset, request.body)
    except ConflictError as error:
        answer = _describe_upload(found) | {"error": _describe(request, error)}
        return JsonResponse(answer, status=HTTPStatus.CONFLICT)
    return JsonResponse({"received": received})


@require_POST
@refusing_in_json
def finish(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Turn a complete upload into a reference, checked by its bytes; the body may say ``{expect: "image"}``."""
    found = services.find_upload(request.user, upload_id)
    body = _json(request) if request.body else {}
    return JsonResponse(describe(services.finish_upload(found, expect=_expected(body))), status=HTTPStatus.CREATED)


def describe(reference: Reference) -> dict[str, Any]:
    """A reference as pages and scripts see it."""
    return {
        "id": reference.pk,
        "url": reference.get_absolute_url(),
        "content_type": reference.content_type,
        "name": reference.name,
        "size": reference.blob.size,
        "width": reference.width,
        "height": reference.height,
    }


@require_safe
def content(request: HttpRequest, reference_id: str) -> HttpResponseBase:
    """The stored bytes, for whom they are visible to: never run, never sniffed, in ranges where asked."""
    try:
        reference = services.find(request.user, reference_id)
    except NotFoundError as error:
        raise Http404(error.message) from None
    return send(request, reference)


def send(request: HttpRequest, reference: Reference) -> HttpResponseBase:
    """The bytes of a reference that the caller has looked up for its user, as far as they were asked for."""
    return _send(request, _Sent(reference.blob_id, reference.content_type, reference.name))


def send_made(request: HttpRequest, reference: Reference, form: str, content_type: str) -> HttpResponseBase:
    """What was made of a reference's bytes and lies beside them: one of ``blobs.FORMS``."""
    return _send(request, _Sent(reference.blob_id, content_type, reference.name, form))


def send_unkept(content: bytes, reference: Reference, form: str, content_type: str) -> HttpResponseBase:
    """What was made just now, and could not be laid beside the reference's bytes."""
    return _guarded(HttpResponse(content), _Sent(reference.blob_id, content_type, reference.name, form))


def _send(request: HttpRequest, reference: _Sent) -> HttpResponseBase:
    etag = reference.etag
    if etag in request.headers.get("If-None-Match", ""):
        return _guarded(HttpResponse(status=HTTPStatus.NOT_MODIFIED), reference)
    try:
        file = blobs.open_stored(reference.sha256, reference.form)
    except FileNotFoundError:
        logger.warning("The bytes of media %s are gone", reference.etag)
        raise Http404(f"The bytes of {reference.name or 'this file'} are gone.") from None
    size = file.seek(0, io.SEEK_END)
    asked = request.headers.get("Range") if request.headers.get("If-Range", etag) == etag else None
    span = _span(asked, size)
    if span is None:
        file.close()
        outside = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        outside["Content-Range"] = f"bytes */{size}"
        return _guarded(outside, reference)
    start, end = span
    response = _body(file, start, end - start, is_empty=request.method == "HEAD")
    if _is_followed(asked):
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response["Content-Length"] = str(end - start)
    return _guarded(response, reference)


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """The bytes asked for as (start, end); all for a header we do not follow; None for one that lies outside."""
    if not _is_followed(asked):
        return 0, size
    first, _, last = str(asked).removeprefix("bytes=").partition("-")
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


def _is_followed(asked: str | None) -> bool:
    """One range of bytes. Any other header gives all, as the web's rules allow."""
    return asked not in (None, "bytes=-") and _RANGE.fullmatch(asked) is not None


def _body(file: BinaryIO, start: int, length: int, *, is_empty: bool) -> HttpResponseBase:
    if is_empty or length <= _WHOLE_UP_TO:
        with file:
            file.seek(start)
            return HttpResponse(b"" if is_empty else file.read(length))
    file.seek(start)
    response = StreamingHttpResponse(_pieces(file, length))
    response._resource_closers.append(file.close)  # type: ignore[attr-defined]
    return response


async def _pieces(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    with file:
        while length > 0 and (piece := await asyncio.to_thread(file.read, min(PIECE, length))):
            length -= len(piece)
            yield piece


@dataclass(frozen=True, slots=True)
class _Sent:
    """What goes out: stored bytes, or what was made of them."""

    sha256: str
    content_type: str
    name: str
    form: str = ""

    @property
    def etag(self) -> str:
        return f'"{self.sha256}.{self.form}"' if self.form else f'"{self.sha256}"'


def _guarded(response: HttpResponseBase, reference: _Sent) -> HttpResponseBase:
    kind = reference.content_type
    is_shown = kind in SHOWN_INLINE
    response["Content-Type"] = f"{TEXT}; charset=utf-8" if kind == TEXT else kind
    response["Content-Disposition"] = content_disposition_header(not is_shown, reference.name) or "inline"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["ETag"] = reference.etag
    response["Accept-Ranges"] = "bytes"
    return response


def _describe_upload(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.pk,
        "url": reverse("media:upload", args=[upload.pk]),
        "part_size": settings.UPLOAD_PART_BYTES,
        "size": upload.size,
        "received": upload.received,
    }


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise InputError("The request's body is no JSON.") from None
    if not isinstance(body, dict):
        raise InputError("The request's body is no JSON object.")
    return body


def _expected(body: dict[str, Any]) -> str:
    expect = body.get("expect", "")
    if expect not in {"", "image", "audio", "video"}:
        raise InputError('expect: "image", "audio" or "video".')
    return str(expect)
