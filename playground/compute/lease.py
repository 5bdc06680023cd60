"""Who runs the controller: a row with an expiry, renewed by its holder. A dead holder does not count."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from playground.compute.models import Lease

CONTROLLER = "controller"
LEASE_SECONDS = 10
RENEW_SECONDS = 3


def process_name(pid: int | None = None) -> str:
    """Host, process id and start time: nobody else's, also after the id is used again. "" for no such process."""
    pid = os.getpid() if pid is None else pid
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        started = "" if _is_running(pid) else "gone"
    return "" if started == "gone" else f"{socket.gethostname()[:30]}:{pid}:{started}"


@transaction.atomic
def acquire(holder: str, *, name: str = CONTROLLER, seconds: float = LEASE_SECONDS) -> bool:
    """Take or renew the lease for ``seconds``; False while another living holder has it."""
    now = timezone.now()
    row = Lease.objects.select_for_update().filter(name=name).first()
    if row is not None and row.holder != holder and row.expires_at > now and not _is_dead(row.holder):
        return False
    Lease.objects.update_or_create(
        name=name, defaults={"holder": holder, "expires_at": now + timedelta(seconds=seconds)}
    )
    return True


def release(holder: str, *, name: str = CONTROLLER) -> None:
    """Give the lease back, so that the next one need not wait for its end."""
    Lease.objects.filter(name=name, holder=holder).delete()


def _is_dead(holder: str) -> bool:
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    return host == socket.gethostname()[:30] and pid.isdigit() and process_name(int(pid)) != holder


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
