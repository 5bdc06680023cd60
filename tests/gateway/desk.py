"""A relay with real runners behind it, in this loop; what the controller would say of them is said by the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.compute.engines.base import Endpoint, Observed, ReplicaState, State
from playground.compute.routing import DeploymentEntry, ModelEntry, ModelKey, NodepoolKey, Snapshot, route
from playground.compute.traffic import Traffic
from playground.gateway.access import Caller
from playground.gateway.relay import Relay
from playground.gateway.requests import served_by_tail
from playground.gateway.snapshots import Destination
from playground.runner.loader import Source
from playground.runner.model import ModelClass
from playground.runner.server import Limits, serve

if TYPE_CHECKING:
    from playground.compute.routing import Request
    from playground.compute.usage.records import CallRecord
    from playground.gateway.tallies import Tally

SECRET = "told to nobody else"
MODEL = ModelKey("owner", "main", "talker")
POOL = NodepoolKey("owner", "local", "shared")
DEPLOYMENT = DeploymentEntry(7, "owner", "shared-talker", MODEL, POOL, is_shared=True, queue_limit=4)


class Gate:
    """Where the model's methods wait until a test lets them go on."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()

    async def wait_arrived(self, count: int = 1) -> None:
        for _ in range(count):
            assert await asyncio.to_thread(self.arrived.acquire, timeout=10), "nobody came"


def make_model(name: str, gate: Gate) -> type[ModelClass]:
    """A model that says its name; ``hold`` waits at the gate."""

    def predict(self: Any, text: str) -> str:
        return f"{name} {text}"

    def hold(self: Any, text: str) -> str:
        gate.arrived.release()
        assert gate.open.wait(20)
        return f"{name} {text}"

    def generate(self: Any, text: str) -> Iterator[str]:
        for number in range(3):
            yield f"{name} {number}"

    def stream(self: Any, text: Iterator[str]) -> Iterator[str]:
        for item in text:
            yield f"{name} {item}"

    unary = {"text": str, "return": str}
    predict.__annotations__ = hold.__annotations__ = unary
    generate.__annotations__ = {"text": str, "return": Iterator[str]}
    stream.__annotations__ = {"text": Iterator[str], "return": Iterator[str]}
    methods = {method.__name__: ModelClass.method(method) for method in (predict, hold, generate, stream)}
    return type("Talker", (ModelClass,), methods)


class Runner:
    """A real runner; ``end`` is how a process leaves: without a word."""

    def __init__(self, name: str, *, threads: int = 128, queue: int = 64) -> None:
        self._limits = Limits(secret=SECRET, grace=5, threads=threads, queue=queue)
        self.gate = Gate()
        self.name = name
        self.endpoint = Endpoint("")
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        source = Source(make_model(self.name, self.gate), "talker.py")
        self._serving = asyncio.create_task(
            serve(source, limits=self._limits, on_ready=ready.set_result, stop=self._stop)
        )
        address, _, port = (await asyncio.wait_for(ready, 10)).partition(" pipe ")
        self.endpoint = Endpoint(address, SECRET, int(port))

    def stop(self) -> None:
        """Refuse new calls, and end once those that run have ended."""
        self._stop.set()

    async def end(self) -> None:
        """At once."""
        self.gate.open.set()
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait([self._serving])


class Desk:
    """Stands where controller, snapshots, tokens and usage would: what a test says is what the relay hears."""

    def __init__(self, deployment: DeploymentEntry) -> None:
        self.deployment = deployment
        self.observed = Observed(0)
        self.records: list[CallRecord] = []
        self.demands: list[int] = []
        self.traffic = Traffic(self.demands.append)
        self.relay = Relay(self, self, self, self.traffic, self)  # type: ignore[arg-type]
        self._news = asyncio.Event()

    def show(
        self,
        *runners: Runner,
        state: State = State.READY,
        reason: str = "",
        version_id: str = "v1",
        nodepool_id: int = 0,
    ) -> None:
        replicas = tuple(
            ReplicaState(
                runner.name, State.READY, endpoint=runner.endpoint, version_id=version_id, nodepool_id=nodepool_id
            )
            for runner in runners
        )
        self.observed = Observed(0, state, reason, replicas=replicas)
        self._news.set()
        self._news = asyncio.Event()

    # The controller.

    def observe(self, _: int) -> Observed:
        return self.observed

    def endpoints(self) -> set[Endpoint]:
        return set(self.observed.endpoints)

    async def changed(self, _: int) -> None:
        await self._news.wait()

    # Tokens, snapshots, usage.

    async def caller(self, _: object) -> Caller:
        return Caller(1, "owner")

    async def destination(self, _: Caller, request: Request) -> Destination:
        models = [ModelEntry(MODEL, ("v1",))]
        snapshot = Snapshot.of("owner", models=models, deployments=[self.deployment], nodepools=[POOL])
        return Destination(route(snapshot, request), served_by_tail(self.deployment))

    def note(self, tally: Tally) -> None:
        self.records.append(tally.record())


class Context:
    """One call's context, as gRPC or the local door would give it."""

    def __init__(self, *messages: bytes) -> None:
        self.replies: asyncio.Queue[Any] = asyncio.Queue()
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        for message in messages:
            self.messages.put_nowait(message)

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def read(self) -> Any:
        return await self.messages.get()

    async def write(self, reply: bytes) -> None:
        self.replies.put_nowait(parse(reply))

    def end_input(self) -> None:
        self.messages.put_nowait(grpc.aio.EOF)

    async def next(self) -> Any:
        return await asyncio.wait_for(self.replies.get(), 10)


@asynccontextmanager
async def desk(*names: str, deployment: DeploymentEntry = DEPLOYMENT) -> AsyncIterator[tuple[Desk, list[Runner]]]:
    """A desk, and runners of these names, none of them shown yet."""
    made, runners = Desk(deployment), [Runner(name) for name in names]
    try:
        await asyncio.gather(*(runner.start() for runner in runners))
        yield made, runners
    finally:
        await asyncio.gather(*(runner.end() for runner in runners))
        await made.relay.close()


def ask(text: str = "you", method: str = "predict", **fields: Any) -> bytes:
    data = resources_pb2.Data(parts=[resources_pb2.Part(id="text", data=resources_pb2.Data(string_value=text))])
    data.metadata.update({"_method_name": method})
    return bytes(
        service_pb2.PostModelOutputsRequest(
            user_app_id=resources_pb2.UserAppIDSet(user_id="owner", app_id="main"),
            model_id="talker",
            inputs=[resources_pb2.Input(data=data)],
            **fields,
        ).SerializeToString()
    )


def parse(reply: bytes) -> Any:
    return service_pb2.MultiOutputResponse.FromString(reply)


async def post(desk: Desk, text: str = "you", method: str = "predict", **fields: Any) -> Any:
    return parse(await asyncio.wait_for(desk.relay.post(ask(text, method, **fields), Context()), 20))


async def generate(desk: Desk) -> list[Any]:
    context = Context()
    await asyncio.wait_for(desk.relay.generate(ask(method="generate"), context), 20)
    return [context.replies.get_nowait() for _ in range(context.replies.qsize())]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - counts tell nobody that they changed
            await asyncio.sleep(0.005)


def text_of(reply: Any) -> str:
    assert reply.status.code == 10000, reply.status
    return str(reply.outputs[0].data.parts[0].data.string_value)
