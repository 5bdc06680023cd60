"""Looking into files, and the pictures made of them: in processes of their own, never in a server's.

Each process (``painter.py``) does one job at a time for whoever waits in a thread; there are as many as processors. One
that takes too long is ended, one that dies takes nobody along: the next job gets another.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import OperationalError

from playground.media import blobs
from playground.protocol.errors import InputError, NotFoundError, OverloadedError, ServerError

if TYPE_CHECKING:
    from inputs.models import Input

THUMBNAIL, PREVIEW = blobs.FORMS
PATIENCE_S = 60.0
_WAIT_S = 120.0
_SCRIPT = Path(__file__).with_name("painter.py")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What looking into a file gave. ``facts`` is what rows keep of it as it is."""

    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    captured_at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    thumbnail: bytes = b""
    is_sound: bool = False


def look_into(path: Path, content_type: str) -> Seen:
    """Open a picture, film or sound wholly. Raises InputError for what is damaged or too large, in words.

    Without the extra for film and sound, these are taken as they are: no length, no picture.
    """
    job = {"image": "picture", "video": "film", "audio": "sound"}[content_type.partition("/")[0]]
    facts, made = painters.do(job, path, content_type=content_type)
    taken = facts.pop("captured_at", None)
    return Seen(
        width=facts.pop("width", None),
        height=facts.pop("height", None),
        duration_s=facts.pop("duration_s", None),
        captured_at=datetime.fromisoformat(taken) if taken else None,
        is_sound=facts.pop("has_video", True) is False,
        facts=facts,
        thumbnail=made,
    )


def ensure_preview(row: Input) -> bytes:
    """Make the large picture of an input where it is not there yet. b"" once it lies in its place; the picture itself
    where it could not be kept, as on a full disk. Raises NotFoundError for what can have none."""
    if row.reference is None or not row.has_thumbnail:
        raise NotFoundError("This input has no picture of itself.")
    sha256 = row.reference.blob_id
    if row.has_preview and blobs.exists(sha256, PREVIEW):
        return b""
    made = b"" if blobs.exists(sha256, PREVIEW) else _preview(row, sha256)
    try:
        if made:
            blobs.put_made(made, sha256, PREVIEW)
        type(row).objects.filter(pk=row.pk).update(has_preview=True)
    except (OSError, OperationalError):
        logger.exception("The preview of input %s could not be kept", row.pk)
        return made
    return b""


def mask_bounds(sha256: str) -> tuple[float, float, float, float] | None:
    """The box (left, top, right, bottom as shares) around what is inside a stored mask; None where nothing is.

    Raises InputError for a picture that cannot be read, NotFoundError where its bytes are gone.
    """
    try:
        with blobs.on_this_machine(sha256) as path:
            box = painters.do("mask_bounds", path)[0]["box"]
    except FileNotFoundError:
        raise NotFoundError("The bytes of this mask are gone.") from None
    return tuple(box) if box else None


def _preview(row: Input, sha256: str) -> bytes:
    if row.kind == "audio":  # its course of loudness is drawn once
        with blobs.open_stored(sha256, THUMBNAIL) as file:
            return file.read()
    job = "film_preview" if row.kind == "video" else "preview"
    try:
        with blobs.on_this_machine(sha256) as path:
            return painters.do(job, path)[1]
    except FileNotFoundError:
        raise NotFoundError(f"The bytes of {row.title} are gone.") from None


class _Painter:
    """One process, and the pipes to it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={name: value for name, value in os.environ.items() if name in _PASSED_ON},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._asked, self._told = self.process.stdin, self.process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._told, selectors.EVENT_READ)

    def do(self, job: dict[str, Any], deadline: float) -> tuple[dict[str, Any], bytes]:
        """Raises EOFError when the process has gone, TimeoutError when it takes too long."""
        content = json.dumps(job).encode()
        try:
            self._asked.write(len(content).to_bytes(4) + content)
        except OSError:
            raise EOFError from None
        facts = json.loads(self._read(int.from_bytes(self._read(4, deadline)), deadline))
        return facts, self._read(int.from_bytes(self._read(4, deadline)), deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            piece = os.read(self._told.fileno(), size - len(content))
            if not piece:
                raise EOFError
            content += piece
        return bytes(content)

    def end(self) -> None:
        """With all it has; a process that only waits ends by itself as its input is closed."""
        self._selector.close()
        self._asked.close()
        try:
            self.process.wait(0.5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._told.close()


class Painters:
    """The processes of this one, started when there is work for them."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or _processors()
        self._idle: list[_Painter] = []
        self._free = threading.BoundedSemaphore(self.count)
        self._lock = threading.Lock()
        atexit.register(self.close)

    def do(self, name: str, path: Path, **more: Any) -> tuple[dict[str, Any], bytes]:
        """A job on the file at ``path``, in a thread. Raises InputError with the reason when it is refused there."""
        job = {"job": name, "path": str(path), "max_pixels": settings.MAX_IMAGE_PIXELS, **more}
        if not self._free.acquire(timeout=_WAIT_S):
            raise OverloadedError("Too many pictures wait to be looked into: try again in a minute.")
        try:
            facts, made = self._do(job)
        finally:
            self._free.release()
        if refused := facts.get("refused"):
            raise InputError(str(refused))
        return facts, made

    def _do(self, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with self._lock:
                painter, is_used = (self._idle.pop(), True) if self._idle else (None, False)
            painter = painter or _Painter()
            try:
                answer = painter.do(job, deadline)
            except EOFError:
                painter.end()
                if is_used:  # it may have gone for want of work, just now
                    continue
                raise self._died(painter) from None
            except TimeoutError:
                painter.process.kill()
                painter.end()
                raise InputError(
                    f"It took longer than {PATIENCE_S:g} s to look into this file: it was given up."
                ) from None
            except BaseException:
                painter.process.kill()
                painter.end()
                raise
            with self._lock:
                self._idle.append(painter)
            return answer

    @staticmethod
    def _died(painter: _Painter) -> InputError | ServerError:
        code = painter.process.returncode
        logger.error("a process that looks into pictures ended by itself: exit status %s", code)
        if code is not None and code < 0:  # by a signal, as its decoder crashed or its memory ran out
            return InputError("This file cannot be looked into: whatever opens it breaks down.")
        return ServerError("The process that looks into pictures does not start; the log tells why.")

    def close(self) -> None:
        """End those that wait; one that is at work ends with the job's deadline, or with this process."""
        with self._lock:
            idle, self._idle = self._idle, []
        for painter in idle:
            painter.end()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


_PASSED_ON = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"})
painters = Painters()
