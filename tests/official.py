"""The official runner in a process of its own, as somebody else would keep it, with neither network nor token."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

WEAK = Path(__file__).parent / "gateway" / "weak"
START_SECONDS = 60
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9"}  # it asks for news of its own versions, and need not wait for them


@dataclass
class OfficialRunner:
    """Serves a copy of a model's folder at the same port, each time it is started."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *flags: str) -> None:
        """Until it listens."""
        command = [sys.executable, "-m", "clarifai.runners.server", "--model_path", str(self.folder)]
        command += ["--grpc", "--port", str(self.port), *flags]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLAYGROUND_", "CLARIFAI_"))}
        environment = {**kept, **NO_NETWORK, "HOME": str(self.folder)}
        with (self.folder / "runner.out").open("ab") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        end = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "runner.out").read_text(errors="replace")


def make(folder: Path, model: Path = WEAK) -> OfficialRunner:
    """Not started yet."""
    shutil.copytree(model, folder, dirs_exist_ok=True)
    return OfficialRunner(folder, free_port())


@contextlib.contextmanager
def running(folder: Path, *flags: str, model: Path = WEAK) -> Iterator[OfficialRunner]:
    """From listening until the block is left."""
    runner = make(folder, model)
    try:
        runner.start(*flags)
        yield runner
    finally:
        runner.stop()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
