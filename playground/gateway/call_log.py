"""Takes note of calls that have ended: a line for each in the log, and a record for what counts usage.

The loop only puts them down; a thread writes twice a second, a handful at a time, so that calls hardly feel it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.compute.usage.counter import Counter
    from playground.compute.usage.records import CallRecord
    from playground.gateway.tallies import Tally

EVERY_SECONDS = 0.5
_AT_ONCE = 32
_PAUSE_SECONDS = 0.001  # the loop's turn between two handfuls
_MAX_WAITING = 50_000
calls = logging.getLogger("playground.calls")
log = logging.getLogger(__name__)


class CallLog:
    """``start``, then ``note`` each call at its end, then ``close``."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._ended: deque[Tally] = deque(maxlen=_MAX_WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="calls", daemon=True)

    def start(self) -> None:
        self._counter.start()
        self._thread.start()

    def note(self, tally: Tally) -> None:
        """A call has ended."""
        self._ended.append(tally)

    def close(self, timeout: float) -> None:
        """Write what is left; give up after ``timeout`` seconds."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._counter.close(timeout)

    def _write_until_closed(self) -> None:
        while not self._closing.wait(EVERY_SECONDS):
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        try:
            self._write()
        except Exception:  # the thread's door: without it nothing would be counted any more
            log.exception("a handful of calls is neither logged nor counted")

    def _write(self) -> None:
        while self._ended:
            lines = []
            for _ in range(min(len(self._ended), _AT_ONCE)):
                tally = self._ended.popleft()
                record = tally.record()
                self._counter.note(record)
                lines.append(line_of(tally, record))
            calls.info("%s", "\n".join(lines))
            time.sleep(_PAUSE_SECONDS)


def line_of(tally: Tally, record: CallRecord) -> str:
    """When it began, its request id, who called what, how it ended, after how long."""
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.started_at))
    caller = tally.caller.user_id if tally.caller else "nobody"
    deployment = tally.route.deployment.deployment_id if tally.route else "nowhere"
    took = f"{record.outputs} outputs, {record.duration_s * 1000:.1f} ms"
    return f"{began} {tally.request_id}: {caller}, {deployment}, {_clean(record.method)}: {record.outcome}, {took}"


def _clean(name: str) -> str:
    """A method's name as its caller gave it, on one line."""
    return name[:64] if name.isidentifier() else ascii(name[:64])
