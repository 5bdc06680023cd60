"""A live runner for your own tests, on a free port of this machine, gone when the block is left.

>>> @pytest.fixture(scope="session")
... def model():
...     with serve_folder("models/mine") as server, server.client() as client:
...         yield client.model("mine")
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from playground.protocol.errors import UnavailableError
from playground.sdk.client import AsyncClient, Client

READY = "listening on "


@dataclass(frozen=True, slots=True)
class Server:
    """Something that serves models at an address; ``metadata`` goes with every call to it."""

    address: str
    metadata: tuple[tuple[str, str], ...] = ()

    def client(self, **options: Any) -> Client:
        return Client(self.address, options.pop("token", ""), metadata=self.metadata, **options)

    def async_client(self, **options: Any) -> AsyncClient:
        return AsyncClient(self.address, options.pop("token", ""), metadata=self.metadata, **options)


@contextmanager
def serve_folder(folder: str | Path, *, secret: str = "", seconds: float = 60.0) -> Iterator[Server]:
    """Serves one model folder by a runner of its own. With a ``secret`` nobody else on this machine can call it.

    Raises ``UnavailableError`` with the runner's last lines when it does not come up in time.
    """
    command = [sys.executable, "-m", "playground.runner", str(folder), "--port", "0", "--host", "127.0.0.1"]
    if secret:
        command.append("--stdin-config")
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            if secret:
                _tell(process, {"secret": secret})
            address = _wait(process, log, seconds)
            yield Server(address, (("x-playground-secret", secret),) if secret else ())
        finally:
            _end(process)


def _tell(process: subprocess.Popen[str], config: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(config) + "\n")
    process.stdin.flush()


def _wait(process: subprocess.Popen[str], log: IO[str], seconds: float) -> str:
    """The address that the runner prints when it is ready."""
    assert process.stdout is not None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
    finally:
        timer.cancel()
    log.seek(0)
    last = "".join(log.readlines()[-10:]).strip()
    raise UnavailableError(f"The runner did not start: {last or 'it said nothing'}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
