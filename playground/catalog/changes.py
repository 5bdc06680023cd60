"""Hearing of what other processes changed: a thread that polls the table of changes and tells a callback.

On SQLite ``PRAGMA data_version`` costs 3 µs and moves whenever another connection commits, so the table itself is read
only then. On Postgres, where a change may be committed after one with a greater number, the last ones are read again.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection
from django.db.models import Max

from playground.catalog.models import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POLL_SECONDS = 0.2
KEEP_ROWS = 10_000
OVERLAP = 200  # so many changes at most are numbered and not yet committed when later ones are
log = logging.getLogger(__name__)


def latest_change() -> int:
    """The number of the newest change; 0 when there is none."""
    return Change.objects.aggregate(latest=Max("pk"))["latest"] or 0


def changes_after(sequence: int) -> list[tuple[int, str, str]]:
    """``(sequence, kind, key)`` of every change above ``sequence``, in order."""
    return list(Change.objects.filter(pk__gt=sequence).order_by("pk").values_list("pk", "kind", "key"))


def prune_changes() -> None:
    """Forget changes that every process has long heard of."""
    Change.objects.filter(pk__lte=latest_change() - KEEP_ROWS).delete()


class ChangeWatcher:
    """Calls ``on_changes`` with ``(kind, key)`` pairs from its own thread; own changes of this process come along too.

    Also called, with nothing, after the database could not be read for a while: what was missed is not known then.
    """

    def __init__(
        self, on_changes: Callable[[Sequence[tuple[str, str]]], None], *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._on_changes = on_changes
        self._poll_seconds = poll_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="changes", daemon=True)
        self._sequence = 0
        self._seen: set[int] = set()
        self._version = -1

    def start(self) -> None:
        """Every change after this call is told of."""
        self._sequence = latest_change()
        self._seen = {sequence for sequence, _, _ in self._overlapping() if sequence <= self._sequence}
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        failed = False
        try:
            while not self._stop.wait(self._poll_seconds):
                try:
                    changed = self._poll()
                except DatabaseError:
                    log.warning("cannot read the table of changes", exc_info=not failed)
                    failed = True
                    connection.close()  # a server that went away is reached by a new one only
                    continue
                if changed or failed:
                    self._on_changes(changed)
                failed = False
        finally:
            connection.close()

    def _poll(self) -> list[tuple[str, str]]:
        if not self._has_moved():
            return []
        rows = [row for row in self._overlapping() if row[0] not in self._seen]
        if rows:
            self._sequence = max(self._sequence, rows[-1][0])
            recent = self._seen | {row[0] for row in rows}
            self._seen = {sequence for sequence in recent if sequence > self._sequence - OVERLAP}
        return [(kind, key) for _, kind, key in rows]

    def _overlapping(self) -> list[tuple[int, str, str]]:
        return changes_after(self._sequence - (0 if connection.vendor == "sqlite" else OVERLAP))

    def _has_moved(self) -> bool:
        if connection.vendor != "sqlite":
            return True
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            version = cursor.fetchone()[0]
        moved: bool = version != self._version
        self._version = version
        return moved
