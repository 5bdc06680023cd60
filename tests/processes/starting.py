"""``manage.py playground`` as a newcomer starts it, on a folder and ports of its own."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil

from tests.ports import free_port

ROOT = Path(__file__).parents[2]


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command that is expected to end by itself."""
    environment = {**os.environ, **variables}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)


class Started:
    """The command, running; its lines as they come."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.port, self.gateway_port = free_port(), free_port()
        self.folder = folder
        ports = ["--port", str(self.port), "--gateway-port", str(self.gateway_port)]
        command = [sys.executable, "manage.py", "playground", *ports, "--data-dir", str(folder), *flags]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self, start: str, *, seconds: float = 60) -> str:
        """The next line that begins so."""
        while True:
            line = self._lines.get(timeout=seconds)
            self.seen.append(line)
            if line.startswith(start):
                return line

    def rest(self) -> list[str]:
        """What it said after the lines that were asked for; once it has ended."""
        self._reader.join()
        return list(self._lines.queue)

    def ready(self) -> Started:
        until(lambda: self.get("/readyz").status_code == 200, seconds=60)
        return self

    def get(self, path: str) -> httpx.Response:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)
        return httpx.Response(502)

    def all_processes(self) -> list[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def one(self, *words: str) -> psutil.Process:
        """The one process of the tree whose command line has these words."""
        found = [each for each in self.all_processes() if set(words) <= set(each.cmdline())]
        assert len(found) == 1, found
        return found[0]

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in self.all_processes():
                process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


@contextlib.contextmanager
def started(folder: Path, *flags: str) -> Iterator[Started]:
    command = Started(folder, *flags)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                command.process.wait(10)
        command.close()


def until(holds: Callable[[], bool], *, seconds: float = 30) -> float:
    """Wait until it holds; how long that took, in seconds."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < seconds, "it took too long"
        time.sleep(0.05)
    return time.monotonic() - start


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE or not process.is_running()
    except psutil.NoSuchProcess:
        return True
