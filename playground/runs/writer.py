"""The one thread of a process that writes runs: it commits what is waiting, several times a second, in one go.

The hot path only marks a journal as having news. What a crash can lose is one interval.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, IntegrityError, connection, transaction

from playground.media.models import Reference
from playground.runs.models import EventBlock, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.runs.tail import Tail

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.15
RETRY_SECONDS = 1.0


class Journal:
    """What the writer keeps of one run: its row, its tail, and how much of both is stored.

    ``served_by`` and ``outcome`` are set once, by the run's task; ``outcome`` before the last event is appended, and
    stored together with it, so that a run that has ended is never without its end.
    """

    def __init__(self, row: Run, tail: Tail, media_ids: frozenset[str] = frozenset()) -> None:
        self.row = row
        self.tail = tail
        self.media_ids = media_ids
        self.served_by: dict[str, Any] = {}
        self.outcome: dict[str, Any] = {}
        self.has_news = False
        self.is_closed = False
        self._stored = 0
        self._is_created = False

    def write(self) -> Callable[[], None]:
        """Write what is new, inside the caller's transaction; call the result once that is committed."""
        self.has_news = False
        is_last = self.tail.is_ended
        events = self.tail.events[self._stored :]
        upto = self._stored + len(events)
        if not self._is_created:
            self.row.save(force_insert=True)
            Reference.objects.filter(pk__in=self.media_ids).update(is_kept=True)
        if events:
            block = b"[" + b",".join(events) + b"]"
            EventBlock.objects.create(run=self.row, first=self._stored + 1, last=upto, events=block)
        if is_last:
            Run.objects.filter(pk=self.row.pk).update(served_by=self.served_by, **self.outcome)

        def committed() -> None:
            self._is_created = True
            self._stored = upto
            self.is_closed = is_last

        return committed


class Writer:
    """Runs the thread. ``on_closed`` is called in it with each journal that is completely stored, or given up."""

    def __init__(self, on_closed: Callable[[Journal], None], *, interval: float = INTERVAL_SECONDS) -> None:
        self._on_closed = on_closed
        self._interval = interval
        self._lock = threading.Lock()
        self._news: dict[Journal, None] = {}
        self._jobs: list[Callable[[], object]] = []
        self._work = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="runs-writer", daemon=True)
        self._thread.start()

    def note(self, journal: Journal) -> None:
        """There is something new in ``journal``. Cheap to call again before that is written."""
        if journal.has_news:
            return
        journal.has_news = True
        with self._lock:
            self._news[journal] = None
        self._work.set()

    def submit(self, job: Callable[[], object]) -> None:
        """Run a small database job in the next transaction, before the journals."""
        with self._lock:
            self._jobs.append(job)
        self._work.set()

    def close(self, timeout: float = 5.0) -> None:
        """Write what is waiting, and end the thread."""
        self._closing.set()
        self._work.set()
        self._thread.join(timeout)

    def _write_until_closed(self) -> None:
        try:
            while True:
                self._work.wait()
                self._work.clear()
                is_last_round = self._closing.is_set()
                self._write_waiting()
                if is_last_round and not self._work.is_set():
                    return
                self._closing.wait(self._interval)
        finally:
            connection.close()

    def _write_waiting(self) -> None:
        with self._lock:
            jobs, self._jobs = self._jobs, []
            journals, self._news = list(self._news), {}
        try:
            self._commit(jobs, journals)
        except IntegrityError:
            self._write_one_by_one(jobs, journals)
        except DatabaseError:
            logger.exception("Runs could not be stored; trying again")
            if not self._closing.wait(RETRY_SECONDS):
                self._take_back(jobs, journals)

    def _take_back(self, jobs: list[Callable[[], object]], journals: list[Journal]) -> None:
        with self._lock:
            self._jobs = jobs + self._jobs
            self._news = dict.fromkeys(journals) | self._news
        self._work.set()

    def _commit(self, jobs: list[Callable[[], object]], journals: list[Journal]) -> None:
        with transaction.atomic():
            for job in jobs:
                job()
            committed = [journal.write() for journal in journals]
        for confirm in committed:
            confirm()
        for journal in journals:
            if journal.is_closed:
                self._on_closed(journal)

    def _write_one_by_one(self, jobs: list[Callable[[], object]], journals: list[Journal]) -> None:
        """One run that cannot be stored (its model was deleted, its id is taken) must not hold up the others."""
        for job in jobs:
            try:
                self._commit([job], [])
            except DatabaseError:
                logger.exception("A job of the writer failed")
        for journal in journals:
            try:
                self._commit([], [journal])
            except DatabaseError:
                logger.exception("Run %s cannot be stored and is given up", journal.row.pk)
                self._on_closed(journal)
