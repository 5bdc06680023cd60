"""What is known of one call at its end."""

from __future__ import annotations

from typing import NamedTuple

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
