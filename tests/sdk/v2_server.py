"""A V2 server small enough to read: serves one class's methods, keeps what it was asked, and fails on demand."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import codec, signatures
from playground.protocol.errors import InputError, PlaygroundError, to_status
from playground.protocol.values import Image, Text


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    function._is_model_method = True  # type: ignore[attr-defined]
    return function


class Echo:
    """Says what it was told."""

    @method
    def predict(self, text: str, times: int = 1, sep: str = " ") -> str:
        """Says it so many times."""
        return sep.join([text] * times)

    @method
    def generate(self, text: str, pause: float = 0.0) -> Iterator[str]:
        """Says it word by word."""
        yield from (f"{word} " for word in text.split())

    @method
    def stream(self, text: Iterator[str], prefix: str = "") -> Iterator[str]:
        for one in text:
            yield f"{prefix}{one}!"

    @method
    def rotate(self, degrees: float = 90.0, picture: Image = None) -> dict:  # type: ignore[assignment,type-arg]
        return {"degrees": degrees, "bytes": len(picture.bytes) if picture else 0}

    @method
    def weigh(self, picture: Image) -> int:
        return len(picture.bytes)

    @method
    def count(self) -> int:
        return 0

    @method
    def forever(self, text: str) -> Iterator[str]:
        while True:
            yield text

    @method
    def read(self, document: Text) -> str:
        return document.text or document.url or ""

    @method
    def fail(self, text: str) -> str:
        raise ValueError(text)


class V2Server:
    """Answers by ``Echo``; ``refusals`` are given out first, ``requests`` and ``metadata`` keep what came."""

    def __init__(self) -> None:
        self.model = Echo()
        self.signatures = signatures.build_signatures(Echo, where="v2_server.py")
        self.has_catalog = True
        self.refusals: deque[PlaygroundError] = deque()
        self.requests: list[Any] = []
        self.calls: list[str] = []
        self.metadata: dict[str, str] = {}
        self.cancelled = threading.Event()
        self.hangs = False
        self.target = ""

    @property
    def selector(self) -> resources_pb2.RunnerSelector:
        return self.requests[-1].runner_selector

    # The RPCs.

    async def get_version(self, request: Any, context: Any) -> Any:
        self.calls.append("GetModelVersion")
        if not self.has_catalog:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        reply = service_pb2.SingleModelVersionResponse(status=self.status())
        if request.model_id == "unknown":
            reply.status.CopyFrom(to_status(PlaygroundError("no such model", code=StatusCode.MODEL_DOES_NOT_EXIST)))
            reply.status.internal_details = "NotFoundError"
        reply.model_version.method_signatures.extend(self.signatures.values())
        return reply

    async def post(self, request: Any, context: Any) -> Any:
        self.note("PostModelOutputs", request, context)
        if self.hangs:
            await asyncio.sleep(30)
        if self.refusals:
            return self.refusal()
        if codec.method_name(request.inputs[0].data) == "_GET_SIGNATURES":
            text = resources_pb2.Text(raw=signatures.signatures_to_json(self.signatures))
            return self.reply(resources_pb2.Data(text=text))
        try:
            return self.reply(*[self.answer(one.data, "predict") for one in request.inputs])
        except PlaygroundError as error:
            error.call_id = self.status().req_id
            return service_pb2.MultiOutputResponse(status=to_status(error))

    async def generate(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.note("GenerateModelOutputs", request, context)
        if self.refusals:
            yield self.refusal()
            return
        data = request.inputs[0].data
        signature, is_old = self.find(data, "generate")
        arguments = codec.decode_arguments(signature, data)
        try:
            for piece in getattr(self.model, signature.name)(**arguments):
                await asyncio.sleep(arguments.get("pause", 0.0))
                yield self.reply(codec.encode_output(signature, piece, old_form=is_old))
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    async def stream(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        signature, is_old, arguments = None, False, {}
        try:
            async for request in requests:
                self.note("StreamModelOutputs", request, context)
                if self.refusals:
                    yield self.refusal()
                    return
                data = request.inputs[0].data
                if signature is None:
                    signature, is_old = self.find(data, "stream")
                    arguments = codec.decode_arguments(signature, data)
                item = codec.decode_stream_item(signature, data)
                if item is signatures.MISSING:
                    continue
                name = signatures.stream_field(signature).name  # type: ignore[union-attr]
                for piece in getattr(self.model, signature.name)(**arguments, **{name: iter([item])}):
                    yield self.reply(codec.encode_output(signature, piece, old_form=is_old))
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    # What they are made of.

    def note(self, name: str, request: Any, context: Any) -> None:
        self.calls.append(name)
        self.requests.append(request)
        self.metadata = dict(context.invocation_metadata())

    def find(self, data: Any, default: str) -> tuple[Any, bool]:
        name = codec.method_name(data)
        if (name or default) not in self.signatures:
            raise InputError(f"no method {name}")
        return self.signatures[name or default], codec.is_old_form(data)

    def answer(self, data: Any, default: str) -> Any:
        signature, is_old = self.find(data, default)
        for media in codec.remote_media(data):
            if isinstance(media, resources_pb2.Text):
                media.raw = f"<{media.url}>"
        arguments = codec.decode_arguments(signature, data)
        try:
            value = getattr(self.model, signature.name)(**arguments)
        except ValueError as error:
            raise PlaygroundError(str(error), code=StatusCode.FAILURE) from None
        return codec.encode_output(signature, value, old_form=is_old)

    def status(self) -> status_pb2.Status:
        return status_pb2.Status(code=StatusCode.SUCCESS, req_id=f"test-{uuid.uuid4().hex}")

    def reply(self, *outputs: Any) -> Any:
        reply = service_pb2.MultiOutputResponse(status=self.status())
        reply.runner_selector.deployment.id = self.selector.deployment.id or "shared-echo"
        for data in outputs:
            reply.outputs.add(data=data, status=self.status(), prompt_tokens=3, completion_tokens=5)
        return reply

    def refusal(self) -> Any:
        error = self.refusals.popleft()
        error.call_id = "test-refused"
        return service_pb2.MultiOutputResponse(status=to_status(error))

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", 128 * 2**20)])
        post, several = service_pb2.PostModelOutputsRequest, service_pb2.MultiOutputResponse
        ask = service_pb2.GetModelVersionRequest
        write = several.SerializeToString
        handlers = {
            "PostModelOutputs": grpc.unary_unary_rpc_method_handler(self.post, post.FromString, write),
            "GenerateModelOutputs": grpc.unary_stream_rpc_method_handler(self.generate, post.FromString, write),
            "StreamModelOutputs": grpc.stream_stream_rpc_method_handler(self.stream, post.FromString, write),
            "GetModelVersion": grpc.unary_unary_rpc_method_handler(
                self.get_version, ask.FromString, service_pb2.SingleModelVersionResponse.SerializeToString
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("clarifai.api.V2", handlers),))
        self.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        ready.set()
        await stop.wait()
        await server.stop(0)


@contextmanager
def serving() -> Iterator[V2Server]:
    """The server on a free port, in a thread and loop of its own."""
    server, ready, loop = V2Server(), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(ready, stop)), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
