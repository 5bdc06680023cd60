"""The engine ``remote`` with real runners at its addresses, ours and the official one, and with what is none."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import pytest_asyncio
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from playground.compute.engines.base import Address, Endpoint, Observed, Spec, State
from playground.compute.engines.following import Rhythm
from playground.compute.engines.remote import RemoteEngine
from playground.protocol.signatures import signatures_from_json
from tests import official, tls
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).resolve().parents[2]
ECHO = ROOT / "tests" / "gateway" / "echo"
QUICK = Rhythm(check_every=0.2, look_every=0.5, first_wait=0.1, longest_wait=0.4, patience=1.0, drain=5.0)


class Watched:
    """An engine, and what it has told."""

    def __init__(self, log: Path, rhythm: Rhythm = QUICK) -> None:
        self.calls: Counter[Endpoint] = Counter()
        self.told: list[Observed] = []
        self.engine = RemoteEngine(self._hear, lambda endpoint: self.calls[endpoint], rhythm)
        self._log = log
        self._news = asyncio.Event()

    def spec(self, *addresses: str | Address, **changes: Any) -> Spec:
        made = tuple(Address(one) if isinstance(one, str) else one for one in addresses)
        facts = {"id": 1, "name": "far", "generation": 1, "version_id": "v1", "folder": ECHO, "requirements": ""}
        return Spec(**{**facts, "log": self._log, "addresses": made, **changes})

    def follow(self, *addresses: str | Address, replicas: int = 1, **changes: Any) -> None:
        self.engine.apply(self.spec(*addresses, **changes), replicas)

    @property
    def now(self) -> Observed:
        found = self.engine.observe(1)
        assert found is not None
        return found

    async def until(self, is_so: Callable[[Observed], bool], seconds: float = 45) -> Observed:
        try:
            async with asyncio.timeout(seconds):
                while not is_so(self.now):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"still {self.now}") from None
        return self.now

    async def until_ready(self) -> Endpoint:
        return (await self.until(lambda now: now.state == State.READY)).endpoints[0]

    async def until_failed(self) -> str:
        return (await self.until(lambda now: now.state == State.FAILED)).reason

    def _hear(self, spec: Spec, observed: Observed) -> None:
        self.told.append(observed)
        self._news.set()


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    made = Watched(tmp_path / "far.log")
    yield made
    await made.engine.close()


@contextlib.asynccontextmanager
async def our_runner(folder: Path = ECHO, port: int = 0) -> AsyncIterator[str]:
    """A runner of ours that somebody else has started; gives its address."""
    command = [sys.executable, "-m", "playground.runner", str(folder), "--port", str(port), "--grace", "0"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield line.decode().split()[-1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def socket_server(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[str]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@contextlib.asynccontextmanager
async def grpc_server(answer: Callable[[bytes], bytes] | None) -> AsyncIterator[str]:
    """Something with the standard health service that answers predictions with these bytes, or not at all."""
    server, checks = grpc.aio.server(), health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    if answer is not None:

        async def post(request: bytes, _: Any) -> bytes:
            return answer(request)

        handlers = {"PostModelOutputs": grpc.unary_unary_rpc_method_handler(post)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("clarifai.api.V2", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


# -- who is there ----------------------------------------------------------------------------------------------------


async def test_our_own_runner_is_told_by_its_marks(watched: Watched) -> None:
    async with our_runner() as address:
        watched.follow(address)
        endpoint = await watched.until_ready()
    assert (endpoint.address, endpoint.dialect, endpoint.tls) == (address, "playground", False)
    assert "leave_midway" in signatures_from_json(endpoint.signatures)
    (replica,) = watched.told[-1].replicas
    assert replica.runner_id.startswith("remote-1-")
    assert replica.version_id == "v1"


async def test_an_official_runner_is_followed_through_its_end_and_return(watched: Watched, tmp_path: Path) -> None:
    runner = official.make(tmp_path / "weak")
    try:
        await asyncio.to_thread(runner.start)
        watched.follow(runner.address)
        endpoint = await watched.until_ready()
        assert endpoint.dialect == "official"
        assert "warm" in signatures_from_json(endpoint.signatures)
        runner.stop()
        gone = await watched.until(lambda now: not now.endpoints, 3)
        assert gone.state == State.STARTING
        assert runner.address in gone.reason
        assert "nobody listens there" in await watched.until_failed()
        await asyncio.to_thread(runner.start)
        assert await watched.until_ready() == endpoint
    finally:
        runner.stop()
    log = "\n".join(watched.engine.logs(1, 50))
    assert "is ready: a runner of the official kind" in log
    assert "nobody listens there" in log


async def test_another_model_at_the_same_address_is_noticed(watched: Watched, tmp_path: Path) -> None:
    port = free_port()
    async with our_runner(port=port) as address:
        watched.follow(address)
        first = await watched.until_ready()
    model = (ECHO / "1" / "model.py").read_text().replace("def image_size", "def weight")
    (tmp_path / "other" / "1").mkdir(parents=True)
    (tmp_path / "other" / "1" / "model.py").write_text(model)
    (tmp_path / "other" / "config.yaml").write_text((ECHO / "config.yaml").read_text())
    async with our_runner(tmp_path / "other", port):
        now = await watched.until(lambda now: bool(now.endpoints) and now.endpoints[0] != first)
    assert "weight" in signatures_from_json(now.endpoints[0].signatures)


async def test_each_address_is_a_replica_and_one_may_be_down(watched: Watched) -> None:
    down = f"127.0.0.1:{free_port()}"
    async with our_runner() as one, our_runner() as two:
        watched.follow(one, down, two)
        now = await watched.until(lambda now: len(now.endpoints) == 2 and bool(now.reason))
    assert now.state == State.READY
    assert now.reason == f"2 of 3 addresses answer: {down} does not answer: nobody listens there"
    assert [replica.is_ready for replica in now.replicas] == [True, False, True]


# -- who is not ------------------------------------------------------------------------------------------------------


async def test_an_address_that_never_answers_fails_after_some_patience(watched: Watched) -> None:
    port = free_port()
    watched.follow(f"127.0.0.1:{port}")
    first = await watched.until(lambda now: bool(now.reason))
    assert first.state == State.STARTING
    assert await watched.until_failed() == f"127.0.0.1:{port} does not answer: nobody listens there"
    assert "nobody listens there" in watched.now.log_tail
    async with our_runner(port=port):
        await watched.until_ready()


async def test_whoever_asks_again_is_not_kept_waiting(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "far.log", Rhythm(first_wait=60, patience=0))
    port = free_port()
    try:
        watched.follow(f"127.0.0.1:{port}")
        await watched.until_failed()
        async with our_runner(port=port) as address:
            watched.follow(address, generation=2)
            await watched.until_ready()
    finally:
        await watched.engine.close()


@pytest.mark.parametrize("address", ["far", "far:0", "far:99999", "unix:/run/far.sock", "http://far:80", ":80", ""])
async def test_what_is_no_address_is_called_so(watched: Watched, address: str) -> None:
    watched.follow(address)
    assert "it is written host:port" in await watched.until_failed()


async def test_no_address_at_all_is_called_so(watched: Watched) -> None:
    watched.follow()
    assert await watched.until_failed() == "The nodepool of far names no address."


async def test_a_host_that_is_not_known_is_called_so(watched: Watched) -> None:
    watched.follow("nosuch.invalid:4000")
    assert "the name of its host is not known" in await watched.until_failed()


async def test_something_that_speaks_no_grpc_is_nonsense(watched: Watched) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        writer.close()

    async with socket_server(greet) as address:
        watched.follow(address)
        assert await watched.until_failed() == f"{address} answers, but does not speak gRPC"


def _nonsense() -> list[tuple[Callable[[bytes], bytes] | None, str]]:
    reply = service_pb2.MultiOutputResponse
    told = reply(status={"code": StatusCode.SUCCESS}, outputs=[{"data": {"text": {"raw": "[1, 2"}}}])
    refused = reply(status={"code": StatusCode.CONN_KEY_INVALID, "description": "this key is unknown"})
    return [
        (None, "speaks gRPC, but is no V2 runner"),
        (lambda _: b"\xff\xff\xff", "answers something that is no V2 reply"),
        (lambda _: b"", "does not tell its model's methods: the reply has no status"),
        (lambda _: told.SerializeToString(), "tells nonsense of its model's methods"),
        (lambda _: refused.SerializeToString(), "does not tell its model's methods: this key is unknown"),
    ]


@pytest.mark.parametrize(("answer", "words"), _nonsense())
async def test_something_that_is_no_runner_is_nonsense(
    watched: Watched, answer: Callable[[bytes], bytes] | None, words: str
) -> None:
    async with grpc_server(answer) as address:
        watched.follow(address)
        assert words in await watched.until_failed()


# -- TLS -------------------------------------------------------------------------------------------------------------


async def test_tls_needs_a_certificate_that_is_trusted(watched: Watched, tmp_path: Path) -> None:
    certificate = tls.make_certificate(tmp_path)
    async with our_runner() as plain, tls.door(certificate, plain) as secure:
        watched.follow(Address(secure, tls=True, root_certificate=certificate.pem))
        endpoint = await watched.until_ready()
        assert endpoint.tls
        watched.follow(Address(secure, tls=True))
        assert "nobody we trust has signed" in await watched.until_failed()
        watched.follow(Address(plain, tls=True))
        assert "does not speak TLS" in await watched.until_failed()
        watched.follow(Address(secure))
        assert "does it speak TLS" in await watched.until_failed()
        watched.follow(Address(secure, tls=True, root_certificate="no certificate"))
        assert "root certificate is none" in await watched.until_failed()


# -- wanted or not ---------------------------------------------------------------------------------------------------


async def test_no_replica_wanted_is_scaled_to_zero_until_one_is(watched: Watched) -> None:
    async with our_runner() as address:
        watched.follow(address, replicas=0)
        assert watched.now.state == State.ZERO
        assert watched.now.replicas == ()
        watched.follow(address)
        await watched.until_ready()
        watched.follow(address, replicas=0)
        assert watched.now.endpoints == ()
        await watched.until(lambda now: now.replicas == ())


async def test_what_is_removed_drains_and_is_forgotten(watched: Watched) -> None:
    async with our_runner() as address:
        watched.follow(address)
        endpoint = await watched.until_ready()
        watched.calls[endpoint] = 1
        watched.engine.remove(1)
        assert watched.now.state == State.DRAINING
        assert watched.now.endpoints == ()
        assert [replica.endpoint for replica in watched.now.replicas] == [endpoint]
        watched.calls[endpoint] = 0
        for _ in range(100):
            if watched.engine.observe(1) is None:
                break
            await asyncio.sleep(0.05)
        assert watched.engine.observe(1) is None


async def test_what_is_wanted_again_while_it_drains_comes_back(watched: Watched) -> None:
    async with our_runner() as address:
        watched.follow(address)
        endpoint = await watched.until_ready()
        watched.calls[endpoint] = 1
        watched.engine.remove(1)
        watched.follow(address)
        assert await watched.until_ready() == endpoint


async def test_the_same_again_changes_and_tells_nothing(watched: Watched) -> None:
    async with our_runner() as address:
        watched.follow(address)
        await watched.until_ready()
        told = len(watched.told)
        watched.follow(address, replicas=3)
        watched.follow(address)
        await asyncio.sleep(1.2)
        assert len(watched.told) == told


async def test_environment_variables_are_said_not_to_be_passed_on(watched: Watched) -> None:
    watched.follow(f"127.0.0.1:{free_port()}", environment=(("COLOUR", "red"),))
    assert "environment variables are not passed on" in "\n".join(watched.engine.logs(1, 5))
    assert "red" not in "\n".join(watched.engine.logs(1, 5))
