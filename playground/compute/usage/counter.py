"""Counts calls in memory, a few microseconds each, and lets a thread of its own write the counts every second.

Nothing here waits for the database: while it is locked, full or gone, counts gather in memory up to a bound; beyond it
calls of a kind that is not counted yet are dropped, and how many is told.
"""

from __future__ import annotations

import logging
import re
import threading

from django.db import OperationalError, close_old_connections, connection

from playground.compute.usage.records import STOPPED, SUCCESS, CallRecord, Kind, Tally
from playground.compute.usage.storage import Names, write

__all__ = ["STOPPED", "SUCCESS", "CallRecord", "Counter"]

INTERVAL_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
MAX_KINDS = 5000
MAX_METHODS = 64
OTHER_METHODS = "…"
_AT_ONCE = 100
_METHOD = re.compile(r"[\w.-]{1,64}")
log = logging.getLogger(__name__)


class Counter:
    """``start``, then ``note`` each call at its end, then ``close``. ``note`` may be called from any thread."""

    def __init__(self, *, interval: float = INTERVAL_SECONDS, max_kinds: int = MAX_KINDS) -> None:
        self._interval = interval
        self._max_kinds = max_kinds
        self._lock = threading.Lock()
        self._tallies: dict[Kind, Tally] = {}
        self._methods: dict[tuple[int, int], set[str]] = {}
        self._dropped = 0
        self._told = 0
        self._is_failing = False
        self._names = Names()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="usage-writer", daemon=True)

    @property
    def dropped(self) -> int:
        """Calls that were not counted, for want of memory or because they could not be stored."""
        return self._dropped

    def start(self) -> None:
        self._thread.start()

    def note(self, record: CallRecord) -> None:
        """Count a call that has ended. Never waits for the database."""
        ended_at = record.started_at + record.duration_s
        kind = Kind(
            int(ended_at // 60) * 60,
            record.deployment_pk,
            record.version_slug,
            record.method,
            record.user_pk,
            record.outcome,
        )
        with self._lock:
            tally = self._tallies.get(kind) or self._begin(kind)
            if tally is None:
                self._dropped += 1
            else:
                tally.note(record, ended_at)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is left and end the thread; give up after ``timeout`` seconds."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        self._tell()

    def _begin(self, kind: Kind) -> Tally | None:
        kind = kind._replace(method=self._method(kind))
        if kind not in self._tallies:
            if len(self._tallies) >= self._max_kinds:
                return None
            self._tallies[kind] = Tally()
        return self._tallies[kind]

    def _method(self, kind: Kind) -> str:
        """The method's name; one for all others where it is no name or the caller has used very many: rows are few."""
        if len(self._methods) >= self._max_kinds:
            self._methods.clear()
        known = self._methods.setdefault((kind.deployment_key, kind.user_key), set())
        if kind.method not in known:
            if len(known) >= MAX_METHODS or not _METHOD.fullmatch(kind.method):
                return OTHER_METHODS
            known.add(kind.method)
        return kind.method

    def _write_until_closed(self) -> None:
        wait = self._interval
        try:
            while not self._closing.wait(wait):
                wait = self._interval if self._flush() else min(wait * 2, LONGEST_WAIT_SECONDS)
            self._flush()
        finally:
            connection.close()

    def _flush(self) -> bool:
        """Write what has gathered; whether to go on at the usual pace."""
        with self._lock:
            waiting, self._tallies = self._tallies, {}
        try:
            close_old_connections()
            while waiting:
                batch = dict(list(waiting.items())[:_AT_ONCE])
                write(batch, self._names)
                for kind in batch:
                    del waiting[kind]
        except OperationalError as error:
            self._take_back(waiting)
            if not self._is_failing:
                log.warning("usage cannot be stored and is kept in memory: %s", error)
            self._is_failing = True
            return False
        except Exception:
            log.exception("usage of %d kinds of calls cannot be stored and is given up", len(waiting))
            self._dropped += sum(tally.calls for tally in waiting.values())
        self._is_failing = False
        self._tell()
        return True

    def _take_back(self, waiting: dict[Kind, Tally]) -> None:
        with self._lock:
            newer, self._tallies = self._tallies, waiting
            for kind, tally in newer.items():
                if kind in waiting:
                    waiting[kind].add(tally)
                elif len(waiting) < self._max_kinds:
                    waiting[kind] = tally
                else:
                    self._dropped += tally.calls

    def _tell(self) -> None:
        if self._dropped > self._told:
            log.warning("usage: %d calls were not counted", self._dropped - self._told)
            self._told = self._dropped
