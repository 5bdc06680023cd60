"""The web process's beginning and end: what an earlier one left is put right, what runs is flushed before it goes."""

from __future__ import annotations

import asyncio
import gc
import logging

from inputs.services import housekeeping
from playground.doors.shapes import Receive, Scope, Send
from playground.runs import executor

logger = logging.getLogger(__name__)
_PATIENCE_S = 3.0  # the guard kills after four


def begin() -> None:
    """Fail the runs that died with an earlier process, and keep house from now on. Called on the running loop."""
    executor.current()
    housekeeping.begin()
    gc.collect()
    gc.freeze()  # what is loaded stays: looking at it again in each collection would hold up every stream


async def end() -> None:
    """Stop and store what is running. Called by the Twisted trigger under Daphne, by lifespan on other servers."""
    housekeeping.end()
    try:
        await asyncio.wait_for(executor.shutdown(), _PATIENCE_S)
    except Exception:  # the last door: nothing may keep the process from ending
        logger.exception("Runs could not be flushed")


class Lifespan:
    """ASGI's lifespan protocol; Daphne has none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                begin()
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                await end()
                await send({"type": "lifespan.shutdown.complete"})
                return
