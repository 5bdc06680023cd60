"""One address that somebody else keeps alive: looked at, followed while it is away, drained when no longer wanted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.compute.engines.base import Endpoint, ReplicaState, State
from playground.compute.engines.probes import ProbeError, check_address, check_health, look, open_channel

if TYPE_CHECKING:
    from playground.compute.engines.base import Address
    from playground.compute.engines.probes import Found
    from playground.compute.engines.remote import Unit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rhythm:
    """Seconds. An address that was never there, or has gone, has failed after ``patience``; it is tried on and on."""

    check_every: float = 5.0
    look_every: float = 60.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    patience: float = 15.0
    drain: float = 600.0


class Follower:
    """Watches one address for as long as it is wanted, then until its calls have ended."""

    def __init__(self, address: Address, unit: Unit) -> None:
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
