"""``manage.py usage``: what was called, how often it failed and how long it took, as a table or as CSV."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from playground.catalog.services import OWNER_ID
from playground.compute.models import Usage
from playground.compute.usage.queries import breakdown
from playground.management.base import PlaygroundCommand, find_user
from playground.templatetags.ui import age, figure, milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.compute.usage.figures import Figures
    from playground.compute.usage.models import UsageQuerySet

PARTS = ("deployment", "model", "version", "method", "user", "outcome")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
HEADS = ("calls", "errors", "p50", "p95", "first", "queue p95", "outputs/s", "tokens/s", "tokens", "last used")
CSV_HEADS = (
    "calls",
    "errors",
    "told_to_wait",
    "p50",
    "p95",
    "first_output_p50",
    "queue_p95",
    "outputs",
    "tokens",
    "outputs_per_second",
    "tokens_per_second",
    "last_used",
)
_PIPED_WIDTH = 200
_LONGEST = timedelta(weeks=2000)


class Command(PlaygroundCommand):
    help = "Show how deployments were used. Times are those of calls that succeeded."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--deployment", metavar="D", help="of one alone: its id, or OWNER/ID; also one that is gone"
        )
        parser.add_argument("--since", default="24h", metavar="TIME", help="how far back: 30m, 24h, 7d, 4w (24h)")
        parser.add_argument("--by", choices=PARTS, default="deployment", help="what a line is of (deployment)")
        parser.add_argument("--user", default=OWNER_ID, help="whose view it is (owner)")
        parser.add_argument("--csv", action="store_true", help="comma-separated, times in seconds, for other programs")

    def handle(self, *args: Any, since: str, by: Any, user: str, **options: Any) -> None:
        rows = Usage.objects.visible_to(find_user(user))
        if options["deployment"]:
            rows = named(rows, options["deployment"])
        now = timezone.now()
        found = breakdown(rows, by, now - read_time(since), now)
        ordered = dict(sorted(found.items(), key=lambda item: (-item[1].calls, item[0])))
        if options["csv"]:
            self.stdout.write(as_csv(by, ordered), ending="")
        elif ordered:
            self.stdout.write(as_table(by, ordered, width=self._width()), ending="")
        else:
            self.stdout.write(f"No calls in the last {since}.")

    def _width(self) -> int:
        return shutil.get_terminal_size().columns if self.stdout.isatty() else _PIPED_WIDTH


def named(rows: UsageQuerySet, name: str) -> UsageQuerySet:
    """Rows of the deployment of that id, or ``OWNER/ID``. Raises ``CommandError`` when there never was a call to it."""
    found = rows.filter(Q(deployment=name) if "/" in name else Q(deployment__endswith=f"/{name}"))
    if not found.exists():
        known = sorted(set(rows.exclude(deployment="").values_list("deployment", flat=True).distinct()[:20]))
        raise CommandError(
            f"No calls to a deployment {name} are known. There are calls to: {', '.join(known) or 'none'}."
        )
    return found


def read_time(text: str) -> timedelta:
    """``24h`` and the like. Raises ``CommandError``."""
    matched = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    time = timedelta(**{UNITS[matched[2]]: int(matched[1])}) if matched else timedelta()
    if not timedelta() < time <= _LONGEST:
        raise CommandError(f"--since {text}: give a number and m, h, d or w, like 24h.")
    return time


def as_table(part: str, found: Mapping[str, Figures], *, width: int) -> str:
    table = Table(part, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    for name, figures in found.items():
        table.add_row(escape(name or "(none)"), *cells(figures))
    buffer = StringIO()
    Console(file=buffer, width=width).print(table)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines() if line.strip())


def cells(figures: Figures) -> list[str]:
    times = (figures.p50, figures.p95, figures.first_output_p50, figures.queue_p95)
    speeds = (figures.outputs_per_second, figures.tokens_per_second)
    return [
        figure(figures.calls),
        share(figures.error_rate),
        *(milliseconds(None if time is None else time * 1000) for time in times),
        *(figure(None if speed is None else round(speed, 1)) for speed in speeds),
        figure(figures.tokens),
        age(figures.last_used) if figures.last_used else "",
    ]


def share(rate: float | None) -> str:
    """0 %, 0.4 %, 12 %."""
    return figure(None) if rate is None else f"{rate * 100:.{1 if 0 < rate < 0.1 else 0}f} %"


def as_csv(part: str, found: Mapping[str, Figures]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([part, *CSV_HEADS])
    for name, figures in found.items():
        writer.writerow([name, *(plain(getattr(figures, head)) for head in CSV_HEADS)])
    return buffer.getvalue()


def plain(value: Any) -> Any:
    """As other programs read it; nothing where there is no value."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else value
