"""What stands in each cell of the table of deployments: for pages, and for files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

from playground.catalog.models import PUBLIC
from playground.play.charts import sparkline
from playground.play.queries.columns import Column, Span
from playground.play.queries.usage import UsageRow, name_types
from playground.templatetags.ui import NO_BREAK, ago, capital, figure, icon, state

MISSING = "–"  # noqa: RUF001 - the dash for "missing"
_BAD_SHARE = 0.01


@dataclass(frozen=True)
class Cell:
    """``classes`` are of the cell; ``title`` says more to who rests on it."""

    key: str
    html: SafeString | str
    classes: str = ""
    title: str = ""
    label: str = ""


@dataclass(frozen=True)
class Look:
    """What cells depend on beside their row."""

    span: Span
    of_tokens: bool


def draw_row(row: UsageRow, columns: Sequence[Column], look: Look, *, playground: str) -> SafeString:
    """A row, the first cell of which stays in sight. In one go: a template takes ten times as long.

    ``playground`` is the address where the deployment can be tried.
    """
    one = row.row
    drawn = (_DRAWN[column.key](row, column, look) for column in columns)
    cells = "".join(_td(cell, "" if place else " usage__first") for place, cell in enumerate(drawn))
    facts = {
        "key": one.pk,
        "slug": one.slug,
        "label": one.label,
        "replicas": f"{one.min_replicas}–{one.max_replicas}",  # noqa: RUF001 - the dash between two numbers
        "base": reverse("play:compute_deployment", args=[one.owner.username, one.slug]),
        "play": playground,
    }
    marks = {"may-change": row.may_change, "shared": one.is_shared, "enabled": one.is_enabled}
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in facts.items())
    data += "".join(f" data-{name}" for name, holds in marks.items() if holds)
    label = escape(one.label)
    return mark_safe(
        f'<tr id="row-{one.pk}" role="row" aria-selected="false"{data}>'
        f'<td class="usage__choose" role="gridcell"><input class="check" id="choose-{one.pk}" type="checkbox"'
        f' data-choose aria-label="Choose {label}"></td>{cells}'
        '<td class="usage__acts" role="gridcell"><button class="button button--icon button--quiet button--small"'
        f' id="menu-{one.pk}" type="button" data-menu aria-haspopup="menu" aria-label="Acts on {label}">'
        f"{icon('more')}</button></td></tr>"
    )


def _td(cell: Cell, more: str) -> str:
    title = f' title="{escape(cell.title)}"' if cell.title else ""
    label = f' data-label="{escape(cell.label)}"' if cell.label else ""
    classes = f"usage__col usage__col--{cell.key} {cell.classes}{more}"
    return f'<td role="gridcell" class="{classes}"{title}{label}>{conditional_escape(cell.html)}</td>'


def label_of(column: Column, look: Look) -> str:
    return "Tokens/s" if column.key == "speed" and look.of_tokens else column.label


def values(row: UsageRow, columns: Sequence[Column], look: Look) -> list[Any]:
    """The same as plain values, for a file: numbers unrounded, times in ISO format, nothing for what is missing."""
    return [_plain(_VALUES[column.key](row, look)) for column in columns]


def autoscale_words(row: UsageRow) -> str:
    """How many replicas there are, and when there are more or fewer."""
    one = row.row
    ready = f"{one.ready_replicas} of {row.desired} ready."
    if not one.is_enabled:
        return f"{ready} It is switched off: calls are refused."
    if one.min_replicas == one.max_replicas:
        return f"{ready} Always {one.max_replicas}, whatever the calls."
    words = [
        ready,
        f"Between {one.min_replicas} and {one.max_replicas}, by the calls of the last "
        f"{_delay(one.traffic_history_seconds)}.",
        f"One more after {_delay(one.scale_up_delay_seconds)} of too many calls, one fewer after "
        f"{_delay(one.scale_down_delay_seconds)} of too few.",
    ]
    if not one.min_replicas:
        idle = _delay(one.scale_to_zero_delay_seconds)
        words.append(f"None after {idle} without a call: the next call then waits for a start.")
    return " ".join(words)


def _delay(whole: int) -> str:
    """A setting in seconds, as a person says it: 5 s, 15 min, 1 min 30 s, 2 h."""
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{count}{NO_BREAK}{unit}" for count, unit in parts if count) or f"0{NO_BREAK}s"


def _deployment(row: UsageRow, column: Column, look: Look) -> Cell:
    one = row.row
    whose = "" if row.is_own or one.is_shared else f"{one.owner.username} / "
    tags = [("", "default")] if one.is_shared else [("tag--accent", "Public")] if one.visibility == PUBLIC else []
    if not one.is_enabled:
        tags.append(("tag--wait", "off"))
    drawn = "".join(f'<span class="tag {classes}">{words}</span>' for classes, words in tags)
    html = format_html(
        '<span class="usage__id" data-copy="{}"><span class="muted">{}</span>{}</span>{}',
        *(one.slug, whose, one.label, mark_safe(drawn)),
    )
    return Cell(column.key, html, title=f"{one.slug}: click to copy this id")


def _version(row: UsageRow, column: Column, look: Look) -> Cell:
    kept = "pinned" if row.row.version_id else "follows the latest"
    title = f"{row.version}, {kept}" if row.version else ""
    return Cell(column.key, format_html('<span class="mono">{}</span>', row.version[:7] or MISSING), title=title)


def _nodepool(row: UsageRow, column: Column, look: Look) -> Cell:
    here, others = row.row.nodepool.slug, len(row.nodepools) - 1
    more = format_html(' <span class="faint">+{}</span>', others) if others > 0 else ""
    title = f"In order of preference: {', '.join(row.nodepools)}" if others > 0 else ""
    return Cell(column.key, format_html("{}{}", here, more), title=title)


def _state(row: UsageRow, column: Column, look: Look) -> Cell:
    return Cell(column.key, state(row.row.state), title=capital(row.row.reason))


def _replicas(row: UsageRow, column: Column, look: Look) -> Cell:
    one, words = row.row, autoscale_words(row)
    bounds = f"({one.min_replicas}–{one.max_replicas})"  # noqa: RUF001 - the dash between bounds
    html = format_html(
        '<button class="usage__replicas" type="button" data-words="{}" aria-label="{}">{}/{} <span>{}</span></button>',
        *(words, f"Replicas: {words}", one.ready_replicas, row.desired, bounds),
    )
    return Cell(column.key, html, "table__number", label="Replicas")


def _text(read: Callable[[UsageRow], str]) -> Callable[[UsageRow, Column, Look], Cell]:
    def drawn(row: UsageRow, column: Column, look: Look) -> Cell:
        return Cell(column.key, escape(read(row)) or MISSING)

    return drawn


def _number(
    read: Callable[[UsageRow, Look], float | None], written: Callable[[float | None], str] = figure
) -> Callable[[UsageRow, Column, Look], Cell]:
    def drawn(row: UsageRow, column: Column, look: Look) -> Cell:
        return Cell(column.key, written(read(row, look)), "table__number", label=label_of(column, look))

    return drawn


def _errors(row: UsageRow, column: Column, look: Look) -> Cell:
    share = row.figures.error_rate
    is_bad = share is not None and share >= _BAD_SHARE
    title = f"{figure(row.figures.errors)} of {figure(row.figures.calls)} calls failed" if share is not None else ""
    text = MISSING if share is None else f"{share:.1%}".replace("%", f"{NO_BREAK}%")
    return Cell(column.key, text, f"table__number{' usage__bad' if is_bad else ''}", title, column.label)


def _time(read: Callable[[UsageRow], datetime | None]) -> Callable[[UsageRow, Column, Look], Cell]:
    def drawn(row: UsageRow, column: Column, look: Look) -> Cell:
        at = read(row)
        return Cell(column.key, ago(at, short=True) if at else MISSING, "table__number")

    return drawn


def _trend(row: UsageRow, column: Column, look: Look) -> Cell:
    drawing = sparkline(row.points, look.span, row.row.label)
    html = format_html('<button class="usage__trend" type="button" data-act="usage">{}</button>', drawing)
    return Cell(column.key, html)


def short_seconds(value: float | None) -> str:
    """A duration in seconds without its unit, in about three figures: the head has the unit."""
    if value is None:
        return MISSING
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def _in_ms(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value * 1000:,.0f}" if value >= 0.001 else f"{value * 1000:.2f}"


def _rate(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _speed_of(row: UsageRow, look: Look) -> float | None:
    return row.figures.tokens_per_second if look.of_tokens else row.figures.outputs_per_second


def _plain(value: Any) -> Any:
    """Times as text; and nothing that a spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


def _cluster_of(row: UsageRow) -> str:
    return row.row.nodepool.cluster.slug


def _instance_of(row: UsageRow) -> str:
    return name_types(row.row.nodepool.instance_types)


def _visibility_of(row: UsageRow) -> str:
    return "public" if row.row.visibility == PUBLIC else "private"


_DRAWN: dict[str, Callable[[UsageRow, Column, Look], Cell]] = {
    "deployment": _deployment,
    "owner": _text(lambda row: row.row.owner.username),
    "version": _version,
    "cluster": _text(_cluster_of),
    "nodepool": _nodepool,
    "cloud": _text(lambda row: row.row.nodepool.cluster.cloud_provider),
    "region": _text(lambda row: row.row.nodepool.cluster.region),
    "instance": _text(_instance_of),
    "state": _state,
    "replicas": _replicas,
    "since": _time(lambda row: row.row.state_since),
    "calls": _number(lambda row, look: row.figures.calls),
    "errors": _errors,
    "p50": _number(lambda row, look: row.figures.p50, short_seconds),
    "p95": _number(lambda row, look: row.figures.p95, short_seconds),
    "first": _number(lambda row, look: row.figures.first_output_p50, _in_ms),
    "speed": _number(_speed_of, _rate),
    "queue": _number(lambda row, look: row.figures.queue_p95, short_seconds),
    "outputs": _number(lambda row, look: row.figures.outputs),
    "tokens": _number(lambda row, look: row.figures.tokens),
    "waited": _number(lambda row, look: row.figures.told_to_wait),
    "trend": _trend,
    "visibility": _text(_visibility_of),
    "created": _time(lambda row: row.row.created_at),
    "used": _time(lambda row: row.figures.last_used),
}
_VALUES: dict[str, Callable[[UsageRow, Look], Any]] = {
    "deployment": lambda row, look: row.row.slug,
    "owner": lambda row, look: row.row.owner.username,
    "version": lambda row, look: row.version,
    "cluster": lambda row, look: _cluster_of(row),
    "nodepool": lambda row, look: " ".join(row.nodepools),
    "cloud": lambda row, look: row.row.nodepool.cluster.cloud_provider,
    "region": lambda row, look: row.row.nodepool.cluster.region,
    "instance": lambda row, look: _instance_of(row),
    "state": lambda row, look: row.row.state,
    "replicas": lambda row, look: row.row.ready_replicas,
    "since": lambda row, look: row.row.state_since,
    "calls": lambda row, look: row.figures.calls,
    "errors": lambda row, look: row.figures.error_rate,
    "p50": lambda row, look: row.figures.p50,
    "p95": lambda row, look: row.figures.p95,
    "first": lambda row, look: _milliseconds(row.figures.first_output_p50),
    "speed": _speed_of,
    "queue": lambda row, look: row.figures.queue_p95,
    "outputs": lambda row, look: row.figures.outputs,
    "tokens": lambda row, look: row.figures.tokens,
    "waited": lambda row, look: row.figures.told_to_wait,
    "trend": lambda row, look: " ".join(str(point.calls) for point in row.points),
    "visibility": lambda row, look: _visibility_of(row),
    "created": lambda row, look: row.row.created_at,
    "used": lambda row, look: row.figures.last_used,
}


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else value * 1000
