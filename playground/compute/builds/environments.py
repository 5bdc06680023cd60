"""Each model's requirements in a cached environment of its own, one for each (Python, requirements, constraints).

An environment holds the requirements, our few runtime packages with the wire's versions as constraints, and our source
by a path file. It counts only once its marker is written, so that one left half-made by a crash is made again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from playground.compute.builds.lines import kept_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.compute.builds.installer import Installer

# Another version of these breaks the wire; the rest is what a runner uses when it is there.
WIRE_PACKAGES = ("grpcio", "grpcio-health-checking", "clarifai-grpc", "protobuf")
RUNTIME_PACKAGES = (*WIRE_PACKAGES, "PyYAML", "numpy", "Pillow", "httpx", "uvloop; sys_platform != 'win32'")
_MARKER = "playground-complete.json"


@dataclass(frozen=True)
class Environments:
    """The environments under ``root``; ``source`` is the folder that our own packages are imported from."""

    root: Path
    source: Path
    installer: Installer

    def find(self, requirements: str, folder: Path) -> Path | None:
        """The interpreter that serves these requirements, when it is there already."""
        if not has_requirements(requirements):
            return Path(sys.executable)
        place = self._place(requirements, folder)
        return _interpreter(place) if (place / _MARKER).is_file() else None

    def log(self, requirements: str, folder: Path) -> Path:
        """Where the lines of the last build of these requirements are kept, beside what it made."""
        return self._place(requirements, folder).with_suffix(".log")

    async def make(self, requirements: str, folder: Path, say: Callable[[str], None]) -> Path:
        """The interpreter that serves these requirements, made now if need be. Raises BuildError."""
        found = self.find(requirements, folder)
        if found is not None:
            return found
        place = self._place(requirements, folder)
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        with kept_lines(self.log(requirements, folder), say) as say_and_keep:
            await self._build(place, folder, say_and_keep)
        (place / _MARKER).write_text(json.dumps({"python": platform.python_version(), "requirements": requirements}))
        return _interpreter(place)

    async def _build(self, place: Path, folder: Path, say: Callable[[str], None]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        await self.installer.run("venv", "--no-project", "--python", sys.executable, str(place), say=say)
        constraints = place / "constraints.txt"
        constraints.write_text("\n".join(wire_constraints()) + "\n")
        install = ["pip", "install", "--python", str(_interpreter(place)), "--constraint", str(constraints)]
        await self.installer.run(*install, "-r", "requirements.txt", *RUNTIME_PACKAGES, say=say, folder=folder)
        self._add_source(place)

    def _add_source(self, place: Path) -> None:
        packages = next(place.glob("lib/python*/site-packages"), place / "Lib" / "site-packages")
        (packages / "playground-source.pth").write_text(f"{self.source}\n")

    def _place(self, requirements: str, folder: Path) -> Path:
        local = str(folder) if _names_files(requirements) else ""
        machine = [platform.python_version(), platform.machine(), sys.prefix]
        facts = [*machine, requirements, wire_constraints(), RUNTIME_PACKAGES, local]
        return self.root / hashlib.sha256(json.dumps([str(self.source), facts]).encode()).hexdigest()[:20]


def wire_constraints() -> list[str]:
    """The wire's packages at the versions that we run ourselves."""
    return [f"{name}=={version(name)}" for name in WIRE_PACKAGES]


def has_requirements(text: str) -> bool:
    return any(line.split("#")[0].strip() for line in text.splitlines())


def _names_files(requirements: str) -> bool:
    """Whether lines point at other files, which makes the text mean something else in each folder."""
    return any(line.lstrip().startswith(("-", ".", "/")) for line in requirements.splitlines())


def _interpreter(place: Path) -> Path:
    posix = place / "bin" / "python"
    return posix if sys.platform != "win32" else place / "Scripts" / "python.exe"
