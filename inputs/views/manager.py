"""The Inputs-Manager: what an app keeps, in tiles, with its filter; adding to it, and acts on many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inputs.models import Input, Kind
from inputs.queries import Filter, apps_of, count, find_app, find_inputs, page, total
from inputs.queries.pages import Page
from inputs.views.choices import address, choices_for, orders_of, tags_of
from inputs.views.tiles import tiles_of
from playground.catalog.access import Role, has_role
from playground.media.kinds import megabytes

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.catalog.models import App, User

CHUNK = 60  # tiles at once; the page's modules count in the same
MOST_SKIPPED = 10_000_000


@require_safe
@login_required
def manager(request: HttpRequest) -> HttpResponse:
    user, app, wanted = _asked(request)
    context = {
        "area": "inputs",
        "apps": list(apps_of(user)[:100]),
        "orders": orders_of(wanted),
        "limits": limits(),
        "limit_words": {kind: megabytes(size) for kind, size in limits().items()},
        **_rows(request, user, app, wanted),
        **_summary(request, user, app, wanted, is_counted=not wanted.is_narrow),
    }
    return render(request, "inputs/manager.html", context)


@require_safe
@login_required
def rows(request: HttpRequest) -> HttpResponse:
    """Some tiles: those beyond a cursor, those from a place on (``at``), or those with the ids named."""
    user, app, wanted = _asked(request)
    return render(request, "inputs/_manager_rows.html", _rows(request, user, app, wanted))


@require_safe
@login_required
def summary(request: HttpRequest) -> HttpResponse:
    """How many there are, and what to filter by; 204 where nothing has changed since what was ``seen``."""
    user, app, wanted = _asked(request)
    if request.GET.get("seen") == _mark(app, total(app)):
        return HttpResponse(status=204)
    return render(request, "inputs/_manager_summary.html", _summary(request, user, app, wanted, is_counted=True))


def limits() -> dict[str, int]:
    """What an input of each kind may have at most, in bytes."""
    return {
        Kind.IMAGE.value: settings.MAX_IMAGE_BYTES,
        Kind.VIDEO.value: settings.MAX_INPUT_VIDEO_BYTES,
        Kind.AUDIO.value: settings.MAX_INPUT_AUDIO_BYTES,
        Kind.TEXT.value: settings.MAX_INPUT_TEXT_BYTES,
    }


def _asked(request: HttpRequest) -> tuple[User, App, Filter]:
    user: User = request.user  # type: ignore[assignment] # stands behind login_required
    return user, find_app(user, request.GET.get("app", "")), Filter.from_query(request.GET)


def _rows(request: HttpRequest, user: User, app: App, wanted: Filter) -> dict[str, Any]:
    named = request.GET.getlist("id")
    if named:
        found = Page(find_inputs(user, app, named[:CHUNK]))
    else:
        at = request.GET.get("at", "")
        found = page(
            user,
            app,
            wanted,
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
            limit=CHUNK,
            skip=min(int(at), MOST_SKIPPED) if at.isascii() and at.isdecimal() else 0,
        )
    carried = address(request.GET.get("app", ""), wanted.to_query()).removeprefix("?")
    return {"page": found, "rows": tiles_of(user, found.rows, carried)}


def _summary(request: HttpRequest, user: User, app: App, wanted: Filter, *, is_counted: bool) -> dict[str, Any]:
    asked_app = request.GET.get("app", "")
    choices = choices_for(user, app, wanted, request.GET.dict(), is_counted=is_counted)
    everything = total(app)
    known = None if not is_counted else count(user, app, wanted) if wanted.is_narrow else everything
    return {
        "app": app,
        "asked_app": asked_app,
        "filter": wanted,
        "choices": choices,
        "tags": tags_of(wanted, asked_app, {one.value: one.words for one in choices.concepts}),
        "cleared": address(asked_app, ""),
        "count": known if isinstance(known, int) else None,
        "count_words": "…" if known is None else f"{known:,}" if isinstance(known, int) else known,
        "total": everything,
        "mark": _mark(app, everything),
        "may_add": has_role(user, app, Role.MEMBER),
    }


def _mark(app: App, everything: int) -> str:
    """Changes when inputs come or go."""
    newest = Input.objects.alive().filter(app=app).order_by("-created_at", "-pk").values_list("pk", flat=True).first()
    return f"{everything}-{newest or 0}"
