"""Runs as the pages list, find and describe them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from playground.catalog.models import Model, User, Workflow
from playground.play.queries.places import mark_of
from playground.runs.history import RELATED, search
from playground.runs.history import list_runs as list_runs
from playground.runs.models import Run, RunQuerySet

SPANS = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}
MOST_CHOICES = 200
MOST_FOUND = 1000
HEAVY = ("arguments", "searched", "error", "selector")


@dataclass(frozen=True)
class Asked:
    """What an address asks of the list of runs; whatever it names wrongly reads as everything."""

    text: str = ""
    state: str = ""
    method: str = ""
    model: str = ""
    span: str = ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.state or self.method or self.model or self.span)


def read_asked(query: Mapping[str, str]) -> Asked:
    def clean(name: str) -> str:
        return query.get(name, "").replace("\0", "").strip()[:200]

    state, span = clean("state"), clean("span")
    return Asked(
        text=clean("q"),
        state=state if state in Run.State.values else "",
        method=clean("method"),
        model=clean("model"),
        span=span if span in SPANS else "",
    )


@dataclass(frozen=True)
class Listing:
    """The runs that fit, newest first, and what one may narrow them to; ``total`` counts all there are."""

    runs: RunQuerySet
    total: int
    states: dict[str, int]
    methods: list[str]
    models: list[str]

    def upto(self, run: Run) -> Listing:
        """Without what came after this one."""
        return replace(self, runs=self.runs.filter(created_at__lte=run.created_at))


def list_asked(user: User, subject: Model | Workflow | None, asked: Asked) -> Listing:
    """States are counted among what fits otherwise, so that each count is what a press on it shows."""
    everything = found = list_runs(user, subject)
    if asked.method:
        found = found.filter(method=asked.method)
    if asked.model and subject is None:
        found = found.filter(Q(model__slug=asked.model) | Q(workflow__slug=asked.model))
    if asked.span:
        found = found.filter(created_at__gte=timezone.now() - SPANS[asked.span][1])
    if asked.text:  # read through once, not for each count
        found = everything.filter(pk__in=list(search(found, asked.text).values_list("pk", flat=True)[:MOST_FOUND]))
    counts = dict(found.order_by().values_list("state").annotate(n=Count("*")))
    return Listing(
        runs=found.filter(state=asked.state) if asked.state else found,
        total=everything.count(),
        states={state: counts.get(state, 0) for state in Run.State.values},
        methods=_choices(everything, "method"),
        models=_subjects(everything) if subject is None else [],
    )


def mark_runs(user: User, subject: Model | Workflow | None) -> str:
    """Changes when a list of these runs may: one comes, goes, or ends."""
    runs = list_runs(user, subject).order_by("state").values_list("state")
    states = runs.annotate(n=Count("*"), newest=Max("created_at"))
    return mark_of([str(facts) for facts in states])


def _choices(runs: RunQuerySet, field: str) -> list[str]:
    return list(runs.order_by(field).values_list(field, flat=True).distinct()[:MOST_CHOICES])


def _subjects(runs: RunQuerySet) -> list[str]:
    """The ids of models and workflows, found by their keys alone: these stand in the index of a run's facts."""
    pairs = runs.order_by().values_list("model_id", "workflow_id").distinct()[:MOST_CHOICES]
    models, workflows = zip(*pairs, strict=True) if pairs else ((), ())
    names = {
        *Model.objects.filter(pk__in=filter(None, models)).values_list("slug", flat=True),
        *Workflow.objects.filter(pk__in=filter(None, workflows)).values_list("slug", flat=True),
    }
    return sorted(names)


def rows_of(listing: Listing) -> RunQuerySet:
    """What a row shows, and no more: arguments and answers may be megabytes."""
    return listing.runs.defer(*HEAVY).select_related(*RELATED)


def describe_run(run: Run) -> dict[str, Any]:
    """A run as the page's modules get it at the first paint; the rest comes by its events."""
    return {
        "id": str(run.pk),
        "state": run.state,
        "method": run.method,
        "arguments": run.arguments,
        "selector": run.selector,
        "created_at": run.created_at.isoformat(),
    }


@dataclass(frozen=True)
class Argument:
    """An argument of somebody's run, to be read: as text, or as a file of this address."""

    name: str
    text: str = ""
    url: str = ""
    is_picture: bool = False


def describe_arguments(run: Run, key: str) -> list[Argument]:
    return [_describe(name, value, run, key) for name, value in run.arguments.items()]


def _describe(name: str, value: Any, run: Run, key: str) -> Argument:
    if isinstance(value, str):
        return Argument(name, value)
    if isinstance(value, dict) and isinstance(value.get("media"), str):
        address = reverse("play:run_media", args=[run.pk, value["media"]])
        kind = str(value.get("content_type", ""))
        words = str(value.get("name") or f"{kind.partition('/')[0] or 'file'} given")
        return Argument(name, words, f"{address}?{urlencode({'key': key})}", kind.startswith("image/"))
    if isinstance(value, dict) and isinstance(value.get("text"), str) and len(value) == 1:
        return Argument(name, value["text"])
    return Argument(name, _as_text(value))


def _as_text(value: Any) -> str:
    """A plain value for reading."""
    return json.dumps(value, ensure_ascii=False, indent=1)[:100_000]
