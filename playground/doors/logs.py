"""Which request a log line belongs to, and where each process keeps its lines."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")
_SERVER_LINE = "%(asctime)s %(levelname)s %(request_id)s %(name)s: %(message)s"
_MOST_CHARACTERS = 8000


class OneLine(logging.Formatter):
    """Errors repeat what callers sent, who could forge lines with it, or fill the log; tracebacks stay as they are."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return "\\n".join(super().formatMessage(record)[:_MOST_CHARACTERS].splitlines())


class RequestIdFilter(logging.Filter):
    """Puts the id of the request that is being answered into every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


def to_files(folder: Path, process: str) -> None:
    """Keep this process's lines in ``<process>-server.log``, web requests in ``web.log``, calls in ``calls.log``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    server = _file(folder / f"{process}-server.log", _SERVER_LINE)
    server.addFilter(RequestIdFilter())
    server.setFormatter(OneLine(_SERVER_LINE))
    logging.getLogger().addHandler(server)
    if process == "web":
        access = logging.getLogger("playground.access")
        access.addHandler(_file(folder / "web.log", "%(asctime)s %(message)s"))
        access.propagate = False
    else:
        calls = logging.getLogger("playground.calls")
        calls.addHandler(_file(folder / "calls.log", "%(message)s"))
        calls.propagate = False


def _file(path: Path, form: str) -> logging.Handler:
    handler = RotatingFileHandler(path, maxBytes=5_000_000, backupCount=3, delay=True)
    handler.setFormatter(logging.Formatter(form))
    return handler
