"""Watching what the gateway does, from another process: a deployment getting ready, a log growing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from playground.compute import lease
from playground.compute.models import Deployment, Replica

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playground.catalog.models import ModelVersion

POLL_SECONDS = 0.2
_NEW_LEADER_SECONDS = lease.LEASE_SECONDS + 5.0
_SIGNATURES_SECONDS = 10.0
State = Deployment.State


def wait_ready(deployment: Deployment, version: ModelVersion, say: Callable[[str], None]) -> Deployment:
    """The deployment once it serves ``version`` with signatures stored, or once it has failed; ``say`` gets each step.

    Raises ``CommandError`` when the gateway goes away meanwhile.
    """
    told: Any = None
    ready_since = None
    while True:
        row = Deployment.objects.get(pk=deployment.pk)
        if (row.state, row.reason) != told:
            told = (row.state, row.reason)
            say(f"{row.state}: {row.reason}" if row.reason else row.state)
        if row.state == State.FAILED:
            return row
        if Replica.objects.filter(deployment=row, version=version, state=State.READY).exists():
            ready_since = ready_since or time.monotonic()
            version.refresh_from_db()
            if version.signatures or time.monotonic() - ready_since > _SIGNATURES_SECONDS:
                return row
        _wait_for_gateway()
        time.sleep(POLL_SECONDS)


def _wait_for_gateway() -> None:
    end = time.monotonic() + _NEW_LEADER_SECONDS
    while not lease.is_led():
        if time.monotonic() > end:
            raise CommandError("The gateway was stopped. What is wanted is kept: it goes on with the next start.")
        time.sleep(POLL_SECONDS)


def follow_log(path: Path) -> Iterator[str]:
    """Lines that are written from now on, without end; also across a log's beginning anew."""
    file = None
    try:
        file = path.open("rb") if path.exists() else None
        if file is not None:
            file.seek(0, os.SEEK_END)
        rest = b""
        while True:
            *lines, rest = (rest + (file.read() if file is not None else b"")).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
            if _has_moved(path, file):
                if file is not None:
                    file.close()
                file = path.open("rb")
            time.sleep(POLL_SECONDS)
    finally:
        if file is not None:
            file.close()


def _has_moved(path: Path, file: Any) -> bool:
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return file is None or os.fstat(file.fileno()).st_ino != now.st_ino
