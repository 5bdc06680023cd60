"""The one thread of a process that writes runs: it commits what is waiting, several times a second, in one go.

The hot path only marks a journal as having news. What a crash can lose is one interval.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, IntegrityError, connection, transaction

from playground.media.models import Reference
from playground.runs import words
from playground.runs.models import EventBlock, Run, RunMedia

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from playground.runs.tail import Tail

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.2
RETRY_SECONDS = 1.0


class Journal:
    """What the writer keeps of one run: its row, its tail, and how much of both is stored.

    ``served_by`` and ``outcome`` are set once, by the run's task; ``outcome`` before the last event is appended, and
    stored together with it, so that a run that has ended is never without its end.
    """

    def __init__(
        self, row: Run, tail: Tail, media_ids: frozenset[str] = frozenset(), *, urge: Callable[[], None]
    ) -> None:
        self.row = row
        self.tail = tail
        self.media_ids: list[str] = sorted(media_ids)  # of what it was given and gave; appended to in any thread
        self.urge = urge
        self.served_by: dict[str, Any] = {}
        self.outcome: dict[str, Any] = {}
        self.has_news = False
        self.is_created = False
        self.is_given_up = False  # what it is a run of was deleted
        self.stored = 0
        self.stored_media = 0
        _unstored[row.pk] = self

    @property
    def is_behind(self) -> bool:
        """Whether storage would tell a page something else than its socket did."""
        return not self.is_created or self.tail.is_ended


_unstored: dict[UUID, Journal] = {}


def settle(journals: Iterable[Journal], timeout: float = 2.0) -> None:
    """Wait until rows that are to come, and ends that have been, are in storage: for pages, in their own threads."""
    end = time.monotonic() + timeout
    for journal in journals:
        while journal.is_behind and journal.row.pk in _unstored and time.monotonic() < end:
            journal.urge()
            time.sleep(0.005)


def unstored_of(*, user_id: int | None = None, run_id: UUID | None = None) -> list[Journal]:
    """Journals of this process that are not closed yet: a user's, or the one of a run."""
    if run_id is not None:
        return [_unstored[run_id]] if run_id in _unstored else []
    return [journal for journal in list(_unstored.values()) if journal.row.user_id == user_id]


class News:
    """What a journal has that is not stored, as it stood at one moment."""

    def __init__(self, journal: Journal) -> None:
        journal.has_news = False
        self.journal = journal
        self.is_new = not journal.is_created
        self.is_last = journal.tail.is_ended  # read first: with the last event comes all the rest
        self.events = journal.tail.events[journal.stored :]
        self.upto = journal.stored + len(self.events)
        self.media_ids = journal.media_ids[journal.stored_media :]

    def block(self) -> EventBlock:
        content = b"[" + b",".join(self.events) + b"]"
        return EventBlock(run_id=self.journal.row.pk, first=self.journal.stored + 1, last=self.upto, events=content)

    def confirm(self) -> None:
        """It is committed."""
        self.journal.is_created = True
        self.journal.stored = self.upto
        self.journal.stored_media += len(self.media_ids)


def write(news: list[News]) -> None:
    """Few statements for however many runs: each costs as much as a hundred rows."""
    Run.objects.bulk_create([entry.journal.row for entry in news if entry.is_new])
    _keep_media(news)
    EventBlock.objects.bulk_create([entry.block() for entry in news if entry.events])
    for entry in news:
        if entry.is_last:
            journal = entry.journal
            Run.objects.filter(pk=journal.row.pk).update(
                served_by=journal.served_by, **words.kept_facts(journal.row, journal.tail.events), **journal.outcome
            )


def _keep_media(news: list[News]) -> None:
    """Runs and the files that they use, so that a file stays as long as one of them does."""
    uses = dict.fromkeys((entry.journal.row.pk, media_id) for entry in news for media_id in entry.media_ids)
    if not uses:
        return
    found = Reference.objects.filter(pk__in={media_id for _, media_id in uses})
    there = set(found.values_list("pk", flat=True))
    found.filter(is_kept=False).update(is_kept=True)
    rows = [RunMedia(run_id=run_id, reference_id=media_id) for run_id, media_id in uses if media_id in there]
    RunMedia.objects.bulk_create(rows, ignore_conflicts=True)


class Writer:
    """Runs the thread. ``on_closed`` is called in it with each journal that is completely stored, or given up."""

    def __init__(self, on_closed: Callable[[Journal], None], *, interval: float = INTERVAL_SECONDS) -> None:
        self._on_closed = on_closed
        self._interval = interval
        self._lock = threading.Lock()
        self._news: dict[Journal, None] = {}
        self._jobs: list[Callable[[], object]] = []
        self._work = threading.Event()
        self._urgent = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._write_until_closed, name="runs-writer", daemon=True)
        self._thread.start()

    def note(self, journal: Journal) -> None:
        """There is something new in ``journal``. Cheap to call again before that is written."""
        if journal.has_news or journal.is_given_up:
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

    def urge(self) -> None:
        """Somebody waits: write now rather than at the next turn."""
        self._urgent.set()

    def close(self, timeout: float = 5.0) -> None:
        """Write what is waiting, and end the thread."""
        self._is_closing = True
        self._urgent.set()
        self._work.set()
        self._thread.join(timeout)

    def _write_until_closed(self) -> None:
        try:
            while not self._is_closing or self._work.is_set():
                self._work.wait()
                self._urgent.wait(
                    self._interval
                )  # what comes meanwhile goes along, and starting runs are left in peace
                self._urgent.clear()
                self._work.clear()
                self._write_waiting()
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
            if not self._is_closing:
                time.sleep(RETRY_SECONDS)
                self._take_back(jobs, journals)

    def _take_back(self, jobs: list[Callable[[], object]], journals: list[Journal]) -> None:
        with self._lock:
            self._jobs = jobs + self._jobs
            self._news = dict.fromkeys(journals) | self._news
        self._work.set()

    def _commit(self, jobs: list[Callable[[], object]], journals: list[Journal]) -> None:
        news = [News(journal) for journal in journals]
        with transaction.atomic():
            for job in jobs:
                job()
            write(news)
        for entry in news:
            entry.confirm()
            if entry.is_last:
                self._release(entry.journal)

    def _release(self, journal: Journal) -> None:
        _unstored.pop(journal.row.pk, None)
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
            except DatabaseError as error:
                logger.exception("Run %s cannot be stored and is given up", journal.row.pk)
                journal.is_given_up = isinstance(error, IntegrityError)
                self._release(journal)
