"""Files under their sha256 in the media folder, and uploads on their way. No database here.

A file is written beside its place, synced, and renamed, so that a name always stands for whole contents. One lock
file keeps a sweep from taking away what a store is about to name.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

PIECE = 2**18


def path_of(sha256: str) -> Path:
    """Where the bytes with this hash lie, or would."""
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256


def upload_path(upload_id: str) -> Path:
    """Where an upload's bytes gather."""
    return Path(settings.MEDIA_ROOT) / "uploads" / upload_id


def digest(file: BinaryIO) -> tuple[str, int]:
    """The sha256 and the size of a file, read in pieces."""
    file.seek(0)
    sha256, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        sha256.update(piece)
        size += len(piece)
    return sha256.hexdigest(), size


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Held while a file and the row that names it come or go together."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def put(file: BinaryIO, sha256: str) -> None:
    """Make the file's bytes lie at their place, whole or not at all."""
    place = path_of(sha256)
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = place.with_name(f".{secrets.token_hex(8)}")
    try:
        with beside.open("wb") as copy:
            file.seek(0)
            shutil.copyfileobj(file, copy, PIECE)
            copy.flush()
            os.fsync(copy.fileno())
        beside.rename(place)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(place.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def appending(upload_id: str) -> Iterator[BinaryIO | None]:
    """The upload's file, open at its end and held by this writer alone; None while another writes to it."""
    place = upload_path(upload_id)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with place.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
