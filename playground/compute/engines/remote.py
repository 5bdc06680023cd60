"""Runners that others keep alive: each address of a nodepool is a replica, which is looked at and followed, never made.

An address that goes away is tried again after growing waits; one that answers nonsense is too, since whoever keeps it
may mend it. What is wrong with it is the deployment's reason, in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.compute.builds.lines import LogFile
from playground.compute.engines.base import Endpoint, Observed, ReplicaState, State
from playground.compute.engines.probes import ProbeError, check_address, check_health, look, open_channel
from playground.compute.services import read_tail

if TYPE_CHECKING:
    from playground.compute.engines.base import Address, CallsAt, OnChange, Spec
    from playground.compute.engines.probes import Found

log = logging.getLogger(__name__)
progress = logging.getLogger("playground.progress")
TAIL_LINES = 40


@dataclass(frozen=True)
class Rhythm:
    """Seconds. An address that was never there, or has gone, has failed after ``patience``; it is tried on and on."""

    check_every: float = 5.0
    look_every: float = 60.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    patience: float = 15.0
    drain: float = 600.0


class RemoteEngine:
    """The engine ``remote``: as many replicas as its nodepool has addresses, whatever number is asked for above 0."""

    def __init__(self, on_change: OnChange, calls_at: CallsAt, rhythm: Rhythm | None = None) -> None:
        self.calls_at = calls_at
        self.rhythm = rhythm or Rhythm()
        self.on_change = on_change
        self._units: dict[int, _Unit] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def apply(self, spec: Spec, replicas: int) -> None:
        unit = self._units.get(spec.id)
        if unit is None:
            unit = self._units[spec.id] = _Unit(spec, self)
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

    async def _forget_when_empty(self, deployment_id: int, unit: _Unit) -> None:
        await unit.wait_empty()
        if unit.is_leaving and self._units.get(deployment_id) is unit:
            del self._units[deployment_id]
            await unit.close()


class _Unit:
    """One deployment: a follower for each address, and what they see as one state."""

    def __init__(self, spec: Spec, engine: RemoteEngine) -> None:
        self.spec = spec
        self.engine = engine
        self.observed = Observed(spec.generation)
        self.is_leaving = False
        self._is_wanted = True
        self._applied: tuple[Spec, bool] | None = None
        self._followers: dict[Address, _Follower] = {}
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
                self._followers[address] = _Follower(address, self)
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

    def drop(self, follower: _Follower) -> None:
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

    def _judge(self, followers: list[_Follower]) -> tuple[State, str]:
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


class _Follower:
    """Watches one address for as long as it is wanted, then until its calls have ended."""

    def __init__(self, address: Address, unit: _Unit) -> None:
        self.address = address
        self.endpoint: Endpoint | None = None
        self.problem = ""
        self.is_new = True
        self.is_leaving = False
        self._unit = unit
        self._rhythm = unit.engine.rhythm
        self._last: Endpoint | None = None
        self._since = time.monotonic()
        self._nudge = asyncio.Event()
        self._loss: asyncio.Future[None] | None = None
        self._task = asyncio.create_task(self._live(), name=f"follow {address.address}")

    @property
    def is_shown(self) -> bool:
        return not self.is_leaving or self._last is not None

    def replica(self) -> ReplicaState:
        address = self.address
        told = f"{address.address} {address.tls} {address.root_certificate}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        runner_id = f"remote-{self._unit.spec.id}-{digest}"
        version, nodepool = self._unit.spec.version_id, self._unit.spec.nodepool_id
        if self.is_leaving:
            return ReplicaState(runner_id, State.DRAINING, "", self._last, version, nodepool_id=nodepool)
        if self.endpoint is not None:
            return ReplicaState(runner_id, State.READY, "", self.endpoint, version, nodepool_id=nodepool)
        state = State.STARTING if self.is_new else State.FAILED
        return ReplicaState(runner_id, state, self.problem, None, version, nodepool_id=nodepool)

    def look_now(self) -> None:
        """Somebody wants it (again): wait no longer, and forget how long it has been away."""
        self.is_new, self.is_leaving = True, False
        self._since = time.monotonic()
        self._nudge.set()

    def leave(self) -> None:
        self.is_leaving, self.endpoint = True, None
        self._nudge.set()

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _live(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception:
                log.exception("address %s: unexpected", self.address.address)
                self._lose(ProbeError("cannot be followed: the gateway's log says why", is_nonsense=True))
                await self._pause(self._rhythm.longest_wait)
            if self.is_leaving and await self._is_drained():
                self._unit.drop(self)
                return

    async def _follow(self) -> None:
        try:
            check_address(self.address.address)
        except ProbeError as error:
            self._lose(error)
            await self._pause(self._rhythm.longest_wait)
            return
        wait = self._rhythm.first_wait
        while not self.is_leaving:
            if await self._stay():
                wait = self._rhythm.first_wait
            if self.is_leaving:
                return
            is_nudged = await self._pause(wait)
            wait = self._rhythm.first_wait if is_nudged else min(wait * 2, self._rhythm.longest_wait)

    async def _stay(self) -> bool:
        """One connection, for as long as it lasts; whether there was any. gRPC would try again at its own pace."""
        address = self.address
        channel = open_channel(Endpoint(address.address, tls=address.tls, root_certificate=address.root_certificate))
        try:
            while not self.is_leaving:
                await self._look(channel)
                await self._watch(channel)
        except ProbeError as error:
            was_there = self.endpoint is not None
            if not self.is_leaving:
                self._lose(error)
            return was_there
        finally:
            if self._loss is not None:
                self._loss.cancel()
                self._loss = None
            await channel.close()
        return True

    async def _look(self, channel: Any) -> None:
        """Find out everything; one that was ready and is only busy now stays what it was. Raises ProbeError."""
        try:
            self._find(await look(channel))
        except ProbeError as error:
            if self.endpoint is None or not error.is_slow:
                raise

    async def _watch(self, channel: Any) -> None:
        """Until it is time to look at everything again: it may be another model by then. Raises ProbeError."""
        until = time.monotonic() + self._rhythm.look_every
        was_slow = False
        while time.monotonic() < until:
            if await self._pause(self._rhythm.check_every, channel):
                return
            try:
                await check_health(channel)
                was_slow = False
            except ProbeError as error:
                if not error.is_slow or was_slow:
                    raise
                was_slow = True

    async def _pause(self, seconds: float, channel: Any = None) -> bool:
        """Whether it was cut short: by a nudge, or by the loss of the channel's connection."""
        nudge = asyncio.ensure_future(self._nudge.wait())
        waiting: set[asyncio.Future[Any]] = {nudge}
        if channel is not None:
            if self._loss is None or self._loss.done():  # one that is given up stays in gRPC's core
                self._loss = asyncio.ensure_future(channel.wait_for_state_change(channel.get_state()))
            waiting.add(self._loss)
        try:
            done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nudge.cancel()
        self._nudge.clear()
        return bool(done)

    def _find(self, found: Found) -> None:
        address = self.address
        endpoint = Endpoint(
            address.address,
            dialect=found.dialect,
            tls=address.tls,
            root_certificate=address.root_certificate,
            signatures=found.signatures,
        )
        if self.is_leaving or endpoint == self.endpoint:
            return
        self._unit.say(f"{address.address} is ready: a runner of the {found.dialect} kind")
        self.endpoint = self._last = endpoint
        self.problem, self.is_new = "", False
        self._unit.show()

    def _lose(self, error: ProbeError) -> None:
        """It is not there, or not any more."""
        if self.endpoint is not None:
            self.is_new, self._since = True, time.monotonic()
        if error.is_nonsense or time.monotonic() - self._since >= self._rhythm.patience:
            self.is_new = False
        problem = f"{self.address.address} {error}"
        if problem != self.problem:
            self._unit.say(problem)
        self.endpoint, self.problem = None, problem
        self._unit.show()

    async def _is_drained(self) -> bool:
        """Wait until its calls have ended; it is not ours to stop. False when it is wanted again."""
        end = time.monotonic() + self._rhythm.drain
        calls_at = self._unit.engine.calls_at
        while self.is_leaving and self._last is not None and calls_at(self._last) and time.monotonic() < end:
            await self._pause(0.1)
        return self.is_leaving
