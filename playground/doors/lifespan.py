"""The end of the web process: what runs is flushed before it goes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib import import_module

from playground.doors.shapes import Receive, Scope, Send

logger = logging.getLogger(__name__)


async def end() -> None:
    """Stop and store what is running. Called by the Twisted trigger under Daphne, by lifespan on other servers."""
    try:
        executor = import_module("playground.runs.executor")
    except ModuleNotFoundError:
        return
    shutdown: Callable[[], Awaitable[None]] = executor.shutdown
    try:
        await shutdown()
    except Exception:  # the last door: nothing may keep the process from ending
        logger.exception("Runs could not be flushed")


class Lifespan:
    """ASGI's lifespan protocol; Daphne has none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                await end()
                await send({"type": "lifespan.shutdown.complete"})
                return
