"""What calls were like: rows of usage added up into the figures that people read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playground.compute.usage.histograms import quantile, quantiles, unpack
from playground.compute.usage.records import STOPPED, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Sequence

WAITING = "MODEL_DEPLOYING"  # no failure: the caller was told to ask again
NO_ERRORS = frozenset({SUCCESS, STOPPED, WAITING})
COLUMNS = (
    "outcome",
    "calls",
    "outputs",
    "completion_tokens",
    "seconds",
    "queue_seconds",
    "latencies",
    "first_outputs",
    "queue_times",
    "last_at",
)


@dataclass(frozen=True)
class Figures:
    """Calls added up. Times in seconds and speeds are of calls that succeeded; None where there was none.

    ``calls`` leaves out those that were only told to wait for a cold deployment: ``told_to_wait`` counts them.
    """

    calls: int = 0
    errors: int = 0
    told_to_wait: int = 0
    p50: float | None = None
    p95: float | None = None
    first_output_p50: float | None = None
    queue_p95: float | None = None
    outputs: int = 0
    tokens: int = 0
    outputs_per_second: float | None = None
    tokens_per_second: float | None = None
    last_used: datetime | None = None

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.calls if self.calls else None


def time_of(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Sums:
    """Adds up rows, given as values of ``COLUMNS``."""

    def __init__(self) -> None:
        self._counts = {"calls": 0, "errors": 0, "told_to_wait": 0, "outputs": 0, "tokens": 0}
        self._outputs = _Speed()
        self._tokens = _Speed()
        self._latencies: list[bytes] = []
        self._first_outputs: list[bytes] = []
        self._queue_times: list[bytes] = []
        self._last_at = 0.0

    def add(self, values: Sequence[Any]) -> None:
        outcome, calls, outputs, tokens, seconds, queue_seconds, latencies, first_outputs, queue_times, last_at = values
        self._last_at = max(self._last_at, last_at)
        if outcome == WAITING:
            self._counts["told_to_wait"] += calls
            return
        self._counts["calls"] += calls
        self._counts["errors"] += 0 if outcome in NO_ERRORS else calls
        self._counts["outputs"] += outputs
        self._counts["tokens"] += tokens
        if outcome == SUCCESS:
            self._outputs.add(outputs, seconds - queue_seconds)
            self._tokens.add(tokens, seconds - queue_seconds)
            self._latencies.append(latencies)
            self._first_outputs.append(first_outputs)
            self._queue_times.append(queue_times)

    def figures(self) -> Figures:
        p50, p95 = quantiles(unpack(self._latencies), 0.5, 0.95)
        return Figures(
            **self._counts,
            p50=p50,
            p95=p95,
            first_output_p50=quantile(unpack(self._first_outputs), 0.5),
            queue_p95=quantile(unpack(self._queue_times), 0.95),
            outputs_per_second=self._outputs.per_second,
            tokens_per_second=self._tokens.per_second,
            last_used=time_of(self._last_at),
        )


class _Speed:
    """How many came in the time of the calls that gave any."""

    def __init__(self) -> None:
        self._number = 0
        self._seconds = 0.0

    def add(self, number: int, seconds: float) -> None:
        if number:
            self._number += number
            self._seconds += seconds

    @property
    def per_second(self) -> float | None:
        return self._number / self._seconds if self._seconds > 0 else None
