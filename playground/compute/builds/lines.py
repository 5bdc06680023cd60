"""Output of other processes, line by line, into bounded log files."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CHUNK_BYTES = 16 * 1024
_BYTES_PER_SECOND, _LINES_PER_SECOND = 512 * 1024, 20_000
_LONGEST_LINE = 16 * 1024
_LARGEST_FILE = 4 * 2**20


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
    """A deployment's log: each line with its time; past 4 MiB it moves to ``.1`` and begins anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="replace", buffering=1)

    def write(self, line: str) -> None:
        if self._file.tell() > _LARGEST_FILE:
            self._file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self._file = self.path.open("w", encoding="utf-8", errors="replace", buffering=1)
        self._file.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")

    def close(self) -> None:
        self._file.close()
