"""From the manager's selection to the viewer, which goes through it one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest, JsonResponse, QueryDict
from django.views.decorators.http import require_POST

from inputs.queries import Filter, find_app, find_inputs
from inputs.queries.picked import in_order, pack
from inputs.views.adding import read_object
from inputs.views.facts import Seen
from playground.media.views import refusing_in_json
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from playground.catalog.models import User

MOST = 5000


@require_POST
@refusing_in_json
def walk(request: HttpRequest) -> JsonResponse:
    """{app, query, ids} → {url}: the viewer on the first of them. What is too many for an address, and a single one,
    is walked through as the filter has it."""
    user = cast("User", request.user)
    body = read_object(request.body)
    app = find_app(user, str(body.get("app", "")))
    if not isinstance(given := body.get("ids"), list):
        raise InputError("Which inputs? Their ids are needed.")
    wanted = Filter.from_query(QueryDict(str(body.get("query", ""))))
    rows = in_order(find_inputs(user, app, [str(one) for one in given[:MOST]]), wanted)
    if not rows:
        raise NotFoundError("These inputs are gone: they were deleted, or are not shared with you any more.")
    is_whole = len(rows) > 1 and len(given) <= MOST
    seen = Seen(user, app, wanted, pack(row.pk for row in rows) if is_whole else "")
    return JsonResponse({"url": seen.viewer(rows[0].slug)})
