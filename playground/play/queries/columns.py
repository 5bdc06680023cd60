"""The columns of a model's table of deployments, the times it can cover, and what an address asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from playground.compute.models import Deployment
from playground.compute.usage.ranking import Ranked


@dataclass(frozen=True)
class Span:
    """A time up to now; ``points`` is how many columns its charts have."""

    key: str
    label: str
    words: str
    length: timedelta
    points: int


SPANS = {
    span.key: span
    for span in (
        Span("1h", "1 h", "Last hour", timedelta(hours=1), 30),
        Span("24h", "24 h", "Last 24 hours", timedelta(days=1), 24),
        Span("7d", "7 d", "Last 7 days", timedelta(days=7), 28),
        Span("30d", "30 d", "Last 30 days", timedelta(days=30), 30),
    )
}
USUAL_SPAN = SPANS["24h"]


@dataclass(frozen=True)
class Column:
    """A column: text is sorted from A first, figures from the largest. ``ranked`` is the figure of usage it shows."""

    key: str
    label: str
    group: str = ""
    ranked: Ranked | None = None
    is_text: bool = False
    is_usual: bool = True
    words: str = ""

    @property
    def name(self) -> str:
        """What it is called where it stands alone: in menus, in announcements and in files."""
        return self.words or self.label

    @property
    def first_sort(self) -> str:
        return self.key if self.is_text else f"-{self.key}"


WHERE, NOW, USED = "Where", "Now", "span"
COLUMNS = {
    column.key: column
    for column in (
        Column("deployment", "Deployment", is_text=True),
        Column("owner", "Owner", is_text=True, is_usual=False),
        Column("version", "Version", is_text=True),
        Column("cluster", "Cluster", WHERE, is_text=True),
        Column("nodepool", "Nodepool", WHERE, is_text=True),
        Column("cloud", "Cloud", WHERE, is_text=True, is_usual=False),
        Column("region", "Region", WHERE, is_text=True),
        Column("instance", "Instance type", WHERE, is_text=True, is_usual=False),
        Column("state", "State", NOW, is_text=True),
        Column("replicas", "Replicas", NOW, words="Replicas ready"),
        Column("since", "Since", NOW, is_usual=False, words="In this state since"),
        Column("calls", "Calls", USED, "calls"),
        Column("errors", "Errors", USED, "error_rate", words="Error rate"),
        Column("p50", "p50 s", USED, "p50", words="p50 in seconds"),
        Column("p95", "p95 s", USED, "p95", words="p95 in seconds"),
        Column("first", "First ms", USED, "first_output_p50", words="Time to first output in ms"),
        Column("speed", "Outputs/s", USED, "outputs_per_second", words="Outputs or tokens a second"),
        Column("queue", "Queue p95 s", USED, "queue_p95", is_usual=False, words="p95 of waiting, in seconds"),
        Column("outputs", "Outputs", USED, "outputs", is_usual=False),
        Column("tokens", "Tokens", USED, "tokens", is_usual=False),
        Column("waited", "Told to wait", USED, "told_to_wait", is_usual=False, words="Calls told to wait"),
        Column("trend", "Trend", USED, "growth", words="Trend, by growth of calls"),
        Column("visibility", "Visibility", is_text=True, is_usual=False),
        Column("created", "Created", is_usual=False),
        Column("used", "Last used", ranked="last_used"),
    )
}
ALWAYS = "deployment"
USUAL_SORT = "-used"


@dataclass(frozen=True)
class Asked:
    """What an address asks of the table; whatever it names wrongly reads as the usual."""

    span: Span
    text: str
    state: str
    sort: Column
    is_descending: bool
    columns: tuple[Column, ...]

    @property
    def sort_key(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.sort.key}"

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.state)

    @property
    def column_keys(self) -> str:
        return ",".join(column.key for column in self.columns)

    @property
    def has_usual_columns(self) -> bool:
        return all(column.is_usual == (column in self.columns) for column in COLUMNS.values())

    def next_sort(self, column: Column) -> str:
        """What a press of the column's head asks for: its first order, or the other way round."""
        if column != self.sort:
            return column.first_sort
        return column.key if self.is_descending else f"-{column.key}"


def read_asked(query: Mapping[str, str]) -> Asked:
    state, sort = query.get("state", ""), query.get("sort", USUAL_SORT)
    if sort.removeprefix("-") not in COLUMNS:
        sort = USUAL_SORT
    chosen = [key for key in query.get("columns", "").split(",") if key in COLUMNS]
    shown = [column for column in COLUMNS.values() if (column.key in chosen if chosen else column.is_usual)]
    always = COLUMNS[ALWAYS]
    return Asked(
        SPANS.get(query.get("span", ""), USUAL_SPAN),
        query.get("q", "").replace("\0", "").strip()[:200],
        state if state in Deployment.State.values else "",
        COLUMNS[sort.removeprefix("-")],
        sort.startswith("-"),
        tuple(shown if always in shown else [always, *shown]),
    )
