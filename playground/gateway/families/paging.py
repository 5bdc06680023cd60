"""Paging that ends: ``page`` counts from 1, and past the last one there is an empty list."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

T = TypeVar("T", bound="Model")
DEFAULT_PER_PAGE = 128
MOST_PER_PAGE = 1000


def page_of(items: Sequence[T] | QuerySet[T], page: int, per_page: int) -> list[T]:
    """Of a queryset, only the page is read."""
    size = min(per_page or DEFAULT_PER_PAGE, MOST_PER_PAGE)
    start = (max(page, 1) - 1) * size
    return list(items[start : start + size])
