"""Both twins against a real runner that serves the built-in model ``hello``, behind a secret of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import playground
from playground.sdk import AccessError, Client, InputError, NotFoundError, UnavailableError
from playground.sdk.testing import Server, serve_folder
from tests.sdk.conftest import Async, Sync
from tests.sdk.test_old_forms import text_of

HELLO = Path(playground.__file__).parent / "runner/examples/hello"


@pytest.fixture(scope="module")
def runner() -> Iterator[Server]:
    with serve_folder(HELLO, secret="only ours") as server:
        yield server


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
async def twin(request: pytest.FixtureRequest, runner: Server) -> AsyncIterator[Any]:
    made = request.param(runner.address, metadata=runner.metadata, timeout=10, stream_timeout=10)
    yield made
    await made.close()


async def test_methods_answer_by_their_names(twin: Any) -> None:
    model = twin.model("hello")
    assert (await twin.value(model.available_methods))[:3] == ["predict", "generate", "stream"]
    assert "Ada" in await twin.value(model.predict, "Ada")
    assert await twin.whole(model.generate, "one two") == "one two"
    assert await twin.pieces(model.stream, ["a", "b"]) == ["You said: a", "You said: b"]
    assert await twin.pieces(model.stream, []) == []
    assert await twin.value(model.predict, [{"text": "a"}, {"text": "b"}]) == [
        "Hello! You said: a",
        "Hello! You said: b",
    ]


async def test_arguments_of_every_plain_type_arrive(twin: Any) -> None:
    model = twin.model("hello")
    answer = await twin.value(model.compose, "Ada", 2, friends=["Bob"], shout=True, extra={"a": [1, None]})
    assert answer["greetings"] == ["HELLO, ADA!", "HELLO, BOB!"] * 2
    assert answer["extra"] == {"a": [1, None]}
    for wrong in ({"times": 11}, {"language": "Klingon"}, {"warmth": "hot"}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            await twin.value(model.compose, "Ada", **wrong)


async def test_the_old_form_is_answered_in_the_old_form(twin: Any) -> None:
    model = twin.model("hello")
    assert "prompt" in text_of(await twin.value(model.predict_by_bytes, b"prompt", input_type="text"))
    pieces = await twin.pieces(model.generate_by_bytes, b"a prompt", input_type="text")
    assert "".join(map(text_of, pieces)) == "a prompt"
    pieces = await twin.pieces(model.stream_by_bytes, (one for one in [b"a", b"b", b"c"]), input_type="text")
    assert [text_of(piece) for piece in pieces] == ["You said: a", "You said: b", "You said: c"]


async def test_parameters_of_the_old_form_count(twin: Any) -> None:
    pieces = await twin.pieces(twin.model("hello").generate_by_bytes, b"a b", inference_params={"delay": "0.01"})
    assert "".join(map(text_of, pieces)) == "a b"
    with pytest.raises(InputError, match="delay"):
        await twin.pieces(twin.model("hello").generate_by_bytes, b"a b", inference_params={"delay": 99})


async def test_what_is_not_there_is_said(twin: Any) -> None:
    with pytest.raises(NotFoundError, match="sing"):
        await twin.value(twin.model("hello").sing, "a")


def test_the_secret_keeps_others_out(runner: Server) -> None:
    with Client(runner.address) as client, pytest.raises(AccessError):
        client.model("hello").predict("Ada")


def test_a_folder_that_cannot_be_served_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="did not start"), serve_folder(tmp_path):
        pass
