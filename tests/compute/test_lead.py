"""One controller leads: a living holder keeps the lease, a dead or late one loses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from playground.compute import lease
from playground.compute.models import Lease

pytestmark = pytest.mark.django_db


def test_a_living_holder_keeps_it() -> None:
    me = lease.process_name()
    assert lease.acquire(me)
    assert lease.acquire(me)
    assert not lease.acquire("elsewhere:1:1")


def test_a_late_holder_loses_it() -> None:
    assert lease.acquire("elsewhere:1:1", seconds=-1)
    assert lease.acquire(lease.process_name())


def test_a_dead_process_of_this_machine_loses_it_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = lease.process_name(process.pid)
        assert lease.acquire(name)
        assert not lease.acquire(lease.process_name())
        process.communicate(b"\n")
    assert lease.process_name(process.pid) != name
    assert lease.acquire(lease.process_name())


def test_a_lease_given_back_is_free() -> None:
    lease.acquire("elsewhere:1:1")
    lease.release("elsewhere:1:1")
    assert not Lease.objects.exists()
    assert lease.acquire(lease.process_name())
