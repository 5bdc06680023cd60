"""The runner's door for its own gateway: calls over pipes (see ``protocol.pipes``), beside gRPC for everybody else."""

from __future__ import annotations

import asyncio

from google.protobuf.message import DecodeError

from playground.protocol.errors import InputError
from playground.protocol.pipes import CallHead, Rpc, ServerPipe
from playground.runner.model import Call
from playground.runner.servicer import Request, Servicer


class PipeServer:
    """Listens for the one who knows the secret."""

    def __init__(self, servicer: Servicer, secret: str) -> None:
        self._servicer = servicer
        self._secret = secret.encode()
        self._server: asyncio.Server | None = None
        self._pipes: set[ServerPipe] = set()

    async def start(self, host: str) -> int:
        """The port it listens on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: ServerPipe(self._answer, self._secret, self._pipes), host, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for pipe in list(self._pipes):
            pipe.close()

    async def _answer(self, head: CallHead, message: bytes, pipe: ServerPipe) -> bytes:
        if head.rpc is Rpc.FATE:
            return await self._servicer.fate(head.request_id, float(message))
        call = Call(head.request_id, is_owner=head.is_owner, takes_joined=head.takes_joined)
        if head.rpc is Rpc.POST:
            return await self._servicer.post(call, _parse(message))
        if head.rpc is Rpc.GENERATE:
            await self._servicer.generate(call, _parse(message), pipe.write)
            return b""
        first: bytes | None = message

        async def read() -> Request | None:
            nonlocal first
            taken, first = (first, None) if first is not None else (await pipe.read(), None)
            return None if taken is None else _parse(taken)

        await self._servicer.stream(call, read, pipe.write)
        return b""


def _parse(message: bytes) -> Request:
    try:
        request: Request = Request.FromString(message)
    except DecodeError:
        raise InputError("the message is no PostModelOutputsRequest") from None
    return request
