"""What pages and programs ask about usage: figures of deployments over a time, and their course.

A time is read from as few rows as it takes: days and hours where they are whole, minutes at its edges. Edges are
rounded outwards to the minute; to the hour or the day where nothing finer is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.db.models import Max
from django.utils import timezone

from playground.compute.usage.figures import COLUMNS, NO_ERRORS, WAITING, Figures, Sums, time_of
from playground.compute.usage.histograms import quantile, quantiles, unpack
from playground.compute.usage.models import DAY, MINUTE, SPANS, Usage, kept_for
from playground.compute.usage.records import SUCCESS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.contrib.auth.models import AnonymousUser

    from playground.catalog.models import User
    from playground.compute.usage.models import UsageQuerySet

Part: TypeAlias = Literal["deployment_key", "deployment", "model", "version", "method", "user", "outcome"]


@dataclass
class Point:
    """One step of a course: the calls that ended from ``start`` on, before the next point's. Figures as in Figures."""

    start: datetime
    calls: int = 0
    errors: int = 0
    p50: float | None = None
    p95: float | None = None
    first_output_p50: float | None = None


def summary(
    user: User | AnonymousUser, deployments: Collection[int], since: datetime, until: datetime
) -> dict[int, Figures]:
    """Figures of each deployment, by primary key, as far as ``user`` may see them: owners all, others their own calls.

    ``last_used`` looks back before ``since``, too.
    """
    rows = Usage.objects.visible_to(user).filter(deployment_key__in=deployments)
    found = breakdown(rows, "deployment_key", since, until)
    missing = [key for key in deployments if key not in found]
    earlier = (
        rows.filter(deployment_key__in=missing, span=DAY, start__lte=since.timestamp()) if missing else rows.none()
    )
    last = dict(earlier.values_list("deployment_key").annotate(last=Max("last_at")))
    for key in missing:
        found[key] = Figures(last_used=time_of(last[key]) if key in last else None)
    return {key: found[key] for key in deployments}


def breakdown(rows: UsageQuerySet, part: Part, since: datetime, until: datetime) -> dict[Any, Figures]:
    """Figures of ``rows`` by deployment, version, method, user or outcome; only those that had calls."""
    sums: dict[Any, Sums] = {}
    for covered in cover(rows, since, until):
        for name, *values in covered.values_list(part, *COLUMNS).iterator():
            if name not in sums:
                sums[name] = Sums()
            sums[name].add(values)
    return {name: total.figures() for name, total in sums.items()}


def cover(rows: UsageQuerySet, since: datetime, until: datetime) -> Iterator[UsageQuerySet]:
    """Those of ``rows`` that together are the time from ``since`` to ``until``, each call once."""
    for span, first, end in _cover(_floor(since), _ceil(until)):
        yield rows.filter(span=span, start__gte=first, start__lt=end)


def series(user: User | AnonymousUser, deployment: int, since: datetime, until: datetime, buckets: int) -> list[Point]:
    """The course of one deployment in so many points. See ``trends``."""
    return trends(user, [deployment], since, until, buckets)[deployment]


def trends(
    user: User | AnonymousUser, deployments: Collection[int], since: datetime, until: datetime, buckets: int
) -> dict[int, list[Point]]:
    """The courses of deployments, by primary key, each in exactly so many points, empty ones too.

    Points are whole minutes, hours or days in UTC, or several; the last one holds ``until``.
    """
    span, step = step_of(since, until, buckets)
    end = math.ceil(until.timestamp() / span) * span
    starts = [end - step * (buckets - number) for number in range(buckets)]
    times = [time_of(start) for start in starts]
    courses = {key: [Point(time) for time in times] for key in deployments}
    latencies: dict[tuple[int, int], list[bytes]] = {}
    firsts: dict[tuple[int, int], list[bytes]] = {}
    rows = Usage.objects.visible_to(user).exclude(outcome=WAITING)
    rows = rows.filter(deployment_key__in=courses, span=span, start__gte=starts[0], start__lt=end)
    columns = ("deployment_key", "start", "outcome", "calls", "latencies", "first_outputs")
    for key, start, outcome, calls, packed, first in rows.values_list(*columns).iterator():
        number = (start - starts[0]) // step
        point = courses[key][number]
        point.calls += calls
        point.errors += 0 if outcome in NO_ERRORS else calls
        if outcome == SUCCESS:
            latencies.setdefault((key, number), []).append(packed)
            firsts.setdefault((key, number), []).append(first)
    for (key, number), packed_all in latencies.items():
        point = courses[key][number]
        point.p50, point.p95 = quantiles(unpack(packed_all), 0.5, 0.95)
        point.first_output_p50 = quantile(unpack(firsts[key, number]), 0.5)
    return courses


def step_of(since: datetime, until: datetime, buckets: int) -> tuple[int, int]:
    """Which rows to read, and how many seconds a point covers: a multiple of their span."""
    width = max(MINUTE, (until - since).total_seconds() / buckets)
    kept = [span for span in SPANS if since.timestamp() >= _oldest(span)] or [DAY]
    span = max([span for span in kept if span <= width], default=kept[0])
    return span, math.ceil(width / span) * span


def _cover(since: int, until: int, spans: tuple[int, ...] = SPANS) -> Iterator[tuple[int, int, int]]:
    """``(span, first, end)``: which rows together are the time from ``since`` to ``until``, each second once.

    What is to come has no rows yet: a time that ends now is read to the end of the day.
    """
    if since >= until:
        return
    *finer, span = spans
    is_last = until >= timezone.now().timestamp()
    can_refine = bool(finer) and since >= _oldest(finer[-1])
    first = -(-since // span) * span if can_refine else since // span * span
    can_refine_end = bool(finer) and not is_last and until >= _oldest(finer[-1])
    end = until // span * span if can_refine_end else -(-until // span) * span
    if first >= end:
        yield from _cover(since, until, tuple(finer))
        return
    if since < first:
        yield from _cover(since, first, tuple(finer))
    yield span, first, end
    if end < until:
        yield from _cover(end, until, tuple(finer))


def _oldest(span: int) -> float:
    """Since when rows of this span are kept."""
    return (timezone.now() - kept_for(span)).timestamp()


def _floor(time: datetime) -> int:
    return math.floor(time.timestamp() / MINUTE) * MINUTE


def _ceil(time: datetime) -> int:
    return math.ceil(time.timestamp() / MINUTE) * MINUTE
