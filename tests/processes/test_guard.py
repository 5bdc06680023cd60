"""The guard alone, with processes that do not want to go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from playground.processes.start import python_with
from tests.processes.starting import is_gone, until

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {DEAF!r}], start_new_session=True)"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="orphans are adopted on Linux alone")


class Guard:
    def __init__(self) -> None:
        reading, self.pipe = os.pipe()
        command = python_with("guard", reading)
        self.process = subprocess.Popen(command, pass_fds=[reading], start_new_session=True, stderr=subprocess.PIPE)
        os.close(reading)
        self.is_open = True

    def keep(self, code: str) -> None:
        order = {"name": "it", "arguments": [sys.executable, "-c", code], "sockets": []}
        os.write(self.pipe, json.dumps(order).encode() + b"\n")

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def let_go(self) -> None:
        if self.is_open:
            os.close(self.pipe)
            self.is_open = False


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.let_go()
    guard.process.wait(20)
    assert guard.process.stderr
    guard.process.stderr.close()


def test_it_ends_the_deaf_and_the_orphaned(guard: Guard) -> None:
    guard.keep(f"{PARENT}; time.sleep(60)")
    guard.keep(f"{PARENT}; {DEAF}")
    until(lambda: len(guard.below()) == 4)
    processes = guard.below()
    guard.let_go()
    assert guard.process.wait(8) == 0  # four of them are patience
    assert all(map(is_gone, processes))


def test_what_ends_is_started_again_and_its_children_are_not_kept(guard: Guard) -> None:
    guard.keep(f"{PARENT}; time.sleep(0.3)")
    until(lambda: len(guard.below()) == 2)
    first = guard.below()
    until(lambda: all(map(is_gone, first)))
    until(lambda: len(guard.below()) == 2)
    assert not {process.pid for process in first} & {process.pid for process in guard.below()}


def test_it_ends_when_told_by_a_signal(guard: Guard) -> None:
    guard.keep("import time; time.sleep(60)")
    until(lambda: len(guard.below()) == 1)
    processes = guard.below()
    guard.process.terminate()
    assert guard.process.wait(5) == 0
    assert all(map(is_gone, processes))


def test_it_is_small(guard: Guard) -> None:
    guard.keep("import time; time.sleep(60)")
    until(lambda: len(guard.below()) == 1)
    assert psutil.Process(guard.process.pid).memory_info().rss < 15 * 2**20
