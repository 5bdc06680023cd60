"""Makes what runs agree with the rows: reads desired state, tells the engine, writes back what it observes.

A task of the gateway that holds the lease. Its runners die with it and come back from desired state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from django.conf import settings
from django.db import DatabaseError

from playground.catalog.changes import prune_changes
from playground.catalog.models import ModelVersion
from playground.catalog.services import store_signatures
from playground.compute import lease
from playground.compute.builds.checkpoints import Checkpoints, read_checkpoint
from playground.compute.builds.environments import Environments
from playground.compute.builds.installer import BuildError, Installer
from playground.compute.engines.base import Observed, Spec, State
from playground.compute.engines.local import LocalEngine, LocalSettings
from playground.compute.engines.processes import CHANNEL_OPTIONS
from playground.compute.models import Deployment
from playground.compute.services import log_path, record_state
from playground.compute.traffic import Traffic
from playground.protocol.errors import PlaygroundError, ServerError
from playground.protocol.signatures import signatures_from_json

if TYPE_CHECKING:
    from playground.compute.database import DatabaseThread
    from playground.compute.engines.base import Endpoint

POST_METHOD = "/clarifai.api.V2/PostModelOutputs"
_FULL_PASS_SECONDS = 30.0
log = logging.getLogger(__name__)


class Controller:
    """Reconciles while it leads; answers what is known of each deployment, and wakes those who wait for one."""

    def __init__(self, database: DatabaseThread, traffic: Traffic | None = None) -> None:
        self._database = database
        self._traffic = traffic or Traffic()
        self._traffic.on_demand = lambda _: self.wake()
        self._name = lease.process_name()
        self._engine = LocalEngine(local_settings(), self._on_change)
        self._wake = asyncio.Event()
        self._news: asyncio.Queue[tuple[Spec, Observed]] = asyncio.Queue()
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._learning: set[asyncio.Task[None]] = set()
        self._applied: set[int] = set()
        self._leads = False

    async def start(self) -> None:
        """Lead if nobody else does, start what should run, and go on in the background."""
        await self._take_lead()
        self._tasks = [
            asyncio.create_task(self._keep_lead(), name="lease"),
            asyncio.create_task(self._reconcile_on_wake(), name="reconcile"),
            asyncio.create_task(self._write_news(), name="states"),
        ]

    async def close(self) -> None:
        tasks = [*self._tasks, *self._learning]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._engine.close()
        if self._leads:
            await self._database(_step_down, self._name)

    def wake(self) -> None:
        """Something changed: look again at what should run."""
        self._wake.set()

    def observe(self, deployment_id: int) -> Observed:
        """What is known of a deployment; ``pending`` while nothing is."""
        found = self._engine.observe(deployment_id)
        if found is None:
            reason = "" if self._leads else "another gateway keeps the runners"
            return Observed(0, State.PENDING, reason)
        return found

    def endpoints(self) -> set[Endpoint]:
        """Where anything answers at all."""
        return {endpoint for pk in self._applied for endpoint in self.observe(pk).endpoints}

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

    def _on_change(self, spec: Spec, observed: Observed) -> None:
        self._news.put_nowait((spec, observed))
        for waiter in self._waiting.pop(spec.id, set()):
            if not waiter.done():
                waiter.set_result(None)

    async def _take_lead(self) -> None:
        leads = await self._database(lease.acquire, self._name)
        if leads and not self._leads:
            self._leads = True
            await self._reconcile()
        elif self._leads and not leads:
            log.error("another gateway took the lead: ending our runners")
            self._leads = False
            self._applied.clear()
            await self._engine.close()

    async def _keep_lead(self) -> None:
        while True:
            await asyncio.sleep(lease.RENEW_SECONDS)
            try:
                await self._take_lead()
            except DatabaseError:
                log.exception("cannot renew the lease")

    async def _reconcile_on_wake(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _FULL_PASS_SECONDS)
            self._wake.clear()
            if not self._leads:
                continue
            try:
                await self._reconcile()
            except (DatabaseError, OSError):
                log.exception("cannot reconcile; trying again")

    async def _reconcile(self) -> None:
        specs, broken = await self._database(desired)
        for deployment_id in self._applied - {spec.id for spec in specs}:
            await self._engine.remove(deployment_id)
        for spec in specs:
            await self._engine.apply(spec)
        self._applied = {spec.id for spec in specs}
        for pk, generation, reason in broken:
            await self._database(record_state, pk, State.FAILED, reason, generation=generation)

    async def _write_news(self) -> None:
        await self._database(prune_changes)
        while True:
            spec, observed = await self._news.get()
            try:
                await self._database(
                    record_state,
                    spec.id,
                    observed.state,
                    observed.reason,
                    generation=spec.generation,
                    log_tail=observed.log_tail,
                    ready_replicas=len(observed.endpoints),
                )
            except DatabaseError:
                log.exception("deployment %s: cannot keep what was observed", spec.name)
            if observed.endpoints:
                task = asyncio.create_task(self._learn_signatures(spec, observed.endpoints[0]))
                self._learning.add(task)
                task.add_done_callback(self._learning.discard)

    async def _learn_signatures(self, spec: Spec, endpoint: Endpoint) -> None:
        try:
            signatures = await ask_signatures(endpoint)
            await self._database(_store_signatures, spec, signatures)
        except grpc.aio.AioRpcError as error:
            log.warning("deployment %s: its runner told no signatures: %s", spec.name, error.code().name)
        except (DatabaseError, PlaygroundError):
            log.exception("deployment %s: cannot learn its signatures", spec.name)


async def ask_signatures(endpoint: Endpoint) -> list[resources_pb2.MethodSignature]:
    """The methods of the model behind ``endpoint``, in order of declaration. Raises ServerError, AioRpcError."""
    data = resources_pb2.Data(parts=[resources_pb2.Part(data=resources_pb2.Data())])
    data.metadata.update({"_method_name": "_GET_SIGNATURES"})
    request = service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data)])
    async with grpc.aio.insecure_channel(endpoint.address, options=CHANNEL_OPTIONS) as channel:
        ask = channel.unary_unary(POST_METHOD)
        reply = service_pb2.MultiOutputResponse.FromString(
            await ask(request.SerializeToString(), metadata=endpoint.metadata, timeout=30)
        )
    text = reply.outputs[0].data.text.raw if reply.outputs else ""
    if not text:
        raise ServerError(f"the runner told no signatures: {reply.status.description or reply.status.code}")
    return list(signatures_from_json(text).values())


def desired() -> tuple[list[Spec], list[tuple[int, int, str]]]:
    """What should run, in order of creation; and ``(pk, generation, reason)`` of what cannot."""
    specs: list[Spec] = []
    broken: list[tuple[int, int, str]] = []
    rows = Deployment.objects.filter(is_enabled=True, min_replicas__gt=0)
    for row in rows.select_related("model", "version").order_by("pk"):
        version = row.served_version
        if version is None:
            broken.append((row.pk, row.generation, "The model has no version yet."))
            continue
        try:
            specs.append(_spec_of(row, version))
        except BuildError as error:
            broken.append((row.pk, row.generation, str(error)))
    return specs, broken


def _spec_of(row: Deployment, version: ModelVersion) -> Spec:
    return Spec(
        id=row.pk,
        name=row.model.slug if row.is_shared else row.slug,
        generation=row.generation,
        version_id=version.slug,
        folder=Path(version.folder),
        requirements=version.requirements,
        log=log_path(row),
        digest=version.digest,
        checkpoint=read_checkpoint(version.config),
    )


def _store_signatures(spec: Spec, signatures: list[resources_pb2.MethodSignature]) -> None:
    row = Deployment.objects.select_related("model").get(pk=spec.id)
    version = ModelVersion.objects.filter(model=row.model, slug=spec.version_id).first()
    if version is not None:
        store_signatures(version, signatures)


def _step_down(holder: str) -> None:
    for row in Deployment.objects.exclude(state__in=[State.FAILED, State.PENDING]):
        record_state(row.pk, State.PENDING, "The gateway was stopped.", generation=row.generation)
    lease.release(holder)


def local_settings() -> LocalSettings:
    """The local engine's settings, from Django's."""
    installer = Installer(environment=settings.INSTALLER_ENVIRONMENT, cache=settings.PACKAGE_CACHE_DIR)
    return LocalSettings(
        environments=Environments(settings.ENVIRONMENTS_DIR, settings.BASE_DIR, installer),
        checkpoints=Checkpoints(settings.CHECKPOINTS_DIR, installer),
        runner_environment=settings.RUNNER_ENVIRONMENT,
        fetch_allow=settings.FETCH_ALLOW,
    )
