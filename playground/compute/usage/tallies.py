"""Calls that are alike, counted together by the minute they ended in. Belongs to the thread that writes them."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from playground.compute.usage.histograms import bucket_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.compute.usage.records import CallRecord

MAX_KINDS = 5000
MAX_METHODS = 64
OTHER_METHODS = "…"
UNKNOWN_OUTCOMES = "UNKNOWN_STATUS"
_MOST_TOKENS = 2**32 - 1  # more does not fit into the wire's field: whoever says so is not to be believed
_METHOD = re.compile(r"[\w.-]{0,64}")


class Kind(NamedTuple):
    """What calls that are counted together have in common. ``start`` is that of a span of time, since the epoch."""

    start: int
    deployment_key: int
    version: str
    method: str
    user_key: int
    outcome: str


class Tally:
    """Counts of calls of one kind. Histograms are counts by bucket; all of it merges by adding."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "calls",
        "completion_tokens",
        "first_outputs",
        "last_at",
        "latencies",
        "outputs",
        "prompt_tokens",
        "queue_seconds",
        "queue_times",
        "seconds",
    )

    def __init__(self) -> None:
        self.calls = 0
        self.outputs = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.seconds = 0.0
        self.queue_seconds = 0.0
        self.last_at = 0.0
        self.latencies: dict[int, int] = {}
        self.first_outputs: dict[int, int] = {}
        self.queue_times: dict[int, int] = {}

    def note(self, record: CallRecord) -> None:
        """One more call."""
        _, _, _, _, _, started_at, duration, first_output, queued, outputs, asked, answered, came, went = record
        self.calls += 1
        self.outputs += outputs
        self.prompt_tokens += min(asked, _MOST_TOKENS)
        self.completion_tokens += min(answered, _MOST_TOKENS)
        self.bytes_in += came
        self.bytes_out += went
        self.seconds += duration
        self.queue_seconds += queued
        self.last_at = max(self.last_at, started_at + duration)
        count(self.latencies, bucket_of(duration))
        count(self.queue_times, bucket_of(queued))
        if first_output is not None:
            count(self.first_outputs, bucket_of(first_output))

    def add(self, other: Tally) -> None:
        """All calls of ``other``, too."""
        self.calls += other.calls
        self.outputs += other.outputs
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.seconds += other.seconds
        self.queue_seconds += other.queue_seconds
        self.last_at = max(self.last_at, other.last_at)
        for name in ("latencies", "queue_times", "first_outputs"):
            counts = getattr(self, name)
            for bucket, number in getattr(other, name).items():
                count(counts, bucket, number)


def count(counts: dict[int, int], bucket: int, number: int = 1) -> None:
    counts[bucket] = counts.get(bucket, 0) + number


class Tallies:
    """Tallies by kind, of at most so many kinds; calls of further ones are only counted as ``dropped``."""

    def __init__(self, max_kinds: int = MAX_KINDS) -> None:
        self.dropped = 0
        self._max_kinds = max_kinds
        self._tallies: dict[Kind, Tally] = {}
        self._methods: dict[tuple[int, int], set[str]] = {}

    def __len__(self) -> int:
        return len(self._tallies)

    def note(self, record: CallRecord) -> None:
        deployment, version, method, user, outcome, started_at, duration, *_ = record
        kind = Kind(int((started_at + duration) // 60) * 60, deployment, version, method, user, outcome)
        tally = self._tallies.get(kind) or self._begin(kind)
        if tally is not None:
            tally.note(record)
        else:
            self.dropped += 1

    def first(self, number: int) -> dict[Kind, Tally]:
        """Those that have waited longest."""
        return dict(islice(self._tallies.items(), number))

    def forget(self, kinds: Iterable[Kind]) -> None:
        for kind in kinds:
            del self._tallies[kind]

    def drop(self, kinds: Iterable[Kind]) -> None:
        """Forget them, counting their calls as dropped."""
        for kind in kinds:
            self.dropped += self._tallies.pop(kind).calls

    def _begin(self, kind: Kind) -> Tally | None:
        kind = kind._replace(method=self._method(kind), outcome=_outcome(kind.outcome))
        if kind not in self._tallies:
            if len(self._tallies) >= self._max_kinds:
                return None
            self._tallies[kind] = Tally()
        return self._tallies[kind]

    def _method(self, kind: Kind) -> str:
        """The method's name; one for all where it is no name, or its caller has used very many: rows stay few."""
        if len(self._methods) >= self._max_kinds:
            self._methods.clear()
        known = self._methods.setdefault((kind.deployment_key, kind.user_key), set())
        if kind.method not in known:
            if len(known) >= MAX_METHODS or not _METHOD.fullmatch(kind.method):
                return OTHER_METHODS
            known.add(kind.method)
        return kind.method


def _outcome(outcome: str) -> str:
    """A code without a name may be any number that somebody's runner makes up."""
    return UNKNOWN_OUTCOMES if outcome.isdigit() else outcome
