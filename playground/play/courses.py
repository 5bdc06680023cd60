"""The course of several deployments' use as plots: calls and errors, times, ready replicas; each kind on one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from playground.compute.usage.queries import Point
from playground.compute.usage.replicas import Count
from playground.play.charts import bars, read, round_up
from playground.play.strips import round_step
from playground.templatetags.ui import figure, milliseconds

WIDTH, HEIGHT = 600, 100
TIMES = (("p95", "p95"), ("p50", "p50"), ("first", "First output"))


@dataclass(frozen=True)
class Step:
    """One step of a course: its calls, and from how many to how many replicas were ready; None where it is unknown."""

    point: Point
    ready: tuple[int, int] | None

    @property
    def replicas(self) -> str:
        if self.ready is None:
            return "\u2013"
        low, high = self.ready
        return str(high) if low == high else f"{low} to {high}"


@dataclass(frozen=True)
class Course:
    """A deployment's steps up to ``end``, and when how many of its replicas were ready."""

    name: str
    steps: Sequence[Step]
    counts: Sequence[Count]
    end: datetime


@dataclass(frozen=True)
class Plot:
    """A drawing, stretched to its place; ``keys`` are (kind, words) of what is in it, ``ticks`` from the top down."""

    keys: Sequence[tuple[str, str]]
    drawing: SafeString
    ticks: Sequence[str]


def course_of(name: str, points: Sequence[Point], counts: Sequence[Count], now: datetime) -> Course:
    """Steps last until the next begins; the last one until ``now``."""
    ends = [*(point.start for point in points[1:]), now]
    steps = [Step(point, _ready(counts, point.start, end)) for point, end in zip(points, ends, strict=True)]
    return Course(name, steps, counts, now)


def _ready(counts: Sequence[Count], start: datetime, end: datetime) -> tuple[int, int] | None:
    before = [count.ready for count in counts if count.at <= start][-1:]
    known = before + [count.ready for count in counts if start < count.at < end]
    return (min(known), max(known)) if known else None


def plots_of(courses: Sequence[Course]) -> list[list[Plot]]:
    """Of each course its plots."""
    points = [step.point for course in courses for step in course.steps]
    calls = round_up(max((point.calls for point in points), default=0))
    slowest = round_step(max((value for point in points for _, value in _times(point) if value), default=0.001))
    ready = round_up(max((step.ready[1] for course in courses for step in course.steps if step.ready), default=0))
    return [[_plot_calls(one, calls), _plot_times(one, slowest), _plot_replicas(one, ready)] for one in courses]


def _times(point: Point) -> list[tuple[str, float | None]]:
    values = (point.p95, point.p50, point.first_output_p50)
    return [(kind, value) for (kind, _), value in zip(TIMES, values, strict=True)]


def _plot_calls(course: Course, top: int) -> Plot:
    points = [step.point for step in course.steps]
    calls, errors = sum(point.calls for point in points), sum(point.errors for point in points)
    paths = format_html(
        '<path class="spark__bars" d="{}"/><path class="spark__errors" d="{}"/>',
        bars([point.calls for point in points], WIDTH, HEIGHT, top),
        bars([point.errors for point in points], WIDTH, HEIGHT, top),
    )
    words = f"{course.name}: {figure(calls)} call{'' if calls == 1 else 's'}, {figure(errors)} of them errors"
    ticks = (figure(top), figure(top // 2), "0")
    return Plot((("bars", "Calls"), ("errors", "of them errors")), _draw(course, words, paths, lambda step: ""), ticks)


def _plot_times(course: Course, top: float) -> Plot:
    points = [step.point for step in course.steps]
    paths = []
    for kind, _ in TIMES:
        line, dots = _line([dict(_times(point))[kind] for point in points], top)
        paths.append((kind, line, kind, dots))
    drawn = format_html_join(
        "", '<path class="spark__line line--{}" d="{}"/><path class="spark__line line--{} line--dots" d="{}"/>', paths
    )
    slowest = max((point.p95 for point in points if point.p95 is not None), default=None)
    words = f"{course.name}: p95 up to {milliseconds(slowest * 1000)}" if slowest else f"{course.name}: no times"
    ticks = (milliseconds(top * 1000), milliseconds(top * 500), "0")
    return Plot(TIMES, _draw(course, words, drawn, lambda step: ""), ticks)


def _line(values: Sequence[float | None], top: float) -> tuple[str, str]:
    """A line that breaks where there is nothing, and a dot for what stands alone."""
    step = WIDTH / max(len(values), 1)
    line, dots = [], []
    for place, value in enumerate(values):
        if value is None:
            continue
        at = f"{(place + 0.5) * step:.1f} {HEIGHT * (1 - value / top):.1f}"
        follows = place > 0 and values[place - 1] is not None
        line.append(f"{'L' if follows else 'M'}{at}")
        if not follows and (place + 1 == len(values) or values[place + 1] is None):
            dots.append(f"M{at}h.01")
    return "".join(line), "".join(dots)


def _plot_replicas(course: Course, top: int) -> Plot:
    known = [step.ready for step in course.steps if step.ready]
    most, now = max((high for _, high in known), default=0), course.counts[-1].ready if course.counts else 0
    words = f"{course.name}: {now} replica{'' if now == 1 else 's'} ready now, at most {most} in this time"
    drawing = _draw(course, words, _stairs(course, top), lambda step: f"{step.replicas} ready")
    return Plot((("ready", "Ready replicas"),), drawing, (str(top), str(top // 2), "0"))


def _stairs(course: Course, top: int) -> SafeString:
    """From when to when so many were ready, to the second; nothing is drawn where it is not known."""
    start, following = (step.point.start for step in course.steps[:2])
    whole = (following - start).total_seconds() * len(course.steps)
    path, area = "", ""
    ends = [*(count.at for count in course.counts[1:]), course.end]
    for count, until in zip(course.counts, ends, strict=False):
        left, right = ((max(at, start) - start).total_seconds() / whole * WIDTH for at in (count.at, until))
        high = HEIGHT * (1 - count.ready / top)
        path += f"{'L' if path else 'M'}{left:.1f} {high:.1f}L{right:.1f} {high:.1f}"
        area += f"M{left:.1f} {HEIGHT}V{high:.1f}H{right:.1f}V{HEIGHT}z" if count.ready else ""
    return format_html('<path class="line__area" d="{}"/><path class="spark__line line--ready" d="{}"/>', area, path)


def _draw(course: Course, words: str, paths: SafeString, more: Callable[[Step], str]) -> SafeString:
    """The paths on a grid; over each step a place that reads its figures to a pointer, as the table does to all."""
    wide = WIDTH / max(len(course.steps), 1)
    readings = format_html_join(
        "",
        '<rect class="chart__reading" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>',
        (
            (round(place * wide, 1), round(wide, 1), HEIGHT, ", ".join(filter(None, (read(step.point), more(step)))))
            for place, step in enumerate(course.steps)
        ),
    )
    return format_html(
        '<svg class="chart__drawing chart__drawing--low" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        words,
        mark_safe('<path class="chart__grid" d="M0 .5H600M0 50H600M0 99.5H600"/>'),
        paths,
        readings,
    )
