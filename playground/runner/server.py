"""A runner's life: listen, load the model, serve, stop gracefully."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from playground.protocol.errors import ConfigError
from playground.runner.loader import Source, load_folder
from playground.runner.methods import Method, fenced_fetch, find_methods
from playground.runner.model import ModelClass
from playground.runner.pipes import PipeServer
from playground.runner.servicer import Servicer

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

MAX_MESSAGE = 128 * 1024 * 1024
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.so_reuseport", 0),
)
_LAST_WORDS = 0.3  # seconds for the in-band ends of calls to reach their readers


@dataclass(frozen=True)
class Limits:
    """What a runner may do. ``threads`` and ``queue`` count calls; ``grace`` is in seconds; ``fetch_allow`` are
    private networks that addresses in requests may lead to."""

    secret: str = ""
    fetch_allow: tuple[str, ...] = ()
    threads: int = 128
    queue: int = 64
    grace: float = 5.0


async def serve(
    target: Path | Source,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    limits: Limits | None = None,
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Serve a folder until ``stop`` is set; ``on_ready`` is told the address once the model is loaded (and with a
    secret `` pipe`` and the port for its gateway's pipes).

    Health says NOT_SERVING until then. Raises ConfigError, or whatever the model raises while it is loaded.
    """
    limits = limits or Limits()
    source = load_folder(target) if isinstance(target, Path) else target
    threads = min(limits.threads, source.max_threads or limits.threads)
    servicer = Servicer(
        threads=threads, queue=limits.queue, fetch=fenced_fetch(limits.fetch_allow), secret=limits.secret
    )
    server, checks = grpc.aio.server(options=OPTIONS), health.aio.HealthServicer()
    server.add_generic_rpc_handlers((servicer.handler(),))
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    bound = _listen(server, host, port)
    pipes = PipeServer(servicer, limits.secret) if limits.secret else None
    await checks.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    await server.start()
    try:
        methods = await _unless(stop, _load(source))
        if methods is None:
            return
        servicer.serve_model(methods)
        await checks.set("", health_pb2.HealthCheckResponse.SERVING)
        on_ready(f"{_bracketed(host)}:{bound}" + (f" pipe {await pipes.start(host)}" if pipes else ""))
        await stop.wait()
        await checks.enter_graceful_shutdown()
        await _drain(servicer, limits.grace)
    finally:
        if pipes is not None:
            pipes.close()
        await server.stop(0)


def _listen(server: Any, host: str, port: int) -> int:
    address = f"{_bracketed(host)}:{port}"
    try:
        bound: int = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise ConfigError(f"{address} cannot be listened on: it is taken, or not this machine's")
    return bound


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """What the work gives; None when ``stop`` comes first."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()


async def _load(source: Source) -> dict[str, Method]:
    """Make the model and let it load, off the loop so that health checks are answered meanwhile."""

    def make() -> tuple[ModelClass, dict[str, Method]]:
        model = source.model_class()
        methods = find_methods(model, where=source.where)
        if not asyncio.iscoroutinefunction(model.load_model):
            model.load_model()
        return model, methods

    model, methods = await _in_thread(make)
    if asyncio.iscoroutinefunction(model.load_model):
        await model.load_model()
    return methods


async def _in_thread(function: Callable[[], Result]) -> Result:
    """``asyncio.to_thread`` in a thread that nobody waits for: a model that hangs while it loads can be stopped."""
    outcome: concurrent.futures.Future[Result] = concurrent.futures.Future()

    def work() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            outcome.set_exception(error)

    threading.Thread(target=work, name="load", daemon=True).start()
    return await asyncio.wrap_future(outcome)


async def _drain(servicer: Servicer, grace: float) -> None:
    """Let running calls finish for a while, then end them."""
    servicer.refuse_calls()
    try:
        await asyncio.wait_for(servicer.wait_idle(), grace)
    except TimeoutError:
        logger.warning("ending %d calls that are still running", servicer.running_calls)
        servicer.end_calls()
        await asyncio.sleep(_LAST_WORDS)
