"""What ``manage.py playground`` becomes once everything is started: a light process that waits, and ends it all.

It takes the place of the command by ``exec`` (same process id, a tenth of its memory), holds the pipe to the guard, and
stands in for the guard should that one be killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from playground.processes import tree

PATIENCE_S = 4.8
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopError(Exception):
    pass


def main() -> None:
    """``front GUARD PIPE``: the guard's process id, and the pipe's writing end."""
    guard, pipe = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(pipe, False)
    tree.adopt_orphans()
    for number in ENDING:
        signal.signal(number, _stop)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        os.waitpid(guard, 0)
    except _StopError:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        say_stopping()
        os.close(pipe)
        is_clean = _wait_for(guard)
    else:
        is_clean = False
    tree.end_all([], grace_s=0 if is_clean else 0.5)
    sys.exit(0 if is_clean else 1)


def say_stopping() -> None:
    with contextlib.suppress(OSError):  # whoever read our lines may be gone
        os.write(1, b"Stopping\n")


def _stop(*_: object) -> None:
    raise _StopError


def _wait_for(guard: int) -> bool:
    """Whether the guard has ended in time."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if guard in tree.reap():
            return True
        time.sleep(0.02)
    return False
