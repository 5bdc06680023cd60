"""Starts the product by its own command, and the bare programs it is measured against, for journeys and benchmarks."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALLABLE = (("ready",), ("scaled to zero",))  # states, as rows of one column
ROOT = Path(__file__).resolve().parents[1]
ADD_MODEL = """
from pathlib import Path
from playground.catalog.services import add_model, ensure_owner
from playground.compute.services import ensure_shared_deployment
version = add_model(ensure_owner()[1], Path({folder!r}))
ensure_shared_deployment(version.model)
"""


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def bare(*arguments: str) -> Iterator[str]:
    """A bare program of ``benchmarks/bare.py``, until the block is left; gives its address."""
    command = [sys.executable, "-m", "tests.benchmarks.bare", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            stop(process)


@dataclass(frozen=True)
class Stack:
    """The product, running: where, how to sign in, and a token for the API."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    web: str
    api: str
    link: str
    token: str

    def manage(self, *arguments: str) -> str:
        """What a terminal command prints."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout

    def add_model(self, folder: Path, model_id: str, *, patience: float = 180) -> None:
        """Add a folder as a model of the owner, and wait until it is ready."""
        self.manage("shell", "--no-imports", "-c", ADD_MODEL.format(folder=str(folder)))
        self.wait_ready(model_id, patience=patience)

    def wait_ready(self, model_id: str, *, patience: float = 180) -> None:
        """Wait until the shared deployment of a model says that it is ready, or was and is at zero by now."""
        end = time.monotonic() + patience
        with sqlite3.connect(Path(self.environment["PLAYGROUND_DATA_DIR"]) / "playground.sqlite3") as database:
            database.isolation_level = None
            state = None
            while time.monotonic() < end and state not in _CALLABLE:
                time.sleep(0.1)
                query = "SELECT state FROM compute_deployment WHERE slug = ?"
                state = database.execute(query, [f"shared-{model_id}"]).fetchone()
                if state == ("failed",):
                    break
        if state not in _CALLABLE:
            raise TimeoutError(f"{model_id} is {state} after {patience} s")

    def sign_in(self) -> str:
        """The cookie of a signed-in browser."""
        with httpx.Client(follow_redirects=False, trust_env=False) as browser:
            browser.get(self.link)
            return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)

    def memory(self) -> dict[str, float]:
        """The proportional set size of each process of the tree, in MB, by what it is."""
        sizes: dict[str, float] = {}
        command = psutil.Process(self.process.pid)
        for process in [command, *command.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                name = f"{process.pid} {' '.join(process.cmdline()[1:5])}"
                sizes[name] = process.memory_full_info().pss / 1e6
        return sizes


@contextlib.contextmanager
def product(*, demo: bool = False, **settings: str) -> Iterator[Stack]:
    """The product, with or without its built-in models, started by its own command, until the block is left."""
    with tempfile.TemporaryDirectory() as data_dir:
        web_port, api_port = free_port(), free_port()
        environment = os.environ | {
            **{f"PLAYGROUND_{name.upper()}": value for name, value in settings.items()},
            "PLAYGROUND_DATA_DIR": data_dir,
            "PLAYGROUND_PORT": str(web_port),
            "PLAYGROUND_GATEWAY_PORT": str(api_port),
        }
        log = Path(data_dir) / "terminal.log"
        with log.open("w") as terminal:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "playground", *([] if demo else ["--no-demo"])],
                cwd=ROOT,
                env=environment,
                stdout=terminal,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            web = f"http://127.0.0.1:{web_port}"
            _wait_ready(f"{web}/readyz", log, process)
            link = re.search(r"Open (\S+)", log.read_text())
            assert link is not None, log.read_text()
            stack = Stack(process, environment, web, f"127.0.0.1:{api_port}", link[1], "")
            token = stack.manage("token").splitlines()[-1]
            yield Stack(process, environment, web, stack.api, link[1], token)
        finally:
            stop(process)


def _wait_ready(address: str, log: Path, process: subprocess.Popen[str], patience: float = 180) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(address, timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the product did not get ready; it said:\n{log.read_text()}")
