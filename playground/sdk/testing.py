"""A live runner, or a whole gateway, for your own tests: on a free port of this machine, gone when the block is left.

>>> @pytest.fixture(scope="session")
... def model():
...     with serve_folder("models/mine") as server, server.client() as client:
...         yield client.model("mine")
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from playground.protocol.errors import UnavailableError
from playground.sdk.client import AsyncClient, Client

READY = "listening on "


@dataclass(frozen=True, slots=True)
class Server:
    """Something that serves models at an address; ``token`` and ``metadata`` go with every call to it."""

    address: str
    token: str = ""
    metadata: tuple[tuple[str, str], ...] = ()

    def client(self, **options: Any) -> Client:
        return Client(self.address, options.pop("token", self.token), metadata=self.metadata, **options)

    def async_client(self, **options: Any) -> AsyncClient:
        return AsyncClient(self.address, options.pop("token", self.token), metadata=self.metadata, **options)


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
            yield Server(address, metadata=(("x-playground-secret", secret),) if secret else ())
        finally:
            _end(process)


# In a process of its own: the SDK itself knows no Django.
SET_UP = """
import json, pathlib, sys
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from playground.catalog.services import add_model, ensure_owner
from playground.catalog.tokens import create_token
from playground.compute import services, setup
setup.ensure(demo=False)
owner, app = ensure_owner()
for folder in json.loads(sys.argv[1]):
    services.ensure_shared_deployment(add_model(app, pathlib.Path(folder)).model)
print(create_token(owner, "testing"))
"""


@contextmanager
def serve_gateway(
    *folders: str | Path, environ: Mapping[str, str] | None = None, seconds: float = 60.0
) -> Iterator[Server]:
    """A gateway with a data folder of its own, and these model folders deployed as user ``owner``, app ``main``.

    ``environ`` holds further settings, such as ``PLAYGROUND_FETCH_ALLOW``; ``hello`` is always there. Models come up by
    themselves; a first call waits for its model. Raises ``UnavailableError`` with the gateway's last lines when it
    does not come up in time.
    """
    with tempfile.TemporaryDirectory() as data_dir, tempfile.TemporaryFile("w+") as log:
        port = _free_port()
        environ = {
            **os.environ,
            **(environ or {}),
            "DJANGO_SETTINGS_MODULE": "playground.settings",
            "PLAYGROUND_DATA_DIR": data_dir,
            "PLAYGROUND_GATEWAY_HOST": "127.0.0.1",
            "PLAYGROUND_GATEWAY_PORT": str(port),
        }
        paths = json.dumps([str(Path(folder).resolve()) for folder in folders])
        command = [sys.executable, "-c", SET_UP, paths]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnavailableError(f"The gateway could not be set up: {done.stderr.strip()[-500:]}")
        gateway = [sys.executable, "-m", "django", "gateway"]
        process = subprocess.Popen(gateway, env=environ, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        try:
            _wait_for_port(process, port, log, seconds)
            yield Server(f"127.0.0.1:{port}", token=done.stdout.split()[-1])
        finally:
            _end(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for_port(process: subprocess.Popen[str], port: int, log: IO[str], seconds: float) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    log.seek(0)
    raise UnavailableError(f"The gateway did not start: {''.join(log.readlines()[-10:]).strip()}")


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
                return line.removeprefix(READY).split()[0]
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
