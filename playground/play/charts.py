"""Charts as SVG, in tokens' colours: columns are calls, the line is p95. What had no calls stays empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from playground.compute.usage.queries import Point
from playground.play.queries.columns import Span
from playground.templatetags.ui import figure, milliseconds, seconds

_STEPS = {"1h": "2 minutes", "24h": "an hour", "7d": "6 hours", "30d": "a day"}
STARTS = {
    "1h": ("−60 min", "−45", "−30", "−15", "now"),  # noqa: RUF001 - true minus signs
    "24h": ("−24 h", "−18", "−12", "−6", "now"),  # noqa: RUF001
    "7d": ("−7 d", "−5¼", "−3½", "−1¾", "now"),  # noqa: RUF001
    "30d": ("−30 d", "−22", "−15", "−7", "now"),  # noqa: RUF001
}


def describe(points: Sequence[Point], span: Span, name: str) -> str:
    """A chart in one sentence, with its main figure."""
    calls = sum(point.calls for point in points)
    if not calls:
        return f"{name}, {span.words.lower()}: no calls"
    most = max(point.calls for point in points)
    slowest = max((point.p95 for point in points if point.p95 is not None), default=None)
    words = f"{name}, {span.words.lower()}: {figure(calls)} call{'' if calls == 1 else 's'}"
    words += f", at most {figure(most)} in {_STEPS[span.key]}"
    return words + (f"; p95 up to {seconds(slowest)}" if slowest is not None else "")


def sparkline(points: Sequence[Point], span: Span, name: str) -> SafeString:
    """96 by 24, in tenths: for a cell of a table."""
    columns, line = _shapes(points, 960, 230)
    return format_html(
        '<svg class="spark" viewBox="0 0 960 240" role="img"><title>{}</title>'
        '<path class="spark__bars" d="{}"/><path class="spark__line" d="{}"/></svg>',
        describe(points, span, name),
        columns,
        line,
    )


@dataclass(frozen=True)
class Tick:
    """A figure at a height of the chart, counted from its top; in per cent, as the words stand outside of the SVG."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A large chart: its drawing is stretched to its place, its words are text beside it."""

    name: str
    drawing: SafeString
    calls: Sequence[Tick]
    times: Sequence[str]
    slowest: str


def chart(points: Sequence[Point], span: Span, name: str) -> Chart:
    top = round_up(max((point.calls for point in points), default=0))
    columns, line = _shapes(points, 600, 180, top=top)
    drawing = format_html(
        '<svg class="chart__drawing" viewBox="0 0 600 180" preserveAspectRatio="none" role="img" aria-label="{}">'
        '{}<path class="spark__bars" d="{}"/><path class="spark__errors" d="{}"/><path class="spark__line" d="{}"/>'
        "{}</svg>",
        describe(points, span, name),
        mark_safe('<path class="chart__grid" d="M0 .5H600M0 90H600M0 179.5H600"/>'),
        columns,
        bars([point.errors for point in points], 600, 180, top),
        line,
        _readings(points, 600, 180),
    )
    slowest = max((point.p95 for point in points if point.p95 is not None), default=None)
    ticks = [Tick(0, figure(top)), Tick(50, figure(top / 2) if top > 1 else ""), Tick(100, "0")]
    return Chart(describe(points, span, name), drawing, ticks, STARTS[span.key], seconds(slowest) if slowest else "")


def bars(counts: Sequence[int], width: int, height: int, top: int) -> str:
    step = width / max(len(counts), 1)
    wide = round(step * 0.76)
    tall = [max(round(count / (top or 1) * height), height // 40) if count else 0 for count in counts]
    return "".join(
        f"M{round(place * step + step * 0.12)} {height}v-{one}h{wide}v{one}z" for place, one in enumerate(tall) if one
    )


def _readings(points: Sequence[Point], width: int, height: int) -> SafeString:
    """Over each step a place that reads its figures to a pointer; the table behind reads them to everybody."""
    step = width / max(len(points), 1)
    return format_html_join(
        "",
        '<rect class="chart__reading" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>',
        ((round(place * step, 1), round(step, 1), height, read(point)) for place, point in enumerate(points)),
    )


def read(point: Point) -> str:
    told = [
        f"{figure(point.calls)} call{'' if point.calls == 1 else 's'}",
        f"{figure(point.errors)} error{'' if point.errors == 1 else 's'}" if point.errors else "",
        f"p50 {milliseconds(point.p50 * 1000)}" if point.p50 is not None else "",
        f"p95 {milliseconds(point.p95 * 1000)}" if point.p95 is not None else "",
        f"first output {milliseconds(point.first_output_p50 * 1000)}" if point.first_output_p50 is not None else "",
    ]
    return f"From {point.start:%b} {point.start.day}, {point.start:%H:%M} UTC: {', '.join(filter(None, told))}"


def round_up(value: int) -> int:
    """To an even figure that is easily read."""
    for step in (2, 4, 10, 20, 40, 60, 80, 100):
        if value <= step:
            return step
    step = 2 * int(10 ** (len(str(value)) - 2))
    return -(-value // step) * step


def _shapes(points: Sequence[Point], width: int, height: int, *, top: int = 0) -> tuple[str, str]:
    """The paths of columns and line; the line breaks where there is nothing, and stays within the upper nine tenths."""
    step = width / max(len(points), 1)
    most = top or max((point.calls for point in points), default=0) or 1
    slowest = max((point.p95 or 0.0 for point in points), default=0.0) or 1.0
    wide = round(step * 0.76)
    columns, line = [], []
    is_drawing = False
    for place, point in enumerate(points):
        if point.calls:
            tall = max(round(point.calls / most * height), height // 40 or 1)
            columns.append(f"M{round(place * step + step * 0.12)} {height}v-{tall}h{wide}v{tall}z")
        if point.p95 is None:
            is_drawing = False
            continue
        at = f"{round((place + 0.5) * step)} {round(height * (1 - point.p95 / slowest * 0.9))}"
        line.append(f"L{at}" if is_drawing else f"M{at}h.01")
        is_drawing = True
    return "".join(columns), "".join(line)
