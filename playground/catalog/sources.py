"""The files of a version, to be read: only as long as they are those that were added, and only as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playground.catalog.folders import file_names, folder_digest

if TYPE_CHECKING:
    from playground.catalog.models import ModelVersion

MOST_FILES = 500
LONGEST = 256 * 1024
_SMALL_FOLDER = 64 * 2**20


@dataclass(frozen=True)
class SourceFile:
    """A file of a version, by its name inside the folder."""

    name: str
    path: Path
    size: int

    @property
    def is_large(self) -> bool:
        return self.size > LONGEST

    def read_text(self) -> str | None:
        """What it says; None where it is too large, or no text."""
        if self.is_large:
            return None
        content = self.path.read_bytes()
        try:
            return None if b"\0" in content else content.decode()
        except UnicodeDecodeError:
            return None


def list_files(version: ModelVersion) -> list[SourceFile]:
    """The version's files, by name, ``1/model.py`` first; none where the folder is gone or has changed since.

    Links that lead out of the folder are left out.
    """
    folder = Path(version.folder)
    if not folder.is_dir():
        return []
    root = folder.resolve()
    names = [name for name in file_names(folder) if (folder / name).resolve().is_relative_to(root)][:MOST_FILES]
    files = [SourceFile(name.as_posix(), folder / name, (folder / name).stat().st_size) for name in names]
    if not is_as_added(version, sum(file.size for file in files)):
        return []
    return sorted(files, key=lambda file: (not file.name.endswith("model.py"), file.name))


def is_as_added(version: ModelVersion, size: int) -> bool:
    """Whether the folder still is what was added. A copy of ours is named by what is in it, and never changed."""
    folder = Path(version.folder)
    return folder.name == version.digest or (size <= _SMALL_FOLDER and folder_digest(folder) == version.digest)
