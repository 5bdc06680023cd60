"""Running uv: its output line by line to a log, niced, ended with us; and the package indexes that pip would use.

uv reads no pip configuration. Where the user gave uv none of its own, what pip's says about indexes is passed on, as
far as it exists: a directory of wheels that is not there would otherwise fail every build.
"""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import uv

from playground.compute.builds.lines import copy_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE")


class BuildError(Exception):
    """An environment or a checkpoint could not be made; the message says which step failed."""


class Installer:
    """Runs uv with one cache in the data folder, so that environments share their files by hard links."""

    def __init__(self, *, environment: Mapping[str, str], cache: Path) -> None:
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith("PIP_")},
            **index_settings(environment),
            "UV_CACHE_DIR": str(cache),
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
        }

    async def run(self, *arguments: str, say: Callable[[str], None], folder: Path | None = None) -> None:
        """Raises BuildError when uv fails; a cancelled run ends uv and what it started."""
        say(f"$ uv {' '.join(arguments)}")
        nice = ["nice", "-n", "10"] if shutil.which("nice") else []
        process = await asyncio.create_subprocess_exec(
            *nice,
            uv.find_uv_bin(),
            *arguments,
            cwd=folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            await copy_lines(process.stdout, say)
            status = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if status:
            raise BuildError(f"uv {' '.join(arguments[:2])} ended with status {status}")


def index_settings(environment: Mapping[str, str], files: Iterable[Path] | None = None) -> dict[str, str]:
    """uv's variables for what pip's variables and configuration files say about indexes and certificates."""
    if any(name in environment for name in _UV_INDEXES):
        return {}
    options = _pip_options(files if files is not None else _pip_files(environment))
    options.update(
        {name: environment[variable] for name, variable in _PIP_VARIABLES.items() if variable in environment}
    )
    found: dict[str, str] = {}
    if usable := _existing(options.get("index-url", "")):
        found["UV_DEFAULT_INDEX"] = usable[0]
    if usable := _existing(options.get("extra-index-url", "")):
        found["UV_EXTRA_INDEX_URL"] = " ".join(usable)
    if usable := _existing(options.get("find-links", "")):
        found["UV_FIND_LINKS"] = ",".join(usable)
    if found:
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip's way: the best version of all indexes
    certificate = options.get("cert", "")
    if "SSL_CERT_FILE" not in environment and certificate and Path(certificate).is_file():
        found["SSL_CERT_FILE"] = certificate
    return found


_PIP_VARIABLES = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "find-links": "PIP_FIND_LINKS",
    "cert": "PIP_CERT",
}


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    """pip's configuration files, the weightiest last."""
    home = Path(environment.get("HOME", "~")).expanduser()
    places = [
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
    ]
    places.append(Path(sys.prefix) / "pip.conf")
    if named := environment.get("PIP_CONFIG_FILE"):
        places = [] if named == os.devnull else [*places, Path(named)]
    return places


def _pip_options(files: Iterable[Path]) -> dict[str, str]:
    options: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file)
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                options.update(parser.items(section))
    return options


def _existing(places: str) -> list[str]:
    """Those of some addresses and directories that can be there: http ones, and local ones that exist."""
    return [place for place in places.split() if _local_path(place) is None or _is_there(_local_path(place))]


def _is_there(path: Path | None) -> bool:
    return path is not None and path.exists()


def _local_path(place: str) -> Path | None:
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme in {"http", "https"} else Path(place).expanduser()
