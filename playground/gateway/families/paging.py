"""Paging that ends, and that loses and repeats nothing when rows come and go between two pages.

``page`` counts from 1, and past the last one there is an empty list. Where a page ended is kept for a while, by who
asked what, so that the next one goes on from that row: programs delete what they just listed, and rows come in between.
A page asked for out of order is counted off, as paging goes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model, Q, QuerySet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.catalog.models import User

S = TypeVar("S")
T = TypeVar("T", bound=Model)
DEFAULT_PER_PAGE = 128
MOST_PER_PAGE = 1000
KEPT_SECONDS = 600.0
_KEPT = 4096
_ends: dict[tuple[int, str, bytes, int], tuple[float, tuple[Any, int]]] = {}


def page_of(caller: User, rows: QuerySet[T], request: Any, *, newest_first: bool = False, by: str = "pk") -> list[T]:
    """The page that ``request`` asks for, in the order in which the rows were made; no other row is read.

    ``by`` is the field that the rows' index is of; rows that are alike in it go by their keys.
    """
    size = min(request.per_page or DEFAULT_PER_PAGE, MOST_PER_PAGE)
    page = max(request.page, 1)
    order = ["pk"] if by == "pk" else [by, "pk"]
    rows = rows.order_by(*(f"-{one}" if newest_first else one for one in order))
    end = _end_of(_key(caller, request, page - 1)) if page > 1 else None
    if end is None:
        found = list(rows[(page - 1) * size : page * size])
    else:
        found = list(rows.filter(_past(end, "l" if newest_first else "g", by))[:size])
    if found:
        _keep(_key(caller, request, page), (getattr(found[-1], by), found[-1].pk))
    return found


def _past(end: tuple[Any, int], side: str, by: str) -> Q:
    value, pk = end
    if by == "pk":
        return Q(**{f"pk__{side}t": pk})
    return Q(**{f"{by}__{side}te": value}) & ~(Q(**{by: value}) & ~Q(**{f"pk__{side}t": pk}))


def slice_of(items: Sequence[S], request: Any) -> Sequence[S]:
    """The same of a list that does not change."""
    size = min(request.per_page or DEFAULT_PER_PAGE, MOST_PER_PAGE)
    start = (max(request.page, 1) - 1) * size
    return items[start : start + size]


def _key(caller: User, request: Any, page: int) -> tuple[int, str, bytes, int]:
    same = type(request)()
    same.CopyFrom(request)
    same.page = 0
    return caller.pk, request.DESCRIPTOR.name, same.SerializeToString(deterministic=True), page


def _end_of(key: tuple[int, str, bytes, int]) -> tuple[Any, int] | None:
    kept_at, end = _ends.get(key, (0.0, (None, 0)))
    return end if kept_at and time.monotonic() - kept_at < KEPT_SECONDS else None


def _keep(key: tuple[int, str, bytes, int], end: tuple[Any, int]) -> None:
    if len(_ends) >= _KEPT:
        _ends.clear()
    _ends[key] = time.monotonic(), end
