"""A process and all below it: adopt what loses its parent, and end it all."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> bool:
    """From now on, processes below us that lose their parent become our children. False where no such call exists."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def children() -> list[int]:
    """Our children now, adopted ones included; nothing where there is no ``/proc``."""
    me, found = str(os.getpid()), []
    for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else []:
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    # The name stands in brackets and may hold anything: the parent is the second word after it.
                    parent = file.read().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == me:
                found.append(int(entry))
    return found


def reap() -> dict[int, int]:
    """The children that have ended since, with their exit status (negative: the signal)."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def send(pids: Iterable[int], number: int) -> None:
    """Signal each process and the group it leads, if it leads one."""
    for pid in pids:
        for act in (os.killpg, os.kill):
            try:
                act(pid, number)
            except (ProcessLookupError, PermissionError):
                continue


def end_all(known: Iterable[int], *, grace_s: float) -> None:
    """TERM every child, wait, then KILL what is left, again and again: each parent's death hands us its children."""
    known = set(known)
    deadline = time.monotonic() + grace_s
    send({*children(), *known}, signal.SIGTERM)
    while time.monotonic() < deadline:
        known -= reap().keys()
        if not known and not children():
            return
        time.sleep(0.02)
    while alive := {*children(), *known}:
        send(alive, signal.SIGKILL)
        time.sleep(0.01)
        known -= reap().keys()
