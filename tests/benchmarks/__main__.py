"""Measures every path of the table against its bare limit, in one run, and prints the table.

    python -m tests.benchmarks            # all rows, about two minutes
    python -m tests.benchmarks --quick    # fewer repetitions

Rounds of bare and ours take turns, so that a noisy moment of the machine meets both; figures are medians of rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import statistics
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import PIL.Image
import websockets
from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.values import Image
from playground.sdk import AsyncClient
from tests.benchmarks.bare import OPTIONS, SERVICE, Reply, Request, request_of
from tests.live import Stack, bare, product

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

TEXT = "x" * 200
MODEL = Path(__file__).resolve().parent / "model"


def make_picture() -> bytes:
    """A real PNG of about 200 kB: noise, so that it does not compress."""
    buffer = io.BytesIO()
    PIL.Image.frombytes("RGB", (258, 258), os.urandom(258 * 258 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Row:
    """One line of the table. ``goal`` is the ratio asked for; ``is_cost`` says whether less is better."""

    path: str
    bare: float
    ours: float
    unit: str
    goal: float
    is_cost: bool

    def __str__(self) -> str:
        ratio = self.ours / self.bare
        met = ratio <= self.goal if self.is_cost else ratio >= self.goal
        sign = "≤" if self.is_cost else "≥"
        figures = f"{self.bare:>9.2f} {self.ours:>9.2f} {self.unit:<6} {ratio:>5.2f}"
        return f"{self.path:<58} {figures}  {sign} {self.goal}  {'met' if met else 'NOT MET'}"


async def median_ms(call: Callable[[], Awaitable[Any]], times: int) -> float:
    """The median time of a call made ``times`` times, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def in_turns(
    first: Callable[[], Awaitable[float]], second: Callable[[], Awaitable[float]], rounds: int
) -> tuple[float, float]:
    """The medians of two measurements whose rounds take turns, after one of each that does not count."""
    await first()
    await second()
    results: list[tuple[float, float]] = [(await first(), await second()) for _ in range(rounds)]
    return statistics.median(a for a, _ in results), statistics.median(b for _, b in results)


class BareClient:
    """A bare grpc.aio client."""

    def __init__(self, address: str) -> None:
        channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        codec = {"request_serializer": Request.SerializeToString, "response_deserializer": Reply.FromString}
        self.unary = channel.unary_unary(f"{SERVICE}PostModelOutputs", **codec)
        self.generate = channel.unary_stream(f"{SERVICE}GenerateModelOutputs", **codec)
        self.stream = channel.stream_stream(f"{SERVICE}StreamModelOutputs", **codec)

    async def chunks_per_second(self) -> float:
        start = time.perf_counter()
        count = 0
        async for reply in self.generate(request_of(resources_pb2.Data(string_value="word "))):
            count += len(reply.outputs)
        return count / (time.perf_counter() - start)

    async def round_trip_ms(self, times: int) -> float:
        call = self.stream()
        request = request_of(resources_pb2.Data(string_value=TEXT))

        async def once() -> None:
            await call.write(request)
            await call.read()

        median = await median_ms(once, times)
        await call.done_writing()
        call.cancel()
        return median


async def our_chunks_per_second(model: Any) -> float:
    start = time.perf_counter()
    count = 0
    async with model.open_stream("generate", {"text": "word ", "count": 1000}) as stream:
        async for _ in stream:
            count += 1
    assert count == 1000
    return count / (time.perf_counter() - start)


async def our_first_output_ms(model: Any) -> float:
    start = time.perf_counter()
    async with model.open_stream("generate", {"text": "word ", "count": 1000}) as stream:
        async for _ in stream:
            return (time.perf_counter() - start) * 1000
    raise AssertionError("no output")


async def our_round_trip_ms(model: Any, times: int) -> float:
    waiting: asyncio.Queue[str | None] = asyncio.Queue()

    async def inputs() -> AsyncIterator[str]:
        while (text := await waiting.get()) is not None:
            yield text

    async with model.open_stream("stream", {}, inputs=inputs()) as stream:
        answers = aiter(stream)

        async def once() -> None:
            await waiting.put(TEXT)
            await anext(answers)

        median = await median_ms(once, times)
        await waiting.put(None)
    return median


class Browser:
    """A browser's socket: starts runs and reads their events."""

    def __init__(self, stack: Stack, cookie: str) -> None:
        self.address = stack.web.replace("http", "ws", 1) + "/ws/runs/"
        self.headers = {"Cookie": cookie, "Origin": stack.web}

    def connect(self) -> Any:
        return websockets.connect(
            self.address, additional_headers=self.headers, compression=None, max_size=None, proxy=None
        )

    async def start(self, socket: Any, method: str, arguments: dict[str, Any]) -> None:
        message = {"type": "start", "run": str(uuid.uuid4()), "model": "owner/main/models/bench", "method": method}
        await socket.send(json.dumps(message | {"arguments": arguments, "selector": {}}))

    async def outputs(self, socket: Any) -> AsyncIterator[str]:
        """The outputs of the run that was started, to its end."""
        async for message in socket:
            body = json.loads(message)
            assert body["type"] == "events", body
            for event in body["events"]:
                if event["kind"] == "output":
                    yield event["value"]
                elif event["kind"] == "finished":
                    return
                assert event["kind"] not in {"failed", "stopped"}, event

    async def chunks_per_second(self) -> float:
        async with self.connect() as socket:
            start = time.perf_counter()
            await self.start(socket, "generate", {"text": "word ", "count": 1000})
            count = 0
            async for value in self.outputs(socket):
                count += value.count("word ")
            assert count == 1000, count
            return count / (time.perf_counter() - start)

    async def first_output_ms(self) -> float:
        async with self.connect() as socket:
            start = time.perf_counter()
            await self.start(socket, "generate", {"text": "word ", "count": 1000})
            first = 0.0
            async for _ in self.outputs(socket):
                first = first or (time.perf_counter() - start) * 1000
            return first

    async def paced(self, socket: Any, count: int) -> list[float]:
        """The delays in milliseconds of a paced stream's chunks, from the model to an open socket."""
        await self.start(socket, "paced", {"count": count})
        text = []
        delays = []
        async for value in self.outputs(socket):
            now = time.monotonic_ns()
            text.append(value)
            delays += [(now - int(reading)) / 1e6 for reading in value.split()]
        readings = [int(reading) for reading in "".join(text).split()]
        assert readings == sorted(readings), "out of order"
        assert len(readings) == count, len(readings)
        return delays


async def bare_paced(socket: Any, count: int) -> list[float]:
    await socket.send(str(count))
    return [(time.monotonic_ns() - int(message)) / 1e6 async for message in socket]


async def p99(streams: int, connect: Callable[[], Any], one: Callable[[Any], Awaitable[list[float]]]) -> float:
    """The 99th percentile of the delays of so many streams begun at once on open sockets, in milliseconds."""
    async with contextlib.AsyncExitStack() as sockets:
        opened = [await sockets.enter_async_context(connect()) for _ in range(streams)]
        delays = sorted(delay for stream in await asyncio.gather(*map(one, opened)) for delay in stream)
    return delays[int(len(delays) * 0.99)]


async def measure(stack: Stack, server: str, relay: str, web: str, *, quick: bool) -> list[Row]:
    """Every row that moves messages."""
    times, rounds = (100, 2) if quick else (400, 5)
    client = AsyncClient(f"http://{stack.api}", stack.token)
    model: Any = client.model(user_id="owner", app_id="main", model_id="bench")
    plain = BareClient(server)
    browser = Browser(stack, stack.sign_in())
    rows = []

    def row(path: str, figures: tuple[float, float], unit: str, goal: float, *, is_cost: bool) -> None:
        rows.append(Row(path, *figures, unit, goal, is_cost))
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()

    text_request = request_of(resources_pb2.Data(string_value=TEXT))
    figures = await in_turns(
        lambda: median_ms(lambda: plain.unary(text_request), times),
        lambda: median_ms(lambda: model.call("predict", {"text": TEXT}), times),
        rounds,
    )
    row("unary, 200 bytes, p50", figures, "ms", 2.4, is_cost=True)

    png = make_picture()
    picture_request = request_of(resources_pb2.Data(image=resources_pb2.Image(base64=png)))
    picture = Image(bytes=png)
    figures = await in_turns(
        lambda: median_ms(lambda: plain.unary(picture_request), times // 4),
        lambda: median_ms(lambda: model.call("picture", {"image": picture}), times // 4),
        rounds,
    )
    row("unary, 200 kB picture, p50", figures, "ms", 1.7, is_cost=True)

    figures = await in_turns(plain.chunks_per_second, lambda: our_chunks_per_second(model), rounds)
    row("generate, 1000 chunks", figures, "/s", 0.5, is_cost=False)
    figures = await in_turns(plain.chunks_per_second, browser.chunks_per_second, rounds)
    row("the same on into a socket through a run", figures, "/s", 0.5, is_cost=False)
    first = await in_turns(lambda: our_first_output_ms(model), browser.first_output_ms, rounds * 4)
    sys.stdout.write(
        f"first output: SDK {first[0]:.2f} ms, socket {first[1]:.2f} ms, later by {first[1] - first[0]:.2f} ms  (≤ 8)\n"
    )

    figures = await in_turns(lambda: plain.round_trip_ms(times), lambda: our_round_trip_ms(model, times), rounds)
    row("stream, one in one out, p50", figures, "ms", 2.2, is_cost=True)

    count = 100 if quick else 250

    def paced_bare(socket: Any) -> Awaitable[list[float]]:
        return bare_paced(socket, count)

    figures = await in_turns(
        lambda: p99(64, lambda: websockets.connect(f"ws://{web}/", compression=None, proxy=None), paced_bare),
        lambda: p99(64, browser.connect, lambda socket: browser.paced(socket, count)),
        2,
    )
    row("64 streams of 50 chunks/s into 64 sockets, p99 delay", figures, "ms", 1.5, is_cost=True)
    await client.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args()
    sys.stdout.write(f"{'path':<58} {'bare':>9} {'ours':>9} {'unit':<6} ratio  goal\n")
    with bare("server") as server, bare("relay", server) as relay, bare("web", relay) as web, product() as stack:
        time.sleep(3)
        sizes = stack.memory()
        for name, size in sizes.items():
            sys.stdout.write(f"  {size:6.1f} MB  {name}\n")
        sys.stdout.write(f"idle memory, PSS: {sum(sizes.values()):.0f} MB  (≤ 260)\n")
        stack.add_model(MODEL, "bench")
        asyncio.run(measure(stack, server, relay, web, quick=options.quick))


if __name__ == "__main__":
    main()
