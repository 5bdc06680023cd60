"""Output of other processes, line by line, into bounded log files."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO
    from pathlib import Path

_CHUNK_BYTES = 16 * 1024
_BYTES_PER_SECOND, _LINES_PER_SECOND = 512 * 1024, 20_000
_LONGEST_LINE = 16 * 1024
_LARGEST_FILE = 4 * 2**20
log = logging.getLogger(__name__)


async def copy_lines(stream: asyncio.StreamReader, say: Callable[[str], None]) -> None:
    """Hand each line of ``stream`` to ``say`` until its end; a line without end is cut into pieces of 16 KiB.

    Whoever prints without end waits for us, and not everybody else on this loop for them.
    """
    rest = b""
    while chunk := await stream.read(_CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            say(line.decode(errors="replace").rstrip("\r"))
        while len(rest) > _LONGEST_LINE:
            say(rest[:_LONGEST_LINE].decode(errors="replace"))
            rest = rest[_LONGEST_LINE:]
        await asyncio.sleep(len(chunk) / _BYTES_PER_SECOND + len(lines) / _LINES_PER_SECOND)
    if rest:
        say(rest.decode(errors="replace"))


class LogFile:
    """A deployment's log: each line with its time; past 4 MiB it moves to ``.1`` and begins anew.

    Lines that cannot be written, as on a full disk, are lost; how many, it says as soon as it can.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None
        self._size = 0
        self._lost = 0

    def write(self, line: str) -> None:
        try:
            if self._lost:
                self._append(f"({self._lost} lines could not be written)")
                self._lost = 0
            self._append(line)
        except OSError as error:
            if not self._lost:
                log.warning("cannot write %s: %s", self.path, error.strerror)
            self._lost += 1
            self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: str) -> None:
        if self._size > _LARGEST_FILE:
            self.close()
            self.path.replace(self.path.with_suffix(".log.1"))
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            self._size = self._file.tell()
        self._size += self._file.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n".encode(errors="replace"))


@contextlib.contextmanager
def kept_lines(path: Path, say: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """``say`` with each line kept at ``path`` too, which begins anew; what ends it early is its last line."""
    for old in (path, path.with_suffix(".log.1")):
        old.unlink(missing_ok=True)
    file = LogFile(path)

    def say_and_keep(line: str) -> None:
        say(line)
        file.write(line)

    try:
        yield say_and_keep
    except Exception as error:
        file.write(f"It failed: {error}")
        raise
    finally:
        file.close()
