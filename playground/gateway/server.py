"""The gateway's process: first what should run, then the door, both in one loop; and an orderly end within 4 s."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from typing import TYPE_CHECKING, Any

import grpc
from django.conf import settings
from django.db import DatabaseError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from playground.catalog.changes import ChangeWatcher
from playground.catalog.links import dialled
from playground.compute.controller import Controller
from playground.compute.database import DatabaseThread
from playground.compute.traffic import Traffic
from playground.compute.usage.counter import Counter
from playground.gateway.access import Authenticator
from playground.gateway.call_log import CallLog
from playground.gateway.management import Management
from playground.gateway.pipes import PipeDoor
from playground.gateway.relay import Relay
from playground.gateway.replicas import MESSAGE_OPTIONS
from playground.gateway.snapshots import Snapshots
from playground.gateway.threshold import Threshold
from playground.protocol import loops
from playground.protocol.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

GRACE_SECONDS = 2.0
USAGE_SECONDS = 0.5
_SERVICE = "/clarifai.api.V2/"
_SERVER_OPTIONS = (*MESSAGE_OPTIONS, ("grpc.so_reuseport", 0))
log = logging.getLogger(__name__)


class Gateway:
    """Everything that one gateway is made of; ``start``, then ``stop``."""

    def __init__(self) -> None:
        self._reads = DatabaseThread("reads")
        self._writes = DatabaseThread("writes")
        self._authenticator = Authenticator(self._reads)
        self._snapshots = Snapshots(self._reads)
        self._traffic = Traffic()
        self.controller = Controller(self._writes, traffic=self._traffic)
        self._call_log = CallLog(Counter())
        self._relay = Relay(self._authenticator, self._snapshots, self.controller, self._traffic, self._call_log)
        self._pipes = PipeDoor(self._relay, settings.GATEWAY_SOCKET)
        self._management = Management(self._authenticator)
        self._health = health.HealthServicer()
        self._server = grpc.aio.server(options=_SERVER_OPTIONS)
        self._loop = asyncio.get_running_loop()
        self._watcher = ChangeWatcher(self._hear)

    async def start(self, host: str, port: int) -> int:
        """The port it answers on. Raises ConfigError when address or database cannot be had."""
        try:
            bound = self._bind(host, port)
        except RuntimeError:
            raise ConfigError(
                f"Cannot listen on {host}:{port} for the API: is it taken? "
                "Choose another with --gateway-port or PLAYGROUND_GATEWAY_PORT."
            ) from None
        try:
            await self._reads(self._watcher.start)
        except DatabaseError as error:
            raise ConfigError(
                f"The database in {settings.DATA_DIR} is not ready ({error}): run manage.py playground once, or "
                "manage.py migrate."
            ) from None
        self._management.answers_at(f"{dialled(host)}:{bound}")
        self._call_log.start()
        await self.controller.start()
        self._server.add_generic_rpc_handlers(
            (_Handlers(self._relay, self._management, Threshold(self._authenticator)),)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        await self._server.start()
        await self._pipes.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return bound

    async def stop(self) -> None:
        """No new calls, 2 s for those that run, then the runners."""
        await self._health.enter_graceful_shutdown()
        await asyncio.gather(self._server.stop(GRACE_SECONDS), self._pipes.stop(GRACE_SECONDS))
        await self.controller.close()
        await self._relay.close()
        await asyncio.to_thread(self._call_log.close, USAGE_SECONDS)
        await self._management.close()
        self._watcher.stop()
        await self._reads.close()
        await self._writes.close()

    def _bind(self, host: str, port: int) -> int:
        bound: int = self._server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        return bound

    def _hear(self, changes: Sequence[tuple[str, str]]) -> None:
        """From the watcher's thread: what this process keeps in memory may be out of date."""
        self._loop.call_soon_threadsafe(self._refresh, {kind for kind, _ in changes})

    def _refresh(self, kinds: set[str]) -> None:
        if not kinds or kinds & {"token", "user"}:
            self._authenticator.forget()
        if not kinds or kinds - {"token", "state"}:
            self._snapshots.forget()
            self.controller.wake()


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Every V2 call by name: three are relayed as bytes, the rest is management."""

    def __init__(self, relay: Relay, management: Management, threshold: Threshold) -> None:
        self._management = management
        self._threshold = threshold
        self._handlers: dict[str, Any] = {
            "PostModelOutputs": grpc.unary_unary_rpc_method_handler(relay.post),
            "GenerateModelOutputs": grpc.unary_stream_rpc_method_handler(relay.generate),
            "StreamModelOutputs": grpc.stream_stream_rpc_method_handler(relay.stream),
        }

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        method: str = details.method
        if not method.startswith(_SERVICE):
            return None
        name = method.removeprefix(_SERVICE)
        handler = self._handlers.get(name)
        if handler is None and (handler := self._management.handler(name)) is not None:
            self._handlers[name] = handler  # only what there is: anybody may make up names
        return handler and self._threshold.guarded(handler, details.invocation_metadata)


async def serve(host: str, port: int) -> None:
    """Run until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    gateway = Gateway()
    bound = await gateway.start(host, port)
    log.info("gateway listening on %s:%d", host, bound)
    gc.collect()
    gc.freeze()  # what is there now stays: looking at it again in each collection would hold up calls
    await stopped.wait()
    await gateway.stop()


def main() -> None:
    """What ``manage.py gateway`` runs: host and port come from the settings."""
    loops.run(serve(settings.GATEWAY_HOST, settings.GATEWAY_PORT))
