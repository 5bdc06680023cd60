"""What is done from time to time: the deleted goes for good, what a process left behind is taken up again."""

from __future__ import annotations

import logging
import threading

from django.db import connection

from inputs.pictures import painters
from inputs.services import deleting, fetching

EVERY_SECONDS = 60.0
logger = logging.getLogger(__name__)


def sweep() -> int:
    """Returns how many deleted inputs went for good."""
    fetching.start_left_behind()
    deleting.forget_jobs()
    return deleting.purge()


class Housekeeping:
    """Sweeps in a thread of its own for as long as a web process lives."""

    def __init__(self, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Once; a second call changes nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="inputs", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """The process goes: so do those that look into pictures."""
        self._stop.set()
        painters.close()

    def _keep(self) -> None:
        while not self._stop.wait(self._every_seconds):
            try:
                sweep()
            except Exception:  # the door of this thread: it goes on at the next turn
                logger.exception("Housekeeping of inputs failed")
            finally:
                connection.close()


housekeeping = Housekeeping()
