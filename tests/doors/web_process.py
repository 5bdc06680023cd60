"""The real web process, on a socket of ours, with a data folder of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class WebProcess:
    def __init__(self, port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.port = port
        self.process = process
        self.folder = folder
        self.address = f"http://127.0.0.1:{port}"

    @property
    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def running_web(folder: Path, *, server: str = "daphne", **settings: str) -> Iterator[WebProcess]:
    """Migrate ``folder``'s database and serve it, until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        environment = {**os.environ, "PLAYGROUND_DATA_DIR": str(folder), "PLAYGROUND_PORT": str(port)}
        environment |= {f"PLAYGROUND_{name.upper()}": value for name, value in settings.items()}
        process = start(server, listener.fileno(), environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield WebProcess(port, process, folder)
    finally:
        process.terminate()
        process.wait(10)


def start(server: str, descriptor: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    manage = [sys.executable, "manage.py"]
    prepare = [*manage, "shell", "--no-imports", "-c", _PREPARE]
    subprocess.run(prepare, env=environment, check=True, cwd=ROOT)
    arguments = {
        "daphne": [*manage, "web", "--fd", str(descriptor)],
        "uvicorn": [sys.executable, "-m", "uvicorn", "playground.asgi:application", "--fd", str(descriptor)],
    }[server]
    return subprocess.Popen(arguments, env=environment, pass_fds=[descriptor], cwd=ROOT)


_PREPARE = """
from django.core.management import call_command
from playground.catalog import links
from playground.catalog.services import ensure_owner
from playground.doors import static
call_command("migrate", verbosity=0)
ensure_owner()
links.renew()
static.collect()
"""


def wait_for(url: str, process: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the web process ended"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(url)
