"""What people and models say of inputs, as files: of one, of all that a filter lets through, of those chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import QueryDict, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from inputs import exports
from inputs.queries import Filter, find_app, find_inputs, ids
from inputs.views.adding import read_object
from inputs.views.viewer import find
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.http import HttpRequest, HttpResponseBase

    from playground.catalog.models import App, User

_TYPES = {"jsonl": "application/x-ndjson", "coco": "application/json"}


@require_safe
@login_required
def export(request: HttpRequest, input_id: str) -> HttpResponseBase:
    """One input's annotations and predictions; ``format`` is jsonl or coco."""
    seen, row = find(request, input_id)
    return _file(seen.user, lambda: [row.pk], row.title, request.GET.get("format", "jsonl"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def export_all(request: HttpRequest) -> HttpResponseBase:
    """The same of all inputs that the filter lets through; posted, of the ``chosen``: {ids} or {query, except}."""
    user: User = request.user  # type: ignore[assignment] # stands behind login_required
    given = request.POST if request.method == "POST" else request.GET
    app = find_app(user, given.get("app", ""))
    if request.method == "POST":
        which = _chosen(user, app, read_object(given.get("chosen", "")))
    else:
        which = partial(ids, user, app, Filter.from_query(given))
    return _file(user, which, f"{app.owner.username}-{app.slug}-inputs", given.get("format", "jsonl"))


def _chosen(user: User, app: App, chosen: Mapping[str, Any]) -> Callable[[], Sequence[int]]:
    if isinstance(named := chosen.get("ids"), list):
        return lambda: [row.pk for row in find_inputs(user, app, [str(one) for one in named])]
    if not isinstance(query := chosen.get("query"), str):
        raise InputError("Which inputs? Their ids, or a filter, are needed.")
    wanted = Filter.from_query(QueryDict(query))
    left_out = [str(one) for one in chosen.get("except") or []]

    def find_rest() -> list[int]:
        out = {row.pk for row in find_inputs(user, app, left_out)}
        return [pk for pk in ids(user, app, wanted) if pk not in out]

    return find_rest


def _file(user: User, find: Callable[[], Sequence[int]], name: str, format: str) -> HttpResponseBase:
    """The file as it is written; which inputs go in is looked up when that begins."""
    if format not in exports.FORMATS:
        raise InputError(f"format: one of {', '.join(exports.FORMATS)} is needed.", argument="format")
    response = StreamingHttpResponse(exports.write(user, find, format), content_type=_TYPES[format])
    ending = "jsonl" if format == "jsonl" else "coco.json"
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{ending}") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response
