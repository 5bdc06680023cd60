"""Makes what runs agree with the rows: reads desired state, tells the engines, writes back what they observe.

A task of the gateway that holds the lease. Its runners die with it and come back from desired state. All waits and
delays are the loop's monotonic time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import grpc
from django.conf import settings
from django.db import DatabaseError

from playground.catalog.changes import prune_changes
from playground.compute import learning, lease, records
from playground.compute.builds.checkpoints import Checkpoints
from playground.compute.builds.environments import Environments
from playground.compute.builds.installer import Installer
from playground.compute.desired import read_desired
from playground.compute.engines.base import CallsAt, Engine, Observed, OnChange, Spec, State
from playground.compute.engines.local import LocalEngine, LocalSettings
from playground.compute.engines.remote import RemoteEngine
from playground.compute.models import Nodepool
from playground.compute.scaling import Trend
from playground.compute.traffic import Traffic
from playground.protocol.errors import PlaygroundError

if TYPE_CHECKING:
    from playground.compute.database import DatabaseThread
    from playground.compute.desired import Wanted
    from playground.compute.engines.base import Endpoint

EngineMaker: TypeAlias = Callable[[OnChange, CallsAt], Engine]
_FULL_PASS_SECONDS = 30.0
_SCALE_SECONDS = 1.0
_MEMORY_SECONDS = 10.0
_RETRY_SECONDS = 1.0
log = logging.getLogger(__name__)


def local_settings() -> LocalSettings:
    """The local engine's settings, from Django's."""
    installer = Installer(environment=settings.INSTALLER_ENVIRONMENT, cache=settings.PACKAGE_CACHE_DIR)
    return LocalSettings(
        environments=Environments(settings.ENVIRONMENTS_DIR, settings.BASE_DIR, installer),
        checkpoints=Checkpoints(settings.CHECKPOINTS_DIR, installer),
        runner_environment=settings.RUNNER_ENVIRONMENT,
        fetch_allow=settings.FETCH_ALLOW,
    )


def local_engine(on_change: OnChange, calls_at: CallsAt) -> Engine:
    return LocalEngine(local_settings(), on_change, calls_at)


ENGINES: Mapping[str, EngineMaker] = {Nodepool.Engine.LOCAL: local_engine, Nodepool.Engine.REMOTE: RemoteEngine}


@dataclass
class _Kept:
    """A deployment that an engine is told of; not yet while ``failure`` stands, from before our time."""

    spec: Spec
    engine: Engine
    trend: Trend
    is_enabled: bool = True
    failure: Observed | None = None

    def observe(self) -> Observed | None:
        return self.failure or self.engine.observe(self.spec.id)


class Controller:
    """Reconciles while it leads; answers what is known of each deployment, and wakes those who wait for one."""

    def __init__(
        self,
        database: DatabaseThread,
        traffic: Traffic | None = None,
        *,
        engines: Mapping[str, EngineMaker] = ENGINES,
        name: str = "",
    ) -> None:
        self._database = database
        self._traffic = traffic or Traffic()
        self._traffic.on_demand = self._demand
        self._claim = lease.Claim(name or lease.process_name(), monotonic=asyncio.get_running_loop().time)
        self._engines: dict[str, Engine] = {
            name: make(partial(self._hear, name), self._traffic.at) for name, make in engines.items()
        }
        self._kept: dict[int, _Kept] = {}
        self._leaving: dict[int, Engine] = {}
        self._wake = asyncio.Event()
        self._news: asyncio.Queue[tuple[Spec, Observed]] = asyncio.Queue()
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._learning: set[asyncio.Task[None]] = set()
        self._learned: dict[tuple[int, str, str], str] = {}
        self._leads = False

    async def start(self) -> None:
        """Lead if nobody else does, start what should run, and go on in the background."""
        await self._take_lead()
        if self._leads:
            await self._reconcile()
        self._tasks = [
            asyncio.create_task(self._keep_lead(), name="lease"),
            asyncio.create_task(self._reconcile_on_wake(), name="reconcile"),
            asyncio.create_task(self._scale(), name="scale"),
            asyncio.create_task(self._write_news(), name="states"),
            asyncio.create_task(self._write_memory(), name="memory"),
        ]

    async def close(self) -> None:
        led, self._leads = self._leads, False
        tasks = [*self._tasks, *self._learning]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))
        if led:
            with contextlib.suppress(DatabaseError):
                while not self._news.empty():
                    await self._database(records.record, self._claim, *self._news.get_nowait())
                await self._database(_step_down, self._claim)

    def wake(self) -> None:
        """Something changed: look again at what should run."""
        self._wake.set()

    def observe(self, deployment_id: int) -> Observed:
        """What is known of a deployment; ``pending`` while nothing is."""
        kept = self._kept.get(deployment_id)
        found = kept.observe() if kept is not None else None
        if found is None:
            reason = "" if self._leads else "another gateway keeps the runners"
            return Observed(0, State.PENDING, reason)
        return found

    def endpoints(self) -> set[Endpoint]:
        """Where anything answers at all, be it the last calls of what is leaving."""
        engines = [*((pk, kept.engine) for pk, kept in self._kept.items()), *self._leaving.items()]
        observed = [engine.observe(pk) for pk, engine in engines]
        return {one.endpoint for each in observed if each for one in each.replicas if one.endpoint is not None}

    async def settled(self, deployment_id: int) -> Observed:
        """What is known of a deployment, once it is ready or has failed."""
        while not (observed := self.observe(deployment_id)).is_settled:
            await self.changed(deployment_id)
        return observed

    async def changed(self, deployment_id: int) -> None:
        """Until there is news of a deployment."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(deployment_id, set())
        waiting.add(waiter)
        try:
            await waiter
        finally:
            waiting.discard(waiter)

    # Leading.

    async def _take_lead(self) -> None:
        leads = await self._database(self._claim.acquire)
        if leads and not self._leads:
            await self._database(records.forget, "The gateway was started.")
            self._leads = True
            self.wake()
        elif self._leads and not leads:
            log.error("another gateway took the lead: ending our runners")
            self._leads = False
            self._kept.clear()
            self._leaving.clear()
            await asyncio.gather(*(engine.close() for engine in self._engines.values()))

    async def _keep_lead(self) -> None:
        while True:
            await asyncio.sleep(lease.RENEW_SECONDS)
            try:
                await self._take_lead()
            except DatabaseError:  # nobody else can write either
                log.exception("cannot renew the lease")

    # What should run.

    async def _reconcile_on_wake(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FULL_PASS_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            try:
                if self._leads:
                    await self._reconcile()
            except (DatabaseError, OSError):
                log.exception("cannot reconcile; trying again")
                await asyncio.sleep(_RETRY_SECONDS)
                self.wake()

    async def _reconcile(self) -> None:
        wanted, broken = await self._database(read_desired)
        if not self._leads:
            return
        for pk in self._kept.keys() - {want.spec.id for want in wanted} - {row.id for row in broken}:
            self._let_go(pk)
        for want in wanted:
            self._keep(want)
        for row in broken:
            await self._database(records.record_failure, self._claim, row.id, row.generation, row.reason)

    def _keep(self, want: Wanted) -> None:
        spec, engine = want.spec, self._engines[want.spec.engine]
        kept = self._kept.get(spec.id)
        if kept is not None and kept.engine is not engine:
            self._let_go(spec.id)
            kept = None
        if kept is None:
            trend = Trend(wanted=int(want.starts_warm))
            kept = self._kept[spec.id] = _Kept(spec, engine, trend, failure=want.failure)
        elif not spec.runs_as(kept.spec):
            kept.trend.wake(asyncio.get_running_loop().time())  # so that it shows whether it can be
            kept.failure = None
        if not want.is_enabled:
            kept.failure = None
        kept.spec, kept.is_enabled = spec, want.is_enabled
        self._decide(kept)

    def _let_go(self, deployment_id: int) -> None:
        engine = self._kept.pop(deployment_id).engine
        self._leaving = {pk: other for pk, other in self._leaving.items() if other.observe(pk) is not None}
        self._leaving[deployment_id] = engine
        engine.remove(deployment_id)

    def _decide(self, kept: _Kept) -> None:
        """How many there should be, from the traffic of this moment; the engine takes what is no news as such."""
        if kept.failure is not None:
            return
        spec, traffic = kept.spec, self._traffic
        observed = kept.engine.observe(spec.id)
        wanted = 0
        if kept.is_enabled:
            wanted = kept.trend.note(
                asyncio.get_running_loop().time(),
                calls=traffic.in_flight(spec.id) + traffic.waiting(spec.id),
                is_ready=observed is not None and bool(observed.endpoints),
                scale=spec.scale,
                idle=traffic.idle_seconds(spec.id),
            )
        kept.engine.apply(spec, wanted)

    def _demand(self, deployment_id: int) -> None:
        """A call waits: what is at zero starts now."""
        kept = self._kept.get(deployment_id)
        if kept is None:
            self.wake()
        elif kept.is_enabled and not kept.trend.wanted:
            self._decide(kept)

    async def _scale(self) -> None:
        while True:
            await asyncio.sleep(_SCALE_SECONDS)
            for kept in list(self._kept.values()):
                if kept.is_enabled and (kept.trend.wanted or self._traffic.waiting(kept.spec.id)):
                    self._decide(kept)

    # What is observed.

    def _hear(self, engine_name: str, spec: Spec, observed: Observed) -> None:
        kept = self._kept.get(spec.id)
        if kept is not None and kept.engine is self._engines[engine_name]:
            self._news.put_nowait((spec, observed))
        for waiter in self._waiting.pop(spec.id, set()):
            if not waiter.done():
                waiter.set_result(None)

    async def _write_news(self) -> None:
        with contextlib.suppress(DatabaseError):
            await self._database(prune_changes)
        while True:
            spec, observed = await self._news.get()
            self._learn(spec, observed)
            while self._leads:
                try:
                    await self._database(records.record, self._claim, spec, observed)
                    break
                except DatabaseError:
                    log.exception("deployment %s: cannot keep what was observed; trying again", spec.name)
                    await asyncio.sleep(_RETRY_SECONDS)

    async def _write_memory(self) -> None:
        written: dict[str, int] = {}
        while True:
            await asyncio.sleep(_MEMORY_SECONDS)
            observed = [kept.engine.observe(pk) for pk, kept in self._kept.items()]
            sizes = {one.runner_id: one.memory_bytes for each in observed if each for one in each.replicas}
            news = {name: size for name, size in sizes.items() if abs(size - written.get(name, 0)) > size // 50}
            if news and self._leads:
                with contextlib.suppress(DatabaseError):
                    await self._database(records.record_memory, news)
                    written = {**{name: size for name, size in written.items() if name in sizes}, **news}

    def _learn(self, spec: Spec, observed: Observed) -> None:
        """Ask a replica of a version that we have not asked yet for the model's methods; a remote one has told them."""
        replicas = (one for one in observed.replicas if one.is_ready and one.version_id == spec.version_id)
        endpoint = next((one.endpoint for one in replicas), None)
        known = (spec.id, spec.version_id, spec.digest)
        if endpoint is not None and self._learned.get(known) != endpoint.signatures:
            self._learned[known] = endpoint.signatures
            task = asyncio.create_task(self._learn_signatures(spec, endpoint))
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)

    async def _learn_signatures(self, spec: Spec, endpoint: Endpoint) -> None:
        try:
            signatures = await learning.ask_signatures(endpoint)
            await self._database(learning.keep_signatures, spec, signatures)
            return
        except grpc.aio.AioRpcError as error:
            log.warning("deployment %s: its runner told no signatures: %s", spec.name, error.code().name)
        except (DatabaseError, PlaygroundError):
            log.exception("deployment %s: cannot learn its signatures", spec.name)
        self._learned.pop((spec.id, spec.version_id, spec.digest), None)


def _step_down(claim: lease.Claim) -> None:
    if claim.is_held():
        records.forget("The gateway was stopped.")
        claim.release()
