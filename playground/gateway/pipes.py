"""The gateway's door for the web process of the same installation: pipes over a socket in the data folder.

Only its own user can open that file, and each call still carries its caller's token.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import TYPE_CHECKING

import grpc

from playground.protocol import headers
from playground.protocol.pipes import CallHead, Rpc, ServerPipe

if TYPE_CHECKING:
    from pathlib import Path

    from playground.gateway.relay import Relay

log = logging.getLogger(__name__)
_MAX_PATH = 100  # bytes: the kernel takes 108, on other systems 104


class PipeDoor:
    """Listens at ``path``; where that cannot be, the web process comes by gRPC as everybody does."""

    def __init__(self, relay: Relay, path: Path) -> None:
        self._relay = relay
        self._path = path
        self._server: asyncio.Server | None = None
        self._pipes: set[ServerPipe] = set()

    async def start(self) -> None:
        if len(os.fsencode(self._path)) > _MAX_PATH:
            log.info("no socket at %s: the path is too long", self._path)
            return
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        before = os.umask(0o177)
        try:
            self._server = await asyncio.get_running_loop().create_unix_server(
                lambda: ServerPipe(self._answer, b"", self._pipes), str(self._path)
            )
        except OSError as error:
            log.info("no socket at %s: %s", self._path, error.strerror)
        finally:
            os.umask(before)

    async def stop(self, grace: float) -> None:
        """No new calls, ``grace`` seconds for those that run."""
        if self._server is None:
            return
        self._server.close()
        if running := [pipe.task for pipe in self._pipes if pipe.task is not None]:
            await asyncio.wait(running, timeout=grace)
        for pipe in list(self._pipes):
            pipe.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _answer(self, head: CallHead, message: bytes, pipe: ServerPipe) -> bytes:
        if head.rpc is Rpc.FATE:
            return await self._relay.fates.tell(head.request_id, float(message))
        context = _Context(head, message, pipe)
        if head.rpc is Rpc.POST:
            return await self._relay.post(message, context)
        if head.rpc is Rpc.GENERATE:
            await self._relay.generate(message, context)
        else:
            await self._relay.stream(None, context)
        return b""


class _Context:
    """What the relay asks of gRPC's own context."""

    def __init__(self, head: CallHead, first: bytes, pipe: ServerPipe) -> None:
        self._metadata = (*head.metadata, (headers.JOINED, "1")) if head.takes_joined else head.metadata
        self._first: bytes | None = first
        self._pipe = pipe
        self.name = head.request_id
        self.write = pipe.write

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata

    async def read(self) -> object:
        if (first := self._first) is not None:
            self._first = None
            return first
        message = await self._pipe.read()
        return grpc.aio.EOF if message is None else message
