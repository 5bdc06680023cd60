"""The runner's door for its own gateway: calls over plain sockets, one after another on each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.pipes import CallHead, Frame, Pipe, Rpc, pack_call, unpack_call
from playground.runner.loader import Source
from playground.runner.model import ModelClass
from playground.runner.server import Limits, serve

SECRET = "told to nobody else"
SIZE = 100_000
made: list[int] = []
closed: list[bool] = []


class Talker(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        return text.upper()

    @ModelClass.method
    def generate(self, count: int) -> Iterator[str]:
        made.clear()
        try:
            for number in range(count):
                made.append(number)
                yield str(number).rjust(SIZE)
        finally:
            closed.append(True)

    @ModelClass.method
    def stream(self, text: Iterator[str]) -> Iterator[str]:
        for item in text:
            yield item.upper()


# The class is defined under postponed annotations, which the official contract does not allow: tell the real ones.
Talker.predict.__annotations__.update({"text": str, "return": str})
Talker.generate.__annotations__.update({"count": int, "return": Iterator[str]})
Talker.stream.__annotations__.update({"text": Iterator[str], "return": Iterator[str]})


class Client(Pipe):
    """The gateway's end, by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()

    def on_frame(self, kind: int, payload: bytes) -> None:
        self.frames.put_nowait((kind, payload))

    def on_lost(self) -> None:
        self.frames.put_nowait(None)

    async def next(self) -> tuple[int, bytes] | None:
        return await asyncio.wait_for(self.frames.get(), 10)

    def call(self, rpc: Rpc, method: str, **arguments: Any) -> None:
        self.send(Frame.CALL, pack_call(CallHead(rpc, "id-1"), request(method, **arguments)))


def request(method: str, **arguments: Any) -> bytes:
    data = resources_pb2.Data()
    data.metadata.update({"_method_name": method})
    for name, value in arguments.items():
        field = {"int_value": value} if isinstance(value, int) else {"string_value": value}
        data.parts.add(id=name, data=resources_pb2.Data(**field))
    message = service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data)])
    return bytes(message.SerializeToString())


def text_of(payload: bytes) -> str:
    reply = service_pb2.MultiOutputResponse.FromString(payload)
    assert reply.status.code == StatusCode.SUCCESS, reply
    return str(reply.outputs[0].data.parts[0].data.string_value)


@asynccontextmanager
async def connected(*, secret: str = SECRET) -> AsyncIterator[Client]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    limits = Limits(secret=SECRET, grace=0.2)
    serving = asyncio.create_task(serve(Source(Talker, "t.py"), limits=limits, on_ready=ready.set_result, stop=stop))
    try:
        port = int((await asyncio.wait_for(ready, 10)).partition(" pipe ")[2])
        _, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", port)
        client.send(Frame.HELLO, secret.encode())
        yield client
        client.close()
    finally:
        stop.set()
        await serving


async def test_calls_follow_each_other_on_one_socket() -> None:
    async with connected() as client:
        for word in ("one", "two"):
            client.call(Rpc.POST, "predict", text=word)
            kind, payload = await client.next() or (0, b"")
            assert (kind, text_of(payload)) == (Frame.LAST, word.upper())


async def test_a_stream_answers_before_its_next_input() -> None:
    async with connected() as client:
        client.call(Rpc.STREAM, "stream", text="a")
        for word, following in [("A", "b"), ("B", "c")]:
            kind, payload = await client.next() or (0, b"")
            assert (kind, text_of(payload)) == (Frame.REPLY, word)
            client.send(Frame.MESSAGE, request("stream", text=following))
        kind, payload = await client.next() or (0, b"")
        assert text_of(payload) == "C"
        client.send(Frame.DONE)
        assert await client.next() == (Frame.END, b"")


async def test_whoever_does_not_know_the_secret_is_cut_off() -> None:
    async with connected(secret="a guess") as client:
        client.call(Rpc.POST, "predict", text="x")
        assert await client.next() is None


async def test_a_frame_without_end_is_cut_off() -> None:
    async with connected(secret="x" * 2000) as client:
        assert await client.next() is None


async def test_garbage_in_a_call_ends_the_socket_and_nothing_else() -> None:
    async with connected() as client:
        client.send(Frame.CALL, b"\xff\xff")
        assert await client.next() is None


async def test_closing_the_socket_closes_the_models_generator() -> None:
    closed.clear()
    async with connected() as client:
        client.call(Rpc.GENERATE, "generate", count=1_000_000)
        await client.next()
        client.close()
        for _ in range(500):
            if not closed:
                await asyncio.sleep(0.01)
        assert closed == [True]


async def test_a_slow_reader_slows_the_model() -> None:
    async with connected() as client:
        client.hold()
        client.call(Rpc.GENERATE, "generate", count=1000)
        await asyncio.sleep(1.0)
        ahead = len(made)
        assert 0 < ahead * SIZE < 20_000_000
        client.go_on()
        for number in range(1000):
            _, payload = await client.next() or (0, b"")
            assert int(text_of(payload)) == number
        assert await client.next() == (Frame.END, b"")


LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=64)
NAMES = st.text(st.sampled_from("abc-"), min_size=1, max_size=20)


@given(
    rpc=st.sampled_from(Rpc),
    request_id=LINES,
    flags=st.tuples(st.booleans(), st.booleans()),
    metadata=st.lists(st.tuples(NAMES, LINES), max_size=4),
    rest=st.binary(),
)
def test_what_is_packed_is_what_is_unpacked(
    rpc: Rpc, request_id: str, flags: tuple[bool, bool], metadata: list[tuple[str, str]], rest: bytes
) -> None:
    head = CallHead(rpc, request_id, *flags, tuple(metadata))
    assert unpack_call(pack_call(head, rest)) == (head, rest)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_call_or_a_value_error(payload: bytes) -> None:
    try:
        unpack_call(payload)
    except ValueError as error:
        assert "call" in str(error) or "Rpc" in str(error)  # noqa: PT017


@pytest.mark.parametrize("cut", [1, 3, 7, 64])
def test_frames_arrive_whole_however_the_bytes_come(cut: int) -> None:
    seen: list[tuple[int, bytes]] = []

    class Reader(Pipe):
        def on_frame(self, kind: int, payload: bytes) -> None:
            seen.append((kind, payload))

        def on_lost(self) -> None: ...

    sent: list[bytes] = []

    class Wire:
        def is_closing(self) -> bool:
            return False

        def write(self, data: bytes) -> None:
            sent.append(data)

        def writelines(self, parts: tuple[bytes, ...]) -> None:
            sent.extend(parts)

    writer = Reader()
    writer._transport = Wire()  # type: ignore[assignment]
    frames = [(Frame.CALL, b"abc"), (Frame.DONE, b""), (Frame.REPLY, b"x" * 70_000)]
    for kind, payload in frames:
        writer.send(kind, payload)
    stream = b"".join(sent)
    reader = Reader()
    for start in range(0, len(stream), cut):
        reader.data_received(stream[start : start + cut])
    assert seen == [(int(kind), payload) for kind, payload in frames]
