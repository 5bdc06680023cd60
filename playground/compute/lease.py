"""Who runs the controller: a row that its holder renews. A dead holder does not count, nor one that renews no more.

Whether it is renewed is what a contender sees by its own monotonic clock: a wall clock that jumps takes nothing from
anybody. ``expires_at`` is for people.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from playground.compute.models import Lease

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CONTROLLER = "controller"
LEASE_SECONDS = 10
RENEW_SECONDS = 3


class Claim:
    """One process's claim to the lease: ``acquire`` again and again, ``release`` at the end."""

    def __init__(self, holder: str, *, name: str = CONTROLLER, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.holder = holder
        self._name = name
        self._monotonic = monotonic
        self._seen: tuple[str, datetime] | None = None
        self._seen_at = 0.0

    @transaction.atomic
    def acquire(self) -> bool:
        """Take or renew it; False while another living holder has it."""
        row = Lease.objects.select_for_update().filter(name=self._name).first()
        if row is not None and row.holder != self.holder and not _is_dead(row.holder) and not self._is_late(row):
            return False
        facts = {"holder": self.holder, "expires_at": timezone.now() + timedelta(seconds=LEASE_SECONDS)}
        Lease.objects.update_or_create(name=self._name, defaults=facts)
        return True

    def is_held(self) -> bool:
        return Lease.objects.filter(name=self._name, holder=self.holder).exists()

    def release(self) -> None:
        """Give it back, so that the next one need not wait for its end."""
        Lease.objects.filter(name=self._name, holder=self.holder).delete()

    def _is_late(self, row: Lease) -> bool:
        """Whether it has stayed as it is for the lease's time, since we first saw it so."""
        seen = (row.holder, row.expires_at)
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._monotonic()
        return self._monotonic() - self._seen_at > LEASE_SECONDS


def is_held(name: str = CONTROLLER) -> bool:
    """Whether anybody leads now, as far as another process can tell."""
    row = Lease.objects.filter(name=name).first()
    return row is not None and row.expires_at > timezone.now() and not _is_dead(row.holder)


def is_led(*, name: str = CONTROLLER) -> bool:
    """Whether somebody runs the controller now, as seen by who does not: on this host alive, elsewhere not expired."""
    row = Lease.objects.filter(name=name).first()
    if row is None or _is_dead(row.holder):
        return False
    return row.holder.startswith(f"{_host()}:") or row.expires_at > timezone.now()


def process_name(pid: int | None = None) -> str:
    """Host, process id and start time: nobody else's, also after the id is used again. "" for no such process."""
    pid = os.getpid() if pid is None else pid
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        started = "" if _is_running(pid) else "gone"
    return "" if started == "gone" else f"{_host()}:{pid}:{started}"


def _is_dead(holder: str) -> bool:
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    return host == _host() and pid.isdigit() and process_name(int(pid)) != holder


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _host() -> str:
    return socket.gethostname()[:30]
