"""The threads that blocking model code runs in: started as they are needed, bounded, and never waited for at exit.

``concurrent.futures`` joins its threads when the interpreter ends, so one model that hangs would keep the whole runner.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from playground.protocol.errors import OverloadedError

logger = logging.getLogger(__name__)

Work = Callable[[], Callable[[], None] | None]


class Pool:
    """Runs at most ``threads`` pieces of work at once and lets ``queue`` more wait."""

    def __init__(self, threads: int, queue: int) -> None:
        self._threads = threads
        self._limit = threads + queue
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Work] = SimpleQueue()
        self._busy = 0
        self._started = 0

    def submit(self, work: Work) -> None:
        """Run it in a thread; what it returns is called there once the place is free again. Raises OverloadedError."""
        with self._lock:
            if self._busy >= self._limit:
                raise OverloadedError(f"the model is busy: {self._busy} calls are running or waiting; try again soon")
            self._busy += 1
            is_short = self._busy > self._started and self._started < self._threads
            self._started += is_short
        self._waiting.put(work)
        if is_short:
            threading.Thread(target=self._serve, name=f"model-{self._started}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            work = self._waiting.get()
            report = None
            try:
                report = work()
            except BaseException:  # the last door: a thread that dies here would never be replaced
                logger.exception("a call ended in an unforeseen way")
            with self._lock:
                self._busy -= 1
            if report is not None:
                report()
            del work, report
