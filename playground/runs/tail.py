"""The events of a running run, in memory: written by its task, read by sockets from their cursors and by the writer.

A reader pulls what lies behind its cursor, so a slow one costs nothing; nobody waits for anybody.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from playground.runs.events import LAST_KINDS, OUTPUT, Fields, encode

PASSING_EVENTS = 128

if TYPE_CHECKING:
    from uuid import UUID


class Follower(Protocol):
    """Somebody who wants to hear that there is news."""

    def wake(self) -> None: ...


class Tail:
    """Events as JSON, number ``n`` at index ``n - 1``. Appended to on the loop alone; slices are safe in any thread.

    ``passed`` holds the newest of those that are shown and not kept, which have no number; ``passed_count`` of them
    came in all.
    """

    __slots__ = ("began", "events", "followers", "is_ended", "passed", "passed_count", "run_id", "size", "unpaced")

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.began = time.monotonic()
        self.events: list[bytes] = []
        self.size = 0
        self.unpaced = 0  # how many events came before the first output
        self.is_ended = False
        self.passed: deque[bytes] = deque(maxlen=PASSING_EVENTS)
        self.passed_count = 0
        self.followers: set[Follower] = set()

    def append(self, kind: str, fields: Fields) -> None:
        """Number an event, keep it, and wake who follows."""
        event = encode(len(self.events) + 1, self.elapsed_ms(), kind, fields)
        self.events.append(event)
        self.size += len(event)
        if kind != OUTPUT and self.unpaced == len(self.events) - 1:
            self.unpaced += 1
        self.is_ended = kind in LAST_KINDS
        self._wake()

    def pass_on(self, kind: str, fields: Fields) -> None:
        """Show an event to those who follow now; it is not kept."""
        self.passed.append(encode(0, self.elapsed_ms(), kind, fields))
        self.passed_count += 1
        self._wake()

    def _wake(self) -> None:
        for follower in self.followers:
            follower.wake()

    def elapsed_ms(self) -> float:
        return (time.monotonic() - self.began) * 1000
