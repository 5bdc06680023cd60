"""Facets counted within a filter: how many of what it leaves are of each type, have each concept, lie in each dataset.

A part of the filter of which one is enough does not narrow its own facet: who chose pictures still sees how many texts
there are. Counted are the newest 2,000 that fit; where there are more, a count says that it is the least ("812+"), and
nothing where it would be none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from inputs.models import Annotation, Input
from inputs.queries.pages import ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from inputs.queries.facets import Facet, Facets
    from inputs.queries.filters import Filter
    from playground.catalog.models import App, User

FEW = 2000  # are looked at
_Tagged = Input.datasets.through
_Found = tuple[list[int], bool]


def narrowed(user: User | AnonymousUser, app: App, wanted: Filter, found: Facets) -> Facets:
    """``found`` with its counts within the filter."""
    known: dict[Filter, _Found] = {}

    def among(part: Filter) -> _Found:
        part = replace(part, order="newest")
        if part not in known:
            some = ids(user, app, part, limit=FEW)
            known[part] = some, len(some) == FEW
        return known[part]

    def recounted(facets: list[Facet], part: Filter, count: Callable[[list[int]], Counter[str]]) -> list[Facet]:
        if not part.is_narrow or not facets:
            return facets
        some, is_more = among(part)
        counts = count(some)
        return [replace(one, count=_at_least(counts[one.id]) if is_more else counts[one.id]) for one in facets]

    return replace(
        found,
        types=recounted(found.types, replace(wanted, types=()), _kinds),
        concepts=recounted(found.concepts, replace(wanted, any_concepts=()), _concepts),
        datasets=recounted(found.datasets, replace(wanted, datasets=()), _datasets),
    )


def uncounted(found: Facets) -> Facets:
    """What there is to narrow by, while nobody has counted yet."""

    def bare(facets: list[Facet]) -> list[Facet]:
        return [replace(one, count="") for one in facets]

    return replace(found, types=bare(found.types), concepts=bare(found.concepts), datasets=bare(found.datasets))


def _at_least(number: int) -> str:
    return f"{number:,}+" if number else ""


def _kinds(found: list[int]) -> Counter[str]:
    return _grouped(found, Input.objects.all(), "pk", "kind")


def _concepts(found: list[int]) -> Counter[str]:
    return _grouped(found, Annotation.objects.filter(value__gt=0), "input", "concept__slug")


def _datasets(found: list[int]) -> Counter[str]:
    return _grouped(found, _Tagged.objects.all(), "input", "dataset__slug")


def _grouped(found: list[int], rows: QuerySet[Any], key: str, name: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for start in range(0, len(found), FEW):
        some = rows.filter(**{f"{key}__in": found[start : start + FEW]}).order_by()
        counts.update(dict(some.values_list(name).annotate(number=Count(key, distinct=True))))
    return counts
