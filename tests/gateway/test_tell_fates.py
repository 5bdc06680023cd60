"""What became of a call that was stopped: told as far as it is known, and within the time one waits."""

from __future__ import annotations

import asyncio

import pytest

from playground.gateway import fates
from playground.gateway.fates import Fates
from playground.protocol.pipes import COMPUTING, STOPPED, UNKNOWN


class Replica:
    """Says of each call that it computes on."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fate(self, request_id: str, seconds: float) -> bytes:
        assert 0 <= seconds <= 1
        self.asked.append(request_id)
        return COMPUTING


async def test_of_a_call_that_nobody_knows_nothing_is_told() -> None:
    known = Fates()
    known.begin("", "r0")
    assert await known.tell("x", 1) == UNKNOWN
    assert await known.tell("", 1) == UNKNOWN


async def test_what_ended_by_itself_or_was_never_sent_has_stopped() -> None:
    known = Fates()
    ended, unsent = known.begin("ended", "r1"), known.begin("unsent", "r2")
    ended.replica = Replica()  # type: ignore[assignment]
    unsent.is_cut = True
    for fate in (ended, unsent):
        fate.over.set()
    assert [await known.tell(name, 1) for name in ("ended", "unsent")] == [STOPPED, STOPPED]


async def test_of_what_was_cut_its_replica_is_asked_once_the_way_has_ended() -> None:
    known, replica = Fates(), Replica()
    fate = known.begin("cut", "r3")
    fate.replica = replica  # type: ignore[assignment]
    asking = asyncio.create_task(known.tell("cut", 1))
    await asyncio.sleep(0)
    assert not replica.asked
    fate.is_cut = True
    fate.over.set()
    assert await asking == COMPUTING
    assert replica.asked == ["r3"]


async def test_of_what_goes_on_nothing_is_told() -> None:
    known = Fates()
    known.begin("on", "r4")
    assert await known.tell("on", 0.01) == UNKNOWN


async def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fates, "KEPT", 2)
    known = Fates()
    for name in "abc":
        known.begin(name, name).over.set()
    assert [await known.tell(name, 1) for name in "abc"] == [UNKNOWN, STOPPED, STOPPED]
