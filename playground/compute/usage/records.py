"""What is known of one call at its end, and what is kept of calls that are alike."""

from __future__ import annotations

from typing import NamedTuple

from playground.compute.usage.histograms import bucket_of

SUCCESS = "SUCCESS"
STOPPED = "STOPPED"  # the outcome of a call that its caller ended: no status code says that


class CallRecord(NamedTuple):
    """One call, at its end. Times in seconds; ``started_at`` by the wall clock, the others measured monotonically.

    ``deployment_pk`` and ``user_pk`` are 0 where the call was refused before they were known; ``outcome`` is the name
    of the status code it ended with, or ``STOPPED``; ``first_output_s`` counts from the start, None without an output;
    ``queue_s`` is the part of ``duration_s`` before a replica had the call.
    """

    deployment_pk: int
    version_slug: str
    method: str
    user_pk: int
    outcome: str
    started_at: float
    duration_s: float
    first_output_s: float | None = None
    queue_s: float = 0.0
    outputs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class Kind(NamedTuple):
    """What calls that are counted together have in common. ``start`` is that of a span of time, since the epoch."""

    start: int
    deployment_key: int
    version: str
    method: str
    user_key: int
    outcome: str


class Tally:
    """Counts of calls of one kind. The histograms are counts of buckets; all of it merges by adding."""

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

    def note(self, record: CallRecord, ended_at: float) -> None:
        """One more call."""
        self.calls += 1
        self.outputs += record.outputs
        self.prompt_tokens += record.prompt_tokens
        self.completion_tokens += record.completion_tokens
        self.bytes_in += record.bytes_in
        self.bytes_out += record.bytes_out
        self.seconds += record.duration_s
        self.queue_seconds += record.queue_s
        if ended_at > self.last_at:
            self.last_at = ended_at
        _count(self.latencies, record.duration_s)
        _count(self.queue_times, record.queue_s)
        if record.first_output_s is not None:
            _count(self.first_outputs, record.first_output_s)

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
        add_counts(self.latencies, other.latencies)
        add_counts(self.queue_times, other.queue_times)
        add_counts(self.first_outputs, other.first_outputs)


def _count(counts: dict[int, int], seconds: float) -> None:
    bucket = bucket_of(seconds)
    counts[bucket] = counts.get(bucket, 0) + 1


def add_counts(counts: dict[int, int], others: dict[int, int]) -> None:
    for bucket, count in others.items():
        counts[bucket] = counts.get(bucket, 0) + count
