"""The three predict RPCs over one loaded model: who may call, which method, and every refusal in-band (gRPC OK, and a
status that says what went wrong)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from clarifai_grpc.grpc.api import service_pb2

from playground.protocol import codec, headers
from playground.protocol.errors import (
    DeployingError,
    InputError,
    NotFoundError,
    OverloadedError,
    PlaygroundError,
    StoppedError,
    UnavailableError,
)
from playground.protocol.pipes import COMPUTING, STOPPED
from playground.protocol.signatures import MethodKind, signatures_to_json
from playground.runner import replies
from playground.runner.answering import Answering
from playground.runner.methods import Fetch, Method
from playground.runner.model import Call, current_call
from playground.runner.pool import Pool

GET_SIGNATURES = "_GET_SIGNATURES"
_LOOK_SECONDS = 0.02
_RPCS = {
    MethodKind.UNARY: "PostModelOutputs",
    MethodKind.GENERATE: "GenerateModelOutputs",
    MethodKind.STREAM: "StreamModelOutputs",
}
_HOW = {
    MethodKind.UNARY: "answers once",
    MethodKind.GENERATE: "answers in pieces",
    MethodKind.STREAM: "takes a stream and answers in pieces",
}

Request: TypeAlias = service_pb2.PostModelOutputsRequest
Context: TypeAlias = Any  # grpc.aio.ServicerContext: grpc ships no types
Read: TypeAlias = Callable[[], Awaitable[Request | None]]  # the next message of a stream; None after the last
Write: TypeAlias = Callable[[bytes], Awaitable[None]]


class Servicer:
    """Answers calls once ``serve_model`` has given it a model, until ``refuse_calls``."""

    def __init__(self, *, threads: int, queue: int, fetch: Fetch, secret: str = "") -> None:
        self._answering = Answering(Pool(threads, queue), fetch)
        self._calls: set[Call] = set()
        self._left: set[Call] = set()  # they have ended, and the model's code has not heard of it yet
        self._max_calls = threads + queue
        self._secret = secret.encode()
        self._methods: dict[str, Method] = {}
        self._signatures = ""
        self._refusal: PlaygroundError | None = DeployingError("the model is being loaded")
        self._is_idle = asyncio.Event()

    def serve_model(self, methods: dict[str, Method]) -> None:
        self._methods = methods
        self._signatures = signatures_to_json({name: method.signature for name, method in methods.items()})
        self._refusal = None

    def refuse_calls(self) -> None:
        self._refusal = UnavailableError("this runner is stopping")

    @property
    def running_calls(self) -> int:
        return len(self._calls)

    async def wait_idle(self) -> None:
        if self._calls:
            await self._is_idle.wait()

    def end_calls(self) -> None:
        """End what is still running, in-band."""
        for call in list(self._calls):
            call.end(StoppedError("the runner was stopped before the model had finished"))

    async def fate(self, call_id: str, seconds: float) -> bytes:
        """Whether the model still computes for a call that was cut; waits so long for its end."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._computes_for(call_id):
            if loop.time() >= end:
                return COMPUTING
            await asyncio.sleep(_LOOK_SECONDS)
        return STOPPED

    def _computes_for(self, call_id: str) -> bool:
        self._left = {call for call in self._left if call.work}
        return any(call.call_id == call_id for calls in (self._calls, self._left) for call in calls)

    def handler(self) -> grpc.GenericRpcHandler:
        parse = Request.FromString
        return grpc.method_handlers_generic_handler(
            "clarifai.api.V2",
            {
                "PostModelOutputs": grpc.unary_unary_rpc_method_handler(self._post_rpc, parse),
                "GenerateModelOutputs": grpc.unary_stream_rpc_method_handler(self._generate_rpc, parse),
                "StreamModelOutputs": grpc.stream_stream_rpc_method_handler(self._stream_rpc, parse),
            },
        )

    # -- the three RPCs, as gRPC brings them --

    async def _post_rpc(self, request: Request, context: Context) -> bytes:
        return await self.post(await self._admit(context), request)

    async def _generate_rpc(self, request: Request, context: Context) -> None:
        await self.generate(await self._admit(context), request, context.write)

    async def _stream_rpc(self, _: object, context: Context) -> None:
        async def read() -> Request | None:
            message = await context.read()
            return None if message is grpc.aio.EOF else message

        await self.stream(await self._admit(context), read, context.write)

    async def _admit(self, context: Context) -> Call:
        metadata = dict(context.invocation_metadata() or ())
        is_owner = False
        if self._secret:
            given = str(metadata.get(headers.SECRET, "")).encode()
            if not hmac.compare_digest(given, self._secret):
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "this runner answers its gateway alone")
            is_owner = metadata.get(headers.OWNER) == "1"
        takes_joined = metadata.get(headers.JOINED) == "1"
        return Call(str(metadata.get(headers.REQUEST_ID, "")), is_owner=is_owner, takes_joined=takes_joined)

    # -- the same, however they came: each in a task of its own --

    async def post(self, call: Call, request: Request) -> bytes:
        try:
            self._begin(call)
            inputs = [entry.data for entry in request.inputs]
            if not inputs:
                raise InputError("the request has no inputs")
            names = [codec.method_name(data) for data in inputs]
            if names[0] == GET_SIGNATURES:
                return replies.text(self._signatures)
            methods = [self._find(MethodKind.UNARY, name) for name in names]
            return await self._answering.answer(call, methods, inputs)
        except PlaygroundError as error:
            return _refused(error, call)
        finally:
            self._finish(call)

    async def generate(self, call: Call, request: Request, write: Write) -> None:
        try:
            self._begin(call)
            data = _only_input(request)
            method = self._find(MethodKind.GENERATE, codec.method_name(data))
            await self._answering.generate(call, method, data, write)
        except PlaygroundError as error:
            await write(_refused(error, call))
        finally:
            self._finish(call)

    async def stream(self, call: Call, read: Read, write: Write) -> None:
        async def read_input() -> codec.Data | None:
            request = await read()
            return None if request is None else _only_input(request)

        try:
            self._begin(call)
            first = await read_input()
            if first is None:
                raise InputError("the stream of requests is empty: the first one names the method")
            method = self._find(MethodKind.STREAM, codec.method_name(first))
            await self._answering.stream(call, method, first, read_input, write)
        except PlaygroundError as error:
            await write(_refused(error, call))
        finally:
            self._finish(call)

    # -- around a call --

    def _begin(self, call: Call) -> None:
        """Count the call, and let the model's code see it: each RPC has a task, so a context, of its own."""
        if self._refusal is not None:
            raise self._refusal
        if len(self._calls) >= self._max_calls:
            raise OverloadedError(f"the model is busy with {len(self._calls)} calls; try again soon")
        self._calls.add(call)
        self._is_idle.clear()
        current_call.set(call)

    def _finish(self, call: Call) -> None:
        """However it ended: whoever still works for it is told."""
        call.end()
        self._calls.discard(call)
        if call.work:
            self._left.add(call)
        if not self._calls:
            self._is_idle.set()

    def _find(self, kind: MethodKind, name: str | None) -> Method:
        name = name or kind.value
        method = self._methods.get(name)
        if method is None:
            raise NotFoundError(f'this model has no method "{name}"; its methods are {", ".join(self._methods)}')
        if method.kind is not kind:
            raise InputError(
                f'the method "{name}" {_HOW[method.kind]}: it is called by {_RPCS[method.kind]}, not by {_RPCS[kind]}'
            )
        return method


def _only_input(request: Request) -> codec.Data:
    if len(request.inputs) != 1:
        raise InputError(f"a call that answers in pieces takes one input in each message, not {len(request.inputs)}")
    return request.inputs[0].data


def _refused(error: PlaygroundError, call: Call) -> bytes:
    return replies.failure(replies.as_error(error, call_id=call.call_id), is_owner=call.is_owner)
