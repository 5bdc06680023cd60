"""The folder that stored files lie in by default, as one of Django's storages: whole files or none, synced to disk."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    from django.core.files import File

_PIECE = 2**18


class FolderStorage(FileSystemStorage):
    """A name is taken once and stands for whole contents: a file is written beside its place, synced, and renamed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"directory_permissions_mode": 0o700} | options)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # two who store the same contents under its name store the same

    def _save(self, name: str, content: File[bytes]) -> str:
        place = Path(self.path(name))
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = place.with_name(f".{secrets.token_hex(8)}")
        try:
            with beside.open("wb") as copy:
                content.seek(0)
                shutil.copyfileobj(content, copy, _PIECE)
                copy.flush()
                os.fsync(copy.fileno())
            beside.rename(place)
        finally:
            beside.unlink(missing_ok=True)
        _sync(place.parent)
        return name


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
