"""The bare limits: a grpc.aio server, a relay of raw bytes before it, and a Channels consumer on Daphne behind that.

``python -m tests.benchmarks.bare server|relay|web [ADDRESS]`` starts one and prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = "/clarifai.api.V2/"
OPTIONS = [
    ("grpc.max_receive_message_length", 128 * 2**20),
    ("grpc.max_send_message_length", 128 * 2**20),
    ("grpc.so_reuseport", 0),
]
Request = service_pb2.PostModelOutputsRequest
Reply = service_pb2.MultiOutputResponse


def request_of(data: resources_pb2.Data) -> Any:
    """The request that carries ``data`` as the argument ``text``."""
    part = resources_pb2.Part(id="text", data=data)
    return Request(model_id="bench", inputs=[resources_pb2.Input(data=resources_pb2.Data(parts=[part]))])


def reply_of(data: resources_pb2.Data) -> Any:
    """The reply that carries ``data`` as the value returned."""
    ok = status_pb2.Status(code=10000)
    part = resources_pb2.Part(id="return", data=data)
    output = resources_pb2.Output(status=ok, data=resources_pb2.Data(parts=[part]))
    return Reply(status=ok, outputs=[output])


def _text(text: str) -> resources_pb2.Data:
    return resources_pb2.Data(string_value=text)


async def _unary(request: Any, context: Any) -> Any:
    return reply_of(request.inputs[0].data.parts[0].data)


async def _generate(request: Any, context: Any) -> AsyncIterator[Any]:
    argument = request.inputs[0].data.parts[0].data
    if argument.int_value:  # paced: this many readings of the clock, one each 20 ms
        start = time.monotonic()
        for number in range(argument.int_value):
            await asyncio.sleep(max(0.0, start + number * 0.02 - time.monotonic()))
            yield reply_of(_text(f"{time.monotonic_ns()} "))
        return
    for _ in range(1000):
        yield reply_of(argument)


async def _stream(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
    async for request in requests:
        yield reply_of(request.inputs[0].data.parts[0].data)


async def _serve(handlers: dict[str, Any]) -> None:
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("clarifai.api.V2", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


async def serve_echo() -> None:
    """The single hop: the same messages, nothing around them."""
    codec = {"request_deserializer": Request.FromString, "response_serializer": Reply.SerializeToString}
    await _serve(
        {
            "PostModelOutputs": grpc.unary_unary_rpc_method_handler(_unary, **codec),
            "GenerateModelOutputs": grpc.unary_stream_rpc_method_handler(_generate, **codec),
            "StreamModelOutputs": grpc.stream_stream_rpc_method_handler(_stream, **codec),
        }
    )


async def serve_relay(upstream: str) -> None:
    """A hop that passes bytes on and does nothing else."""
    channel = grpc.aio.insecure_channel(upstream, options=OPTIONS)
    unary = channel.unary_unary(f"{SERVICE}PostModelOutputs")
    generate = channel.unary_stream(f"{SERVICE}GenerateModelOutputs")
    stream = channel.stream_stream(f"{SERVICE}StreamModelOutputs")

    async def relay_unary(request: bytes, context: Any) -> bytes:
        reply: bytes = await unary(request)
        return reply

    async def relay_generate(request: bytes, context: Any) -> AsyncIterator[bytes]:
        async for reply in generate(request):
            yield reply

    async def relay_stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for reply in stream(requests):
            yield reply

    await _serve(
        {
            "PostModelOutputs": grpc.unary_unary_rpc_method_handler(relay_unary),
            "GenerateModelOutputs": grpc.unary_stream_rpc_method_handler(relay_generate),
            "StreamModelOutputs": grpc.stream_stream_rpc_method_handler(relay_stream),
        }
    )


def serve_web(upstream: str) -> None:
    """A Channels consumer on Daphne that sends each chunk of a paced stream on as a socket message of its own."""
    import socket

    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["channels"], SECRET_KEY="bench", ALLOWED_HOSTS=["*"])
    django.setup()
    from channels.generic.websocket import AsyncWebsocketConsumer
    from daphne.server import Server

    class Bare(AsyncWebsocketConsumer):  # type: ignore[misc]
        channel: Any = None

        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            if Bare.channel is None:
                Bare.channel = grpc.aio.insecure_channel(upstream, options=OPTIONS)
            call = Bare.channel.unary_stream(
                f"{SERVICE}GenerateModelOutputs",
                request_serializer=Request.SerializeToString,
                response_deserializer=Reply.FromString,
            )
            data = resources_pb2.Data(int_value=int(text_data or "0")) if text_data else _text("x" * 20)
            async for reply in call(request_of(data)):
                await self.send(reply.outputs[0].data.parts[0].data.string_value)
            await self.close()

    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    Server(Bare.as_asgi(), endpoints=[f"fd:fileno={listener.fileno()}"], signal_handlers=True).run()


if __name__ == "__main__":
    what, *address = sys.argv[1:]
    if what == "server":
        asyncio.run(serve_echo())
    elif what == "relay":
        asyncio.run(serve_relay(address[0]))
    else:
        serve_web(address[0])
