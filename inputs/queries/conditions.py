"""A filter as conditions of a query, and the few ids that its narrowest part leaves.

A filter that something makes narrow (a rare concept, a small dataset, a rare word) is answered from those ids alone;
one that nothing does is answered by walking the inputs in their order, where matches are then near. So neither a
rare nor a common thing among a million inputs makes a page wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Exists, F, Max, Min, OuterRef, Q, Sum

from inputs import search
from inputs.models import Annotation, Concept, Dataset, Input, InputQuerySet, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inputs.nearest import Sample
    from inputs.queries.filters import Filter
    from playground.catalog.models import App

FEW = 5000
ONE_BY_ONE = 30  # so many at most cost less to look up in the search than to gather all that match
_Tagged = Input.datasets.through


@dataclass(frozen=True, slots=True)
class Few:
    """At most ``FEW`` ids, among which all that fit are. ``is_searched``: they are the search's own."""

    ids: list[int]
    is_searched: bool = False


class Conditions:
    """What a filter means in an app, its concepts and datasets looked up."""

    def __init__(self, app: App, wanted: Filter) -> None:
        self.app = app
        self.wanted = wanted
        self.query = search.Query(app.pk, wanted.words, wanted.metadata, wanted.types)
        if self.is_searching and _holds_most(app):
            self.query = replace(self.query, app_id=None)
        if self.is_searching and (wanted.since or wanted.until):
            self.query = replace(self.query, span=self._span())
        self.concepts = [self._concepts([slug]) for slug in wanted.concepts]
        self.any_concepts = self._concepts(wanted.any_concepts)
        self.no_concepts = self._concepts(wanted.no_concepts)
        self.datasets = self._datasets(wanted.datasets)

    @property
    def is_searching(self) -> bool:
        return not self.query.is_empty or self.query.is_hopeless

    def rows(self, *, by_key: bool = False) -> InputQuerySet:
        """The app's inputs that fit, but for its words and metadata, which the search knows. ``by_key``: their keys
        will be given."""
        there = Input.objects.alive()
        found = there.on_shelf(self.app) if by_key else there.filter(app=self.app)
        if self.wanted.types:
            found = found.filter(kind__in=self.wanted.types)
        return self._labelled(self._in_days(found))

    def _span(self) -> tuple[int, int]:
        """Between which ids those of the wanted days are: the search has no days, and ids grow with them."""
        days = self._in_days(Input.objects.alive().filter(app=self.app))
        # A sum is in no index: Postgres would look for the least id of all among all.
        found = days.aggregate(least=Min(F("pk") + 0), most=Max(F("pk") + 0))
        return found["least"] or 0, found["most"] or 0

    def _in_days(self, found: InputQuerySet) -> InputQuerySet:
        if (begin := self.wanted.begins_at) is not None:
            found = found.filter(created_at__gte=begin)
        if (end := self.wanted.ends_before) is not None:
            found = found.filter(created_at__lt=end)
        return found

    def _labelled(self, found: InputQuerySet) -> InputQuerySet:
        for concepts in self.concepts:
            found = found.filter(_says(concepts))
        if self.wanted.any_concepts:
            found = found.filter(_says(self.any_concepts))
        if self.no_concepts:
            found = found.exclude(_says(self.no_concepts))
        if self.wanted.datasets:
            found = found.filter(_is_in(self.datasets))
        return found

    def searched(self, *, by_key: bool = False, one_by_one: bool = False) -> InputQuerySet:
        """All that fit, the search included. ``one_by_one``: so few that each is looked up in the search."""
        rows = self.rows(by_key=by_key)
        return rows.filter(search.is_match(self.query, one_by_one=one_by_one)) if self.is_searching else rows

    @cached_property
    def sample(self) -> Sample:
        return search.sample(self.query, FEW)

    def few(self) -> Few | None:
        """The ids among which all that fit are; None where nothing in the filter is that narrow."""
        if self.is_searching and self.sample.is_all:
            return Few(self.sample.ids, is_searched=True)
        for concepts in [*self.concepts, *([self.any_concepts] if self.wanted.any_concepts else [])]:
            ids = _with_concepts(concepts)
            if len(ids) <= FEW:
                return Few(ids)
        if self.wanted.datasets:
            ids = list(_Tagged.objects.filter(dataset__in=self.datasets).values_list("input_id", flat=True)[: FEW + 1])
            if len(ids) <= FEW:
                return Few(list(dict.fromkeys(ids)))
        return None

    def _concepts(self, slugs: Iterable[str]) -> list[int]:
        """Of a concept that there is not, nothing is said anywhere: it is left out."""
        wanted = list(slugs)
        return (
            list(Concept.objects.filter(app=self.app, slug__in=wanted).values_list("pk", flat=True)) if wanted else []
        )

    def _datasets(self, slugs: Iterable[str]) -> list[int]:
        wanted = list(slugs)
        return (
            list(Dataset.objects.filter(app=self.app, slug__in=wanted).values_list("pk", flat=True)) if wanted else []
        )


def _holds_most(app: App) -> bool:
    """Whether nearly all that a search finds is the app's, so that asking for its mark would only take time."""
    counts = Tally.objects.aggregate(everywhere=Sum("count"), here=Sum("count", filter=Q(app=app)))
    return 2 * (counts["here"] or 0) > (counts["everywhere"] or 0)


def _with_concepts(concepts: list[int]) -> list[int]:
    found = Annotation.objects.filter(concept__in=concepts, value__gt=0).values_list("input_id", flat=True)
    ids = list(found[: FEW + 1])
    return ids if len(ids) > FEW else list(dict.fromkeys(ids))


def _says(concepts: list[int]) -> Exists | Q:
    """One of these concepts is said to be so; a value of 0 says that it is not."""
    if not concepts:
        return Q(pk__in=[])
    return Exists(Annotation.objects.filter(input=OuterRef("pk"), concept__in=concepts, value__gt=0))


def _is_in(datasets: list[int]) -> Exists | Q:
    if not datasets:
        return Q(pk__in=[])
    return Exists(_Tagged.objects.filter(input=OuterRef("pk"), dataset__in=datasets))
