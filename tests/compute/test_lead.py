"""One controller leads: a living holder keeps the lease, a dead one or one that renews no more loses it."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from playground.compute import lease
from playground.compute.lease import Claim
from playground.compute.models import Lease

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def me(clock: Clock) -> Claim:
    return Claim(lease.process_name(), monotonic=clock)


@pytest.fixture
def other(clock: Clock) -> Claim:
    return Claim("elsewhere:1:1", monotonic=clock)


def test_a_living_holder_keeps_it(me: Claim, other: Claim, clock: Clock) -> None:
    assert me.acquire()
    for _ in range(10):
        clock.now += lease.RENEW_SECONDS
        assert me.acquire()
        assert not other.acquire()
    assert me.is_held()
    assert lease.is_held()
    assert not other.is_held()


def test_one_that_renews_no_more_loses_it(me: Claim, other: Claim, clock: Clock) -> None:
    assert other.acquire()
    assert not me.acquire()
    clock.now += lease.LEASE_SECONDS
    assert not me.acquire()
    clock.now += 1
    assert me.acquire()
    assert not other.acquire()


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)])
def test_a_wall_clock_that_jumps_takes_nothing(
    me: Claim, other: Claim, clock: Clock, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert me.acquire()
    assert not other.acquire()
    there = timezone.now() + jump
    monkeypatch.setattr(timezone, "now", lambda: there)
    clock.now += lease.RENEW_SECONDS
    assert not other.acquire()
    assert me.acquire()
    clock.now += lease.RENEW_SECONDS
    assert not other.acquire()


def test_a_dead_process_of_this_machine_loses_it_at_once(me: Claim) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = lease.process_name(process.pid)
        assert Claim(name).acquire()
        assert not me.acquire()
        process.communicate(b"\n")
    assert lease.process_name(process.pid) != name
    assert not lease.is_held()
    assert me.acquire()


def test_a_lease_given_back_is_free(me: Claim, other: Claim) -> None:
    other.acquire()
    other.release()
    assert not Lease.objects.exists()
    assert me.acquire()
