"""What the runs of a comparison measured, and what they gave as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from playground.catalog.models import User
from playground.compute.models import Nodepool
from playground.compute.prices import price_of
from playground.play.differences.statistics import Difference, Spread, difference, spread_of
from playground.play.queries.answers import LONGEST
from playground.play.queries.targets import Pane
from playground.runs import events, services
from playground.runs.comparisons import Series
from playground.runs.models import Run
from playground.templatetags.ui import figure


@dataclass(frozen=True)
class Cell:
    """One figure of a pane: its value, how far it lies from the reference's in per cent, and whether it is the best."""

    key: str
    label: str
    value: float | None
    unit: str
    percent: float | None = None
    is_better: bool = False
    is_best: bool = False
    is_clear: bool = False

    @property
    def money(self) -> str:
        """A cost in dollars, to two figures however small."""
        return f"${Decimal(f'{self.value or 0.0:.2g}'):f}"

    @property
    def amount(self) -> str:
        """A speed, to one place where it is small."""
        value = self.value or 0.0
        return figure(round(value)) if value >= 100 else f"{value:.1f}"

    @property
    def far(self) -> str:
        """How far it lies from the reference's, with its sign; "" where there is nothing to say."""
        if self.percent is None:
            return ""
        number = round(self.percent)
        sign = {1: "+", 0: "±", -1: "−"}[(number > 0) - (number < 0)]  # noqa: RUF001 - a true minus sign
        return f"{sign}{abs(number):,}\u00a0%"


@dataclass(frozen=True)
class Column:
    """The figures of a pane; ``totals`` are of its runs that finished."""

    pane: str
    cells: tuple[Cell, ...]
    totals: tuple[float, ...]
    spread: Spread | None
    ended: int
    failed: int
    planned: int


@dataclass(frozen=True)
class Verdict:
    """What may be said of a pane's time against the reference's."""

    pane: str
    difference: Difference | None
    ended: int
    planned: int


_METRICS = (
    ("first", "First output", "ms"),
    ("total", "Total", "ms"),
    ("speed", "Speed", ""),
    ("waited", "Queue", "ms"),
    ("cost", "Cost", "$"),
)
_HOUR_MS = 3_600_000
Prices: TypeAlias = Mapping[tuple[str, str], float]  # by cluster and nodepool


def speed_of(run: Run) -> tuple[float | None, str]:
    """Tokens, else outputs, else characters per second: since the first output where several came."""
    count, unit = run.completion_tokens, "tokens/s"
    if not count:
        count, unit = (run.output_count, "outputs/s") if run.output_count > 1 else (run.characters, "chars/s")
    since = (run.first_output_ms or 0.0) if run.output_count > 1 else 0.0
    passed = (run.total_ms or 0.0) - since
    return (count * 1000 / passed if count and passed > 20 else None), unit


def waited_of(run: Run) -> float:
    """How many milliseconds it waited: for its deployment to become ready, and for a free replica."""
    waited = 0.0
    for event in run.events():
        if event["kind"] == events.DEPLOYING:
            waited = float(event["t"])
        elif event["kind"] == events.ROUTED:
            waited = max(waited, float(event.get("queued_ms") or 0.0))
        elif event["kind"] == events.OUTPUT:
            break
    return waited


def prices_for(user: User, series: Sequence[Series]) -> Prices:
    """What an hour costs where the runs ran, by cluster and nodepool; names that mean several prices mean none."""
    places = {_place_of(run) for one in series for run in one.runs} - {("", "")}
    rows = Nodepool.objects.visible_to(user).filter(slug__in={slug for _, slug in places}).select_related("cluster")
    found: dict[tuple[str, str], float | None] = {}
    for row in rows if places else ():
        place, price = (row.cluster.slug, row.slug), price_of(row)
        found[place] = price if found.get(place, price) == price else None
    return {place: price for place, price in found.items() if price is not None}


def _place_of(run: Run) -> tuple[str, str]:
    return str(run.served_by.get("compute_cluster_id") or ""), str(run.served_by.get("nodepool_id") or "")


def columns_of(series: Sequence[Series], reference: str, prices: Prices) -> list[Column]:
    """Figures of each pane; costs only where one is known."""
    found = [_measure(one, prices) for one in series]
    metrics = [metric for metric in _METRICS if metric[0] != "cost" or any(values["cost"] for _, values in found)]
    base = next((values for pane, values in found if pane == reference), {})
    columns = []
    for one, (pane, values) in zip(series, found, strict=True):
        cells = tuple(_cell(metric, pane, values, base, reference, found) for metric in metrics)
        totals = tuple(values.get("total", ()))
        failed = sum(run.state != Run.State.FINISHED for run in one.ended)
        columns.append(Column(pane, cells, totals, spread_of(totals), len(one.ended), failed, one.planned))
    return columns


def _measure(one: Series, prices: Prices) -> tuple[str, dict[str, Any]]:
    good = [run for run in one.runs if run.state == Run.State.FINISHED]
    speeds = [speed_of(run) for run in good]
    return one.pane, {
        "first": [run.first_output_ms for run in good if run.first_output_ms is not None],
        "total": [run.total_ms for run in good if run.total_ms is not None],
        "speed": [value for value, _ in speeds if value is not None],
        "unit": next((unit for value, unit in speeds if value is not None), ""),
        "waited": [waited_of(run) for run in good],
        "cost": [
            price * run.total_ms / _HOUR_MS
            for run in good
            if run.total_ms is not None and (price := prices.get(_place_of(run))) is not None
        ],
    }


def _cell(
    metric: tuple[str, str, str],
    pane: str,
    values: Mapping[str, Any],
    base: Mapping[str, Any],
    reference: str,
    everything: Sequence[tuple[str, Mapping[str, Any]]],
) -> Cell:
    key, label, unit = metric
    unit = values.get("unit", "") if key == "speed" else unit
    spread = spread_of(values[key])
    if spread is None:
        return Cell(key, label, None, unit)
    comparable = [
        other
        for _, known in everything
        if (other := spread_of(known[key])) and (key != "speed" or known["unit"] == unit)
    ]
    medians = [other.median for other in comparable]
    best = max(medians) if key == "speed" else min(medians)
    is_best = key != "waited" and len(medians) > 1 and spread.median == best and medians.count(best) == 1
    if is_best and spread.count > 1:
        is_best = _stands_out(key, values[key], [known[key] for other, known in everything if other != pane])
    old = spread_of(base[key]) if base else None
    percent = None
    if pane != reference and old and old.median and (key != "speed" or base["unit"] == unit):
        percent = (spread.median / old.median - 1) * 100
    far = difference(base[key], values[key]) if percent is not None else None
    is_better = percent is not None and (percent > 0) == (key == "speed") and bool(percent)
    is_clear = bool(far and far.is_clear) and key != "waited"
    label = f"{label}, median" if key == "total" and spread.count > 1 else label
    return Cell(key, label, spread.median, unit, percent if key != "waited" else None, is_better, is_best, is_clear)


def _stands_out(key: str, values: Sequence[float], others: Sequence[Sequence[float]]) -> bool:
    """Whether the best of repeats is clearly better than the next."""
    known = [(spread.median, other) for other in others if (spread := spread_of(other))]
    ordered = sorted(known, key=lambda one: one[0], reverse=key == "speed")
    far = difference(ordered[0][1], values) if ordered else None
    return bool(far and far.is_clear)


def verdicts_of(columns: Sequence[Column], reference: str) -> list[Verdict]:
    base = next((column for column in columns if column.pane == reference), None)
    if base is None:
        return []
    return [
        Verdict(
            column.pane,
            difference(base.totals, column.totals),
            min(column.ended, base.ended),
            max(column.planned, base.planned),
        )
        for column in columns
        if column is not base
    ]


def describe_shown(pane: Pane, run: Run, *, is_own: bool) -> dict[str, Any]:
    """A run that has ended, as the page's modules take it: what came, cut where it is absurdly long."""
    outputs = services.outputs(run)
    if all(isinstance(value, str) for value in outputs):
        text = "".join(outputs)
        outputs = [text[:LONGEST]] if text else []
    error = run.error if is_own else services.without_traceback({"error": run.error})["error"]
    return {
        "id": str(run.pk),
        "state": run.state,
        "method": run.method,
        "arguments": run.arguments if is_own else {},
        "selector": run.selector,
        "outputs": outputs,
        "outputCount": run.output_count,
        "characters": run.characters,
        "served": run.served_by or None,
        "error": error or None,
        "firstMs": run.first_output_ms,
        "shape": pane.facts.get("shape"),
        "figures": {
            "total_ms": run.total_ms,
            "first_output_ms": run.first_output_ms,
            "outputs": run.output_count,
            "completion_tokens": run.completion_tokens,
            "characters": run.characters,
            "fate": _fate_of(run),
        },
    }


def _fate_of(run: Run) -> str | None:
    """What became of the computation of a run that was stopped, as far as its runner said."""
    last = run.last_event() if run.state == Run.State.STOPPED else None
    return last.get("fate") if last else None
