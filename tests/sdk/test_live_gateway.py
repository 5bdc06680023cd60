"""The six call forms of the original documentation through a real gateway, to the built-in model ``hello``."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from playground.sdk import AccessError, InputError, NotFoundError
from playground.sdk.testing import Server, serve_gateway
from tests.sdk.conftest import Async, Sync
from tests.sdk.test_live_runner import HELLO
from tests.sdk.test_old_forms import text_of

DEPLOYMENT = {"deployment_id": "shared-hello", "user_id": "owner"}
NODEPOOL = {"compute_cluster_id": "local", "nodepool_id": "shared"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    with serve_gateway(HELLO, environ={"PLAYGROUND_FETCH_ALLOW": "127.0.0.1"}) as server:
        yield server


class Page(BaseHTTPRequestHandler):
    """A prompt at an address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"from a page")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/prompt.txt"
        server.shutdown()
        thread.join()


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
async def model(request: pytest.FixtureRequest, gateway: Server) -> AsyncIterator[Any]:
    twin = request.param(gateway.address, token=gateway.token, timeout=60, stream_timeout=60)
    yield twin, twin.model("http://localhost:8000/owner/main/models/hello")
    await twin.close()


async def test_a_method_by_its_name(model: Any) -> None:
    twin, hello = model
    assert "Ada" in await twin.value(hello.predict, text="Ada")
    answer = await twin.value(hello.call, "predict", {"text": "Ada"})
    assert (answer.served_by.deployment_id, answer.served_by.nodepool_id) == ("shared-hello", "shared")
    assert answer.request_id.startswith("playground-")


@pytest.mark.parametrize("where", [DEPLOYMENT, NODEPOOL], ids=["deployment", "nodepool"])
async def test_stream_by_bytes_over_prompts(model: Any, where: dict[str, str]) -> None:
    twin, hello = model
    prompts = (prompt.encode() for prompt in ["one", "two", "three"])
    replies = await twin.pieces(hello.stream_by_bytes, prompts, input_type="text", **where)
    assert [text_of(reply) for reply in replies] == ["You said: one", "You said: two", "You said: three"]
    assert {reply.runner_selector.deployment.id for reply in replies} == {"shared-hello"}


async def test_stream_by_filepath(model: Any, tmp_path: Path) -> None:
    twin, hello = model
    (tmp_path / "prompt.txt").write_text("from a file")
    replies = await twin.pieces(hello.stream_by_filepath, tmp_path / "prompt.txt", input_type="text", **DEPLOYMENT)
    assert [text_of(reply) for reply in replies] == ["You said: from a file"]


async def test_predict_by_url_with_a_deployment(model: Any, url: str) -> None:
    twin, hello = model
    reply = await twin.value(hello.predict_by_url, url, input_type="text", **DEPLOYMENT)
    assert text_of(reply) == "Hello! You said: from a page"


async def test_generate_by_url(model: Any, url: str) -> None:
    twin, hello = model
    replies = await twin.pieces(hello.generate_by_url, url, input_type="text", **DEPLOYMENT)
    assert [text_of(reply) for reply in replies] == ["from ", "a ", "page"]


async def test_stream_by_url(model: Any, url: str) -> None:
    twin, hello = model
    replies = await twin.pieces(hello.stream_by_url, iter([url, url]), input_type="text", **DEPLOYMENT)
    assert [text_of(reply) for reply in replies] == ["You said: from a page"] * 2


async def test_the_fence_holds_for_what_was_not_allowed(model: Any) -> None:
    twin, hello = model
    for ask, method, given in (
        (twin.value, hello.predict_by_url, "http://10.0.0.1/a"),
        (twin.pieces, hello.generate_by_url, "file:///etc/hostname"),
        (twin.pieces, hello.stream_by_url, ["http://169.254.169.254/"]),
    ):
        with pytest.raises(InputError, match="fetch"):
            await ask(method, given, input_type="text", **DEPLOYMENT)


async def test_what_is_not_there_is_refused_and_named(model: Any) -> None:
    twin, hello = model
    for ask, method, given in (
        (twin.value, hello.predict_by_bytes, b"a"),
        (twin.pieces, hello.generate_by_bytes, b"a"),
        (twin.pieces, hello.stream_by_bytes, [b"a"]),
    ):
        with pytest.raises(NotFoundError, match="nowhere") as refused:
            await ask(method, given, input_type="text", deployment_id="nowhere")
        assert refused.value.call_id
    with pytest.raises(NotFoundError, match="unknown"):
        await twin.value(twin.model("unknown").predict, "a")


def test_a_wrong_token_is_refused(gateway: Server) -> None:
    with gateway.client(token="wrong") as client, pytest.raises(AccessError, match="token"):
        client.model("hello").predict("a")
