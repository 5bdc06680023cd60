"""Takes note of calls in a microsecond or so, and lets a thread of its own count them, and write the counts.

It writes each second, and less often where there is so much to write that the loop would feel it: that much a crash can
lose. Nothing here waits for the database: while it is locked, full or gone, calls gather in memory, first as records,
then as counts, both up to a bound; beyond it calls are dropped, and how many is told. The thread also deletes old rows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from playground.compute.usage import housekeeping
from playground.compute.usage.records import STOPPED, SUCCESS, CallRecord
from playground.compute.usage.storage import Names, write
from playground.compute.usage.tallies import MAX_KINDS, Tallies

if TYPE_CHECKING:
    from playground.compute.usage.tallies import Kind, Tally

__all__ = ["STOPPED", "SUCCESS", "CallRecord", "Counter"]

INTERVAL_SECONDS = 1.0
WRITING_SHARE = 0.01  # of the time at most: the loop shares the interpreter with this thread
LONGEST_PAUSE_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 30.0  # while the database cannot be written
TIDY_AFTER_SECONDS = 60.0  # not while everything starts
MAX_RECORDS = 50_000
_COUNTED_AT_ONCE = 32
_PAUSE_SECONDS = 0.001  # between two handfuls: the loop must not feel that somebody counts
_WRITTEN_AT_ONCE = 100
log = logging.getLogger(__name__)


class Counter:
    """``start``, then ``note`` each call at its end, from one thread, then ``close``."""

    def __init__(
        self,
        *,
        interval: float = INTERVAL_SECONDS,
        max_records: int = MAX_RECORDS,
        max_kinds: int = MAX_KINDS,
        tidy_after: float = TIDY_AFTER_SECONDS,
    ) -> None:
        self._interval = interval
        self._tidy_at = time.monotonic() + tidy_after
        self._max_records = max_records
        self._records: deque[CallRecord] = deque()
        self._missed = 0
        self._told = 0
        self._tallies = Tallies(max_kinds)
        self._names = Names()
        self._is_failing = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="usage-writer", daemon=True)

    @property
    def dropped(self) -> int:
        """Calls that were not counted, for want of memory or because their counts cannot be stored."""
        return self._missed + self._tallies.dropped

    def start(self) -> None:
        self._thread.start()

    def note(self, record: CallRecord) -> None:
        """A call has ended."""
        if len(self._records) < self._max_records:
            self._records.append(record)
        else:
            self._missed += 1

    def close(self, timeout: float = 2.0) -> None:
        """Write what is left and end the thread; give up after ``timeout`` seconds."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        left = len(self._records) + len(self._tallies)
        if left:
            log.warning("usage: %d counts could not be stored before the end", left)

    def _write_until_closed(self) -> None:
        wait = self._interval
        try:
            while not self._closing.wait(wait):
                self._count()
                began = time.thread_time()
                if self._write():
                    taken = time.thread_time() - began
                    wait = max(self._interval, min(taken / WRITING_SHARE, LONGEST_PAUSE_SECONDS))
                else:
                    wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                self._tidy()
            self._count()
            self._write()
        finally:
            connection.close()

    def _count(self) -> None:
        """A handful at a time, so that calls hardly wait for it."""
        while self._records:
            for _ in range(min(len(self._records), _COUNTED_AT_ONCE)):
                self._tallies.note(self._records.popleft())
            if self._records:
                self._closing.wait(_PAUSE_SECONDS)

    def _write(self) -> bool:
        """Write what is counted; whether to go on at the usual pace."""
        try:
            close_old_connections()
            while batch := self._tallies.first(_WRITTEN_AT_ONCE):
                self._write_batch(batch)
        except (OperationalError, InterfaceError) as error:
            if not self._is_failing:
                log.warning("usage cannot be stored and is kept in memory: %s", error)
            self._is_failing = True
            return False
        self._is_failing = False
        self._tell()
        return True

    def _write_batch(self, batch: dict[Kind, Tally]) -> None:
        """One kind that can never be stored must not take the others along."""
        try:
            write(batch, self._names)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            if len(batch) > 1:
                for kind, tally in batch.items():
                    self._write_batch({kind: tally})
                return
            log.exception("usage cannot be stored and is given up: %s", *batch)
            self._tallies.drop(batch)
        else:
            self._tallies.forget(batch)

    def _tidy(self) -> None:
        """Delete old rows, every hour. Where several gateways do, they find less to do."""
        if time.monotonic() < self._tidy_at:
            return
        self._tidy_at = time.monotonic() + housekeeping.EVERY_SECONDS
        try:
            housekeeping.run()
        except DatabaseError as error:
            log.warning("old usage cannot be deleted now: %s", error)

    def _tell(self) -> None:
        if self.dropped > self._told:
            log.warning("usage: %d calls were not counted", self.dropped - self._told)
            self._told = self.dropped
