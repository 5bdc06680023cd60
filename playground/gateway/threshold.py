"""Turns away who has no token before anything of what they send is taken in: a call's message may be 128 MB.

gRPC takes a unary call's message in before its handler hears of the call. So the handler of somebody who is not known
is one of streams, which takes in nothing until it asks; on the wire there is no difference.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from playground.protocol.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.gateway.access import Authenticator

Handler: TypeAlias = Any  # grpc ships no types
Context: TypeAlias = Any
_EOF = grpc.aio.EOF


class Threshold:
    """``guarded`` for each call that comes in."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def guarded(self, handler: Handler, metadata: Any) -> Handler:
        """The handler itself for whoever is known, else one that looks at the token first."""
        if self._authenticator.knows(metadata or ()):
            return handler
        if handler.unary_unary is not None:
            return self._unary(handler.unary_unary)
        return self._stream(handler.stream_stream) if handler.request_streaming else self._replies(handler.unary_stream)

    def _unary(self, answer: Any) -> Handler:
        async def look_first(_: object, context: Context) -> bytes:
            reply: bytes = await answer(await self._message(context), context)
            return reply

        return grpc.stream_unary_rpc_method_handler(look_first)

    def _replies(self, answer: Any) -> Handler:
        async def look_first(_: object, context: Context) -> None:
            await answer(await self._message(context), context)

        async def look_and_go_on(_: object, context: Context) -> AsyncIterator[bytes]:
            async for reply in answer(await self._message(context), context):
                yield reply

        is_generator = inspect.isasyncgenfunction(answer)
        return grpc.stream_stream_rpc_method_handler(look_and_go_on if is_generator else look_first)

    def _stream(self, answer: Any) -> Handler:
        async def look_first(messages: object, context: Context) -> None:
            is_known = await self._is_known(context)
            await answer(messages, context if is_known else _Unheard(context))

        return grpc.stream_stream_rpc_method_handler(look_first)

    async def _message(self, context: Context) -> bytes:
        """What was sent; nothing of a stranger's, whom the handler then refuses in its own words."""
        message = await context.read() if await self._is_known(context) else b""
        return b"" if message is _EOF else message

    async def _is_known(self, context: Context) -> bool:
        try:
            await self._authenticator.caller(context.invocation_metadata() or ())
        except AccessError:
            return False
        return True


class _Unheard:
    """The context of a call whose messages nobody listens to."""

    def __init__(self, context: Context) -> None:
        self.invocation_metadata = context.invocation_metadata
        self.write = context.write

    async def read(self) -> bytes:
        return b""
