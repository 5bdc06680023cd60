"""Dot strips as SVG, in tokens' colours: a dot for each run, all of them on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from playground.play.differences.statistics import spread_of
from playground.templatetags.ui import figure, milliseconds

WIDTH, HEIGHT, EDGE = 400, 58, 16
MIDDLE, AXIS = 18, 38
_NEAR = 7  # dots nearer than this stand above one another


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, with a few round marks between."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(EDGE + (value - self.low) / span * (WIDTH - 2 * EDGE), 1)


def axis_of(series: Sequence[Sequence[float]]) -> Axis | None:
    """One axis for all series of milliseconds; it need not begin at zero. None where there is nothing."""
    values = [value for one in series for value in one if math.isfinite(value)]
    if not values:
        return None
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or max(high * 0.1, 1.0)
    low, high = max(low - room, 0.0), high + room
    step = round_step((high - low) / 4)
    first = math.ceil(low / step) * step
    count = int((high - first) / step + 1e-9) + 1
    return Axis(low, high, tuple(first + step * number for number in range(count))[:5])


def round_step(value: float) -> float:
    """The next of 1, 2 and 5 with noughts."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)


def strip(values: Sequence[float], axis: Axis, name: str, *, reference: float | None = None) -> SafeString:
    """The runs' times: the box is their middle half, the thick stroke their median, dashed the reference's."""
    spread = spread_of(values)
    if spread is None:
        return SafeString("")
    runs = f"{spread.count} run{'' if spread.count == 1 else 's'}"
    words = f"{name}: {runs}, median {milliseconds(spread.median)}"
    words += f", from {milliseconds(spread.least)} to {milliseconds(spread.most)}" if spread.count > 1 else ""
    shows_seconds = axis.high >= 2000
    ticks = format_html_join(
        "",
        '<path class="strip__grid" d="M{0} 2V38"/><text class="strip__tick" x="{0}" y="53">{1}</text>',
        ((axis.at(tick), _tick(tick, shows_seconds=shows_seconds)) for tick in axis.ticks),
    )
    box = format_html(
        '<rect class="strip__box" x="{}" y="9" width="{}" height="18" rx="3"/>',
        axis.at(spread.low),
        round(max(axis.at(spread.high) - axis.at(spread.low), 1), 1),
    )
    dots = format_html_join(
        "",
        '<circle class="strip__dot" cx="{}" cy="{}" r="4"><title>{}</title></circle>',
        ((*place, f"Run {run}: {milliseconds(value)}") for run, value, place in _dots(values, axis)),
    )
    dashed = (
        format_html('<path class="strip__reference" d="M{} 2V38"/>', axis.at(reference))
        if reference is not None
        else SafeString("")
    )
    return format_html(
        '<svg class="strip" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}'
        '<path class="strip__median" d="M{} 5V32"/></svg>',
        WIDTH,
        HEIGHT,
        words,
        ticks,
        box if spread.count > 2 else "",
        dashed,
        dots,
        axis.at(spread.median),
    )


def _dots(values: Sequence[float], axis: Axis) -> list[tuple[int, float, tuple[float, float]]]:
    """Each run's number, value and place: beside others where there is room, else above and below."""
    placed: list[tuple[int, float, tuple[float, float]]] = []
    for number, value in enumerate(values, start=1):
        if not math.isfinite(value):
            continue
        at = axis.at(value)
        near = sum(abs(at - other) < _NEAR for _, _, (other, _) in placed)
        placed.append((number, value, (at, MIDDLE + (0, 7, -7)[near % 3])))
    return placed


def _tick(value: float, *, shows_seconds: bool) -> str:
    if shows_seconds:
        return f"{value / 1000:g} s"
    return f"{figure(value) if value >= 1 or not value else f'{value:g}'} ms"
