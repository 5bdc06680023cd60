"""The runner's door for its own gateway: calls over pipes (see ``protocol.pipes``), beside gRPC for everybody else."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import deque

from google.protobuf.message import DecodeError

from playground.protocol.errors import InputError
from playground.protocol.pipes import MAX_FRAME, CallHead, Frame, Pipe, Rpc, unpack_call
from playground.runner.model import Call
from playground.runner.servicer import Request, Servicer

logger = logging.getLogger(__name__)
_MAX_AHEAD = 16
_MAX_HELLO = 1024


class PipeServer:
    """Listens for the one who knows the secret."""

    def __init__(self, servicer: Servicer, secret: str) -> None:
        self._servicer = servicer
        self._secret = secret.encode()
        self._server: asyncio.Server | None = None
        self._pipes: set[_Session] = set()

    async def start(self, host: str) -> int:
        """The port it listens on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self._servicer, self._secret, self._pipes), host, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for pipe in list(self._pipes):
            pipe.close()


class _Session(Pipe):
    """One socket: calls one after another, each in a task of its own that ends with the socket."""

    def __init__(self, servicer: Servicer, secret: bytes, pipes: set[_Session]) -> None:
        super().__init__()
        self._servicer = servicer
        self._secret = secret
        self._pipes = pipes
        self._is_trusted = False
        self.max_frame = _MAX_HELLO
        self._task: asyncio.Task[None] | None = None
        self._messages: deque[bytes | None] = deque()
        self._news: asyncio.Future[None] | None = None
        self._is_held = False
        pipes.add(self)

    def on_frame(self, kind: int, payload: bytes) -> None:
        if not self._is_trusted:
            self._is_trusted = kind == Frame.HELLO and hmac.compare_digest(payload, self._secret)
            self.max_frame = MAX_FRAME
            if not self._is_trusted:
                logger.warning("a stranger knocked at the gateway's door")
                self.close()
        elif kind == Frame.CALL and self._task is None:
            try:
                head, message = unpack_call(payload)
            except ValueError:
                self.close()
                return
            self._messages.clear()
            self._task = asyncio.get_running_loop().create_task(self._answer(head, message))
        elif kind in {Frame.MESSAGE, Frame.DONE}:
            self._take(payload if kind == Frame.MESSAGE else None)
        else:
            self.close()

    def on_lost(self) -> None:
        self._pipes.discard(self)
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, head: CallHead, message: bytes) -> None:
        call = Call(head.request_id, is_owner=head.is_owner, takes_joined=head.takes_joined)
        try:
            if head.rpc is Rpc.POST:
                last = await self._servicer.post(call, _parse(message))
            elif head.rpc is Rpc.GENERATE:
                last = b""
                await self._servicer.generate(call, _parse(message), self._write)
            else:
                last = b""
                self._messages.append(message)
                await self._servicer.stream(call, self._read, self._write)
        except Exception:  # a door: nobody above would hear of it
            logger.exception("%s: unexpected", head.request_id)
            self.close()
            return
        self._task = None
        self._messages.clear()
        if self._is_held:
            self._release()
        self.send(Frame.LAST if last else Frame.END, last)

    async def _write(self, reply: bytes) -> None:
        self.send(Frame.REPLY, reply)
        await self.drain()

    async def _read(self) -> Request | None:
        while not self._messages:
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        message = self._messages.popleft()
        if self._is_held and len(self._messages) <= _MAX_AHEAD // 2:
            self._release()
        return None if message is None else _parse(message)

    def _take(self, message: bytes | None) -> None:
        if self._task is None:
            return  # of a call that has ended: its sender will see the end
        self._messages.append(message)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
        if len(self._messages) >= _MAX_AHEAD and not self._is_held:
            self._is_held = True
            self.hold()

    def _release(self) -> None:
        self._is_held = False
        self.go_on()


def _parse(message: bytes) -> Request:
    try:
        request: Request = Request.FromString(message)
    except DecodeError:
        raise InputError("the message is no PostModelOutputsRequest") from None
    return request
