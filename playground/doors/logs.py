"""Which request a log line belongs to, and where each process keeps its lines."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path

_MAX_BYTES = 5_000_000
_MAX_WAITING = 20_000  # lines
_BATCH_SECONDS = 0.5
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Puts the id of the request that is being answered into every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


def to_files(folder: Path, process: str) -> None:
    """Keep this process's lines in ``<process>-server.log``, web requests in ``web.log``, calls in ``calls.log``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    server = _file(folder / f"{process}-server.log", "%(asctime)s %(levelname)s %(request_id)s %(name)s: %(message)s")
    server.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(server)
    if process == "web":
        access = logging.getLogger("playground.access")
        access.addHandler(_file(folder / "web.log", "%(asctime)s %(message)s"))
        access.propagate = False
    else:
        calls = logging.getLogger("playground.calls")
        calls.addHandler(_formatted(BatchedFile(folder / "calls.log"), "%(asctime)s %(message)s"))
        calls.propagate = False


class BatchedFile(RotatingFileHandler):
    """Writes twice a second what has gathered: a call must not feel that it is logged. What has no room is dropped."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_MAX_BYTES, backupCount=3, delay=True)
        self._waiting: deque[logging.LogRecord] = deque(maxlen=_MAX_WAITING)
        self._writing = threading.Lock()  # not the handler's own, which each line takes
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        self._waiting.append(record)

    def flush(self) -> None:
        with self._writing, contextlib.suppress(OSError):
            lines = [self.format(self._waiting.popleft()) for _ in range(len(self._waiting))]
            if not lines:
                return
            self.stream = self.stream or self._open()
            self.stream.write("\n".join(lines) + "\n")
            self.stream.flush()
            if self.stream.tell() > self.maxBytes:
                self.doRollover()

    def close(self) -> None:
        self._closing.set()
        self.flush()
        super().close()

    def _write_until_closed(self) -> None:
        while not self._closing.wait(_BATCH_SECONDS):
            self.flush()


def _file(path: Path, form: str) -> logging.Handler:
    return _formatted(RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=3, delay=True), form)


def _formatted(handler: logging.Handler, form: str) -> logging.Handler:
    handler.setFormatter(logging.Formatter(form))
    return handler
