"""A model's Deployments & Usage: the table, what of it changes by itself, and the same as a file."""

from __future__ import annotations

import csv
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from playground.catalog.access import Role, has_role
from playground.catalog.models import Model, User
from playground.compute.models import Deployment
from playground.play import cells
from playground.play.queries.columns import COLUMNS, SPANS, USED, Asked, Column, Span, read_asked
from playground.play.queries.models import find_model
from playground.play.queries.usage import Listing, UsageRow, glance, list_usage, read_rows
from playground.play.views.asking import user_of
from playground.play.views.heads import head_of

PAGE_SIZE = 25
FAILED_SHOWN = 3


@login_required
@require_safe
def deployments(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    user = user_of(request)
    found = find_model(user, user_id, app_id, model_id)
    context = head_of(user, found, "deployments") | _table(request, user, found)
    return render(request, "play/deployments.html", context)


@login_required
@require_safe
def table(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """The table alone, for the page that polls it; 204 when nothing is new.

    ``keep`` has the keys of the rows on screen while somebody is among them: those are shown, in that order.
    """
    user = user_of(request)
    found = find_model(user, user_id, app_id, model_id)
    seen = request.GET.get("seen")
    if seen and seen == glance(user, found, read_asked(request.GET.dict()), timezone.now()).mark:
        return HttpResponse(status=204)
    return render(request, "play/_deployments.html", {"model": found, **_table(request, user, found)})


@login_required
@require_safe
def as_csv(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """All rows that fit, on whichever page, with the columns shown."""
    user = user_of(request)
    found = find_model(user, user_id, app_id, model_id)
    asked, now = read_asked(request.GET.dict()), timezone.now()
    known = glance(user, found, asked, now)
    listing = list_usage(user, found, asked, now, known)
    look = cells.Look(asked.span, known.of_tokens)
    shows_trend = any(column.key == "trend" for column in asked.columns)
    rows = read_rows(user, found, listing.keys, asked.span, now, with_trends=shows_trend)
    name = f"{found.slug}-deployments-{asked.span.key}.csv"
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(answer)
    writer.writerow([_csv_name(column, look) for column in asked.columns])
    writer.writerows(cells.values(row, asked.columns, look) for row in rows)
    return answer


def _csv_name(column: Column, look: cells.Look) -> str:
    known = {"trend": "Calls over time", "speed": cells.label_of(column, look)}
    return known.get(column.key, column.name)


def _table(request: HttpRequest, user: User, model: Model) -> dict[str, Any]:
    asked, now = read_asked(request.GET.dict()), timezone.now()
    known = glance(user, model, asked, now)
    listing = list_usage(user, model, asked, now, known)
    page = Paginator(listing.keys, PAGE_SIZE).get_page(request.GET.get("page"))
    kept = _keys(request.GET.get("keep", ""))
    keys = kept or list(page.object_list)
    rows = read_rows(user, model, keys, asked.span, now)
    look = cells.Look(asked.span, known.of_tokens)
    failed = listing.failed
    return {
        "asked": asked,
        "spans": SPANS.values(),
        "page": page,
        "rows": [cells.draw_row(row, asked.columns, look, playground=_try_at(user, model, row)) for row in rows],
        "heads": [_head(asked, column, look) for column in asked.columns],
        "groups": _groups(asked.columns, asked.span),
        "columns": COLUMNS.values(),
        "listing": listing,
        "has_moved": bool(kept) and kept != list(page.object_list),
        "failed": _failed(user, model, failed, asked.span),
        "failed_more": max(len(failed) - FAILED_SHOWN, 0),
        "seen": known.mark,
        "has_own": Deployment.objects.filter(owner=user, model=model, is_shared=False).exists(),
        "may_deploy": has_role(user, model.app, Role.MEMBER),
        "has_others": any(not row.is_own for row in rows),
        "sort_words": _sort_words(asked, listing),
    }


def _try_at(user: User, model: Model, row: UsageRow) -> str:
    """The model's page with the row's deployment chosen."""
    one, page = row.row, model.get_absolute_url()
    if one.is_shared:
        return page
    owner = {"owner": one.owner.username} if one.owner_id != user.pk else {}
    return f"{page}?{urlencode({'deployment': one.slug} | owner)}"


def _keys(given: str) -> list[int]:
    """Deployments' keys between commas, as the page sends them."""
    return [int(key) for key in given.split(",")[:PAGE_SIZE] if key.isascii() and key.isdigit() and len(key) < 18]


def _head(asked: Asked, column: Column, look: cells.Look) -> dict[str, Any]:
    is_sorted = column == asked.sort
    return {
        "column": column,
        "label": cells.label_of(column, look),
        "sort": asked.next_sort(column),
        "order": ("descending" if asked.is_descending else "ascending") if is_sorted else "",
    }


def _groups(columns: tuple[Column, ...], span: Span) -> list[dict[str, Any]]:
    """The heads above the heads: neighbours of one group share one. The boxes and the menus have columns, too."""
    groups: list[dict[str, Any]] = [{"words": "", "width": 1}]
    for group in (*(column.group for column in columns), ""):
        words = span.words if group == USED else group
        if groups[-1]["words"] == words:
            groups[-1]["width"] += 1
        else:
            groups.append({"words": words, "width": 1})
    return groups


def _failed(user: User, model: Model, entries: list[Any], span: Span) -> list[UsageRow]:
    shown = [entry.pk for entry in entries[:FAILED_SHOWN]]
    return read_rows(user, model, shown, span, timezone.now(), with_trends=False) if shown else []


def _sort_words(asked: Asked, listing: Listing) -> str:
    """What is announced when the order has changed."""
    count = len(listing.entries)
    order = "descending" if asked.is_descending else "ascending"
    return f"{count:,} deployment{'' if count == 1 else 's'}, sorted by {asked.sort.name.lower()}, {order}"
