"""One figure of thousands of deployments at once: what a table of them is ordered by.

``queries.summary`` adds up everything that is known of each; here one figure is read of as few columns as it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
from django.db.models import Case, F, IntegerField, Max, Q, Sum, When

from playground.compute.usage.figures import NO_ERRORS, WAITING
from playground.compute.usage.histograms import seconds_of
from playground.compute.usage.models import DAY
from playground.compute.usage.queries import cover, step_of
from playground.compute.usage.records import SUCCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from playground.compute.usage.models import UsageQuerySet

Ranked: TypeAlias = Literal[
    "calls",
    "error_rate",
    "told_to_wait",
    "p50",
    "p95",
    "first_output_p50",
    "queue_p95",
    "outputs",
    "tokens",
    "outputs_per_second",
    "tokens_per_second",
    "growth",
    "last_used",
]
RANKED: tuple[Ranked, ...] = get_args(Ranked)
_HISTOGRAMS = {
    "p50": ("latencies", 0.5),
    "p95": ("latencies", 0.95),
    "first_output_p50": ("first_outputs", 0.5),
    "queue_p95": ("queue_times", 0.95),
}
_PAIR = np.dtype([("bucket", "<u2"), ("count", "<u4")])


def rank(rows: UsageQuerySet, figure: Ranked, since: datetime, until: datetime) -> dict[int, float]:
    """The figure of each deployment in ``rows``, by primary key, as in Figures; those that have none are left out.

    ``growth`` is how many calls the later half of the time had more than the earlier one. ``last_used``, in seconds
    since the epoch, looks back before ``since``, too.
    """
    if figure == "last_used":
        return dict(rows.filter(span=DAY).order_by().values_list("deployment_key").annotate(last=Max("last_at")))
    if figure in _HISTOGRAMS:
        column, share = _HISTOGRAMS[figure]
        return _quantiles(rows.filter(outcome=SUCCESS), column, share, since, until)
    if figure == "growth":
        return _growth(rows.exclude(outcome=WAITING), since, until)
    columns, read = _sums(figure)
    sums = _add_up(rows, columns, since, until)
    found = {key: read(*values) for key, values in sums.items()}
    return {key: value for key, value in found.items() if value is not None}


def _growth(rows: UsageQuerySet, since: datetime, until: datetime) -> dict[int, float]:
    """Of rows of one span alone: those that lie across the middle would be neither here nor there."""
    span, _ = step_of(since, until, 24)
    covered = rows.filter(span=span, start__gte=since.timestamp() - span, start__lt=until.timestamp())
    is_late = Q(start__gte=(since.timestamp() + until.timestamp()) / 2)
    signed = Case(When(is_late, then=F("calls")), default=-F("calls"), output_field=IntegerField())
    return dict(covered.order_by().values_list("deployment_key").annotate(growth=Sum(signed)))


def _sums(figure: Ranked) -> tuple[Mapping[str, Sum], Callable[..., float | None]]:
    """What to add up, and how the figure follows from the sums."""
    counted = ~Q(outcome=WAITING)
    calls = Sum("calls", filter=counted)
    match figure:
        case "error_rate":
            errors = Sum("calls", filter=~Q(outcome__in=NO_ERRORS))
            return {"n": calls, "errors": errors}, lambda n, errors: errors / n if n else None
        case "told_to_wait":
            return {"n": Sum("calls", filter=Q(outcome=WAITING))}, lambda n: n
        case "outputs":
            return {"n": Sum("outputs", filter=counted)}, lambda n: n
        case "tokens":
            return {"n": Sum("completion_tokens", filter=counted)}, lambda n: n
        case "outputs_per_second" | "tokens_per_second":
            column = "outputs" if figure == "outputs_per_second" else "completion_tokens"
            given = Q(outcome=SUCCESS) & Q(**{f"{column}__gt": 0})
            seconds = Sum(F("seconds") - F("queue_seconds"), filter=given)
            return {"n": Sum(column, filter=given), "t": seconds}, lambda n, t: n / t if n and t > 0 else None
    return {"n": calls}, lambda n: n


def _add_up(
    rows: UsageQuerySet, columns: Mapping[str, Sum], since: datetime, until: datetime
) -> dict[int, list[float]]:
    sums: dict[int, list[float]] = {}
    for covered in cover(rows, since, until):
        for key, *values in covered.order_by().values_list("deployment_key").annotate(**columns):
            kept = sums.setdefault(key, [0] * len(values))
            for at, value in enumerate(values):
                kept[at] += value or 0
    return sums


def _quantiles(rows: UsageQuerySet, column: str, share: float, since: datetime, until: datetime) -> dict[int, float]:
    """The packed histograms of all rows at once: counted by deployment and bucket, then read off the running sums."""
    keys: list[int] = []
    packed: list[bytes] = []
    for covered in cover(rows, since, until):
        for key, histogram in covered.order_by().values_list("deployment_key", column):
            keys.append(key)
            packed.append(histogram)
    pairs = np.frombuffer(b"".join(packed), dtype=_PAIR)
    if not len(pairs):
        return {}
    unique, places = np.unique(np.array(keys), return_inverse=True)
    lengths = np.fromiter(map(len, packed), dtype=np.int64, count=len(packed)) // _PAIR.itemsize
    lowest, width = int(pairs["bucket"].min()), int(np.ptp(pairs["bucket"])) + 1
    cells = np.repeat(places, lengths) * width + (pairs["bucket"] - lowest)
    counts = np.bincount(cells, weights=pairs["count"], minlength=len(unique) * width)
    running = counts.reshape(len(unique), width).cumsum(axis=1)
    totals = running[:, -1]
    wanted = np.maximum(1, np.ceil(share * totals))
    buckets = (running >= wanted[:, None]).argmax(axis=1)
    return {
        int(key): seconds_of(lowest + int(bucket))
        for key, bucket, total in zip(unique, buckets, totals, strict=True)
        if total
    }
