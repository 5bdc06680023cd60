"""Runners that others keep alive: each address of a nodepool is a replica, which is looked at and followed, never made.

An address that goes away is tried again after growing waits; one that answers nonsense is too, since whoever keeps it
may mend it. What is wrong with it is the deployment's reason, in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from playground.compute.builds.lines import LogFile
from playground.compute.engines.base import Observed, State
from playground.compute.engines.following import Follower, Rhythm
from playground.compute.services import read_tail

if TYPE_CHECKING:
    from playground.compute.engines.base import Address, CallsAt, OnChange, Spec

progress = logging.getLogger("playground.progress")
TAIL_LINES = 40


class RemoteEngine:
    """The engine ``remote``: as many replicas as its nodepool has addresses, whatever number is asked for above 0."""

    def __init__(self, on_change: OnChange, calls_at: CallsAt, rhythm: Rhythm | None = None) -> None:
        self.calls_at = calls_at
        self.rhythm = rhythm or Rhythm()
        self.on_change = on_change
        self._units: dict[int, Unit] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def apply(self, spec: Spec, replicas: int) -> None:
        unit = self._units.get(spec.id)
        if unit is None:
            unit = self._units[spec.id] = Unit(spec, self)
        unit.apply(spec, is_wanted=replicas > 0)

    def observe(self, deployment_id: int) -> Observed | None:
        unit = self._units.get(deployment_id)
        return unit.observed if unit is not None else None

    def remove(self, deployment_id: int) -> None:
        unit = self._units.get(deployment_id)
        if unit is None or unit.is_leaving:
            return
        unit.leave()
        task = asyncio.create_task(self._forget_when_empty(deployment_id, unit))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def logs(self, deployment_id: int, lines: int) -> list[str]:
        unit = self._units.get(deployment_id)
        return read_tail(unit.spec.log, lines) if unit is not None else []

    async def close(self) -> None:
        units = list(self._units.values())
        self._units.clear()
        for task in list(self._ending):
            task.cancel()
        await asyncio.gather(*(unit.close() for unit in units), *self._ending, return_exceptions=True)

    async def _forget_when_empty(self, deployment_id: int, unit: Unit) -> None:
        await unit.wait_empty()
        if unit.is_leaving and self._units.get(deployment_id) is unit:
            del self._units[deployment_id]
            await unit.close()


class Unit:
    """One deployment: a follower for each address, and what they see as one state."""

    def __init__(self, spec: Spec, engine: RemoteEngine) -> None:
        self.spec = spec
        self.engine = engine
        self.observed = Observed(spec.generation)
        self.is_leaving = False
        self._is_wanted = True
        self._applied: tuple[Spec, bool] | None = None
        self._followers: dict[Address, Follower] = {}
        self._changed = asyncio.Event()
        self._log = LogFile(spec.log)

    def apply(self, spec: Spec, *, is_wanted: bool) -> None:
        if self._applied == (spec, is_wanted) and not self.is_leaving:
            return
        before, self.spec = self.spec, spec
        self._applied, self._is_wanted, self.is_leaving = (spec, is_wanted), is_wanted, False
        wanted = spec.addresses if is_wanted else ()
        for address, follower in self._followers.items():
            if address not in wanted:
                follower.leave()
        for address in wanted:
            if address not in self._followers:
                self._followers[address] = Follower(address, self)
            elif before.generation != spec.generation or self._followers[address].is_leaving:
                self._followers[address].look_now()
        if spec.environment and (spec.environment != before.environment or before is spec):
            self.say("environment variables are not passed on: whoever runs these addresses sets them")
        self.show(always=True)

    def leave(self) -> None:
        self.is_leaving = True
        for follower in self._followers.values():
            follower.leave()
        self.show()

    async def wait_empty(self) -> None:
        while self._followers and self.is_leaving:
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        followers = list(self._followers.values())
        self._followers.clear()
        await asyncio.gather(*(follower.close() for follower in followers))
        self._log.close()

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a full disk ends nothing
            self._log.write(line)

    def drop(self, follower: Follower) -> None:
        """It has drained."""
        if self._followers.get(follower.address) is follower:
            del self._followers[follower.address]
        self._changed.set()
        self.show()

    def show(self, *, always: bool = False) -> None:
        """Say what is seen, where it is news."""
        observed, before = self._observe(), self.observed
        self.observed = observed
        if (observed.state, observed.reason) != (before.state, before.reason):
            progress.info("%s %s%s", self.spec.name, observed.state, observed.reason and f": {observed.reason}")
        if always or observed != before:
            self.engine.on_change(self.spec, observed)

    def _observe(self) -> Observed:
        followers = list(self._followers.values())
        replicas = tuple(follower.replica() for follower in followers if follower.is_shown)
        state, reason = self._judge([follower for follower in followers if not follower.is_leaving])
        tail = "\n".join(read_tail(self.spec.log, TAIL_LINES)) if state == State.FAILED else ""
        return Observed(self.spec.generation, state, reason, tail, replicas)

    def _judge(self, followers: list[Follower]) -> tuple[State, str]:
        if self.is_leaving:
            return State.DRAINING, ""
        if not self._is_wanted:
            return State.ZERO, ""
        if not followers:
            return State.FAILED, f"The nodepool of {self.spec.name} names no address."
        problems = "; ".join(follower.problem for follower in followers if follower.problem)
        ready = sum(follower.endpoint is not None for follower in followers)
        if ready:
            return State.READY, f"{ready} of {len(followers)} addresses answer: {problems}" if problems else ""
        if any(follower.is_new for follower in followers):
            return State.STARTING, problems
        return State.FAILED, problems
