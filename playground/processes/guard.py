"""The guard: parent of web and gateway. When its pipe closes, it ends them and everything below.

The command writes one JSON line for each process to keep alive: ``{"name", "arguments", "sockets"}``. What ends by
itself is started again, after a wait that grows. No Django and no gRPC here: it must be small, and never the one to
fail.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from playground.processes import tree
from playground.processes.memory import MALLOC

_GRACE_S = 4.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_STEADY_S = 30.0


class Kept:
    """One process that is kept alive."""

    def __init__(self, name: str, arguments: list[str], sockets: list[int]) -> None:
        self.name = name
        self.arguments = arguments
        self.sockets = sockets
        self.pid = 0
        self.start_at = 0.0
        self.started_at = 0.0
        self.failures = 0

    def start(self) -> None:
        """Spawn it as the leader of its group, with its own sockets and no others."""
        for descriptor in self.sockets:
            os.set_inheritable(descriptor, True)
        self.pid = os.posix_spawn(
            self.arguments[0],
            self.arguments,
            {**MALLOC, **os.environ},
            setpgroup=0,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE],
        )
        for descriptor in self.sockets:
            os.set_inheritable(descriptor, False)
        self.started_at = time.monotonic()

    def note_end(self, status: int) -> str:
        """Plan the next start; what to tell."""
        now = time.monotonic()
        self.failures = 0 if now - self.started_at > _STEADY_S else self.failures + 1
        wait = min(_FIRST_WAIT_S * 2 ** max(0, self.failures - 1), _LONGEST_WAIT_S)
        self.pid, self.start_at = 0, now + wait
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"{self.name} {how}; it is started again in {wait:g} s"


class Guard:
    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.buffer = b""
        self.kept: list[Kept] = []
        self.is_ending = False

    def run(self) -> None:
        tree.adopt_orphans()
        wakeup, trigger = os.pipe()
        os.set_blocking(trigger, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(trigger)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, _nothing)
        while not self.is_ending:
            ready, _, _ = select.select([self.pipe, wakeup], [], [], self._seconds_to_next_start())
            if wakeup in ready:
                os.read(wakeup, 512)
            if self.pipe in ready:
                self._read_orders()
            self._note_ended(tree.reap())
            self._start_due()
        tree.end_all([kept.pid for kept in self.kept if kept.pid], grace_s=_GRACE_S)

    def _end(self, *_: object) -> None:
        self.is_ending = True

    def _read_orders(self) -> None:
        data = os.read(self.pipe, 65536)
        if not data:
            self.is_ending = True
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        self.kept.extend(Kept(**json.loads(line)) for line in lines)

    def _note_ended(self, ended: dict[int, int]) -> None:
        for kept in self.kept:
            if kept.pid in ended:
                tell(kept.note_end(ended[kept.pid]))
                # What it left behind is ours now; its next start begins afresh.
                tree.send(set(tree.children()) - {other.pid for other in self.kept}, signal.SIGKILL)

    def _start_due(self) -> None:
        now = time.monotonic()
        for kept in self.kept:
            if not kept.pid and kept.start_at <= now and not self.is_ending:
                kept.start()

    def _seconds_to_next_start(self) -> float | None:
        due = [kept.start_at for kept in self.kept if not kept.pid]
        return max(0.0, min(due) - time.monotonic()) if due else None


def _nothing(*_: object) -> None:
    """Only so that the signal wakes ``select``."""


def tell(line: str) -> None:
    try:
        os.write(2, f"{line}\n".encode())
    except OSError:
        return  # nobody listens any more


def main() -> None:
    """``guard PIPE [DESCRIPTOR…]``: the pipe's reading end, and what is held open without handing it on."""
    descriptors = [int(text) for text in sys.argv[1:]]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    Guard(descriptors[0]).run()
