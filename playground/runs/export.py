"""A run as files: ``run.json`` with everything that is known of it, and beside it, in a zip, the files themselves.

The zip is made while it is sent, a piece at a time, however large the files are.
"""

from __future__ import annotations

import asyncio
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from playground.media import services as media
from playground.media.blobs import PIECE
from playground.protocol.errors import NotFoundError
from playground.runs import events, history, services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playground.media.models import Reference
    from playground.runs.models import Run

FORMAT = "playground-run/1"
_EXTENSIONS = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "audio/wav": "wav", "text/plain": "txt"}
_COMPRESSED = re.compile(r"image/(?!bmp|tiff)|audio/(?!wav)|video/")


@dataclass(frozen=True)
class Export:
    """What is to be written: ``content`` is ``run.json``; ``files`` are the stored ones by their names in the zip."""

    name: str
    content: bytes
    files: dict[str, Reference]
    made_at: datetime


def export(run: Run, *, is_own: bool) -> Export:
    """Everything that is kept of a run; tracebacks are for who made it alone. Reads the database."""
    references = history.files_of(run)
    names = {reference.pk: _name_of(reference, number) for number, reference in enumerate(references, start=1)}
    content = orjson.dumps(
        describe(run, is_own=is_own) | {"files": names}, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    )
    files = {names[reference.pk]: reference for reference in references}
    return Export(f"{run.subject.slug}-{run.method}-{str(run.pk)[:8]}", content, files, run.created_at)


def describe(run: Run, *, is_own: bool) -> dict[str, Any]:
    """A run as JSON. Bytes stand as ``{"media": id}``; the export's ``files`` says which file each id is."""
    told = [event if is_own else services.without_traceback(event) for event in run.events()]
    error = run.error if is_own else services.without_traceback({"error": run.error})["error"]
    version = run.workflow_version if run.workflow else run.version
    return {
        "format": FORMAT,
        "id": str(run.pk),
        "workflow" if run.workflow else "model": str(run.subject),
        "version": version.slug if version else None,
        "method": run.method,
        "user": run.user.username,
        "state": run.state,
        "created_at": run.created_at.isoformat(),
        "arguments": run.arguments,
        "selector": run.selector,
        "served_by": run.served_by,
        "figures": {
            "total_ms": run.total_ms,
            "first_output_ms": run.first_output_ms,
            "outputs": run.output_count,
            "prompt_tokens": run.prompt_tokens,
            "completion_tokens": run.completion_tokens,
            "characters": run.characters,
        },
        "error": error or None,
        "outputs": [event["value"] for event in told if event["kind"] == events.OUTPUT],
        "events": told,
    }


def _name_of(reference: Reference, number: int) -> str:
    """Short, plain and its own: ``files/03-cup.jpg``."""
    stem, _, ending = reference.name.rpartition(".")
    kind = _EXTENSIONS.get(reference.content_type) or re.sub(r"\W.*", "", reference.content_type.rpartition("/")[2])
    plain = re.sub(r"[^\w-]+", "-", stem or ending, flags=re.ASCII).strip("-")[:60] or "file"
    suffix = ending.lower() if stem and re.fullmatch(r"\w{1,5}", ending, re.ASCII) else kind or "bin"
    return f"files/{number:02}-{plain}.{suffix}"


async def zipped(what: Export) -> AsyncIterator[bytes]:
    """The zip's bytes as they are made, in a thread."""
    pieces = _pieces(what)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def _pieces(what: Export) -> Iterator[bytes]:
    out = _Out()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(_entry("run.json", what), what.content)
        yield out.take()
        for name, reference in what.files.items():
            try:
                source = media.open_bytes(reference)
            except NotFoundError:  # its bytes are gone: run.json still names it
                continue
            kind = zipfile.ZIP_STORED if _COMPRESSED.match(reference.content_type) else zipfile.ZIP_DEFLATED
            with source, archive.open(_entry(name, what, kind), "w", force_zip64=True) as entry:
                while content := source.read(PIECE):
                    entry.write(content)
                    if out.size >= PIECE:
                        yield out.take()
    yield out.take()


def _entry(name: str, what: Export, kind: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, what.made_at.timetuple()[:6])
    entry.compress_type = kind
    entry.external_attr = 0o644 << 16
    return entry


class _Out:
    """Where the zip is written: a pipe without an end, so that nothing is gone back to."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nor is there anything to close."""

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken
