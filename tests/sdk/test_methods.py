from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from playground.sdk import (
    AccessError,
    AsyncClient,
    Client,
    InputError,
    Model,
    ModelError,
    NotFoundError,
    UnavailableError,
)
from tests.sdk.v2_server import V2Server


async def test_a_method_is_called_by_its_own_name(twin: Any) -> None:
    model = twin.model()
    assert await twin.value(model.predict, "a", 2) == "a a"
    assert await twin.value(model.predict, "a", times=3, sep="-") == "a-a-a"
    assert await twin.value(model.rotate, degrees=45) == {"degrees": 45.0, "bytes": 0}
    assert await twin.value(model.count) == 0


async def test_what_was_not_given_is_not_sent(twin: Any, server: V2Server) -> None:
    await twin.value(twin.model().predict, "a")
    assert [part.id for part in server.requests[-1].inputs[0].data.parts] == ["text"]
    request = server.requests[-1]
    assert (request.user_app_id.user_id, request.user_app_id.app_id, request.model_id) == ("owner", "main", "echo")
    assert not request.HasField("runner_selector")
    assert server.metadata["authorization"] == "Key secret"
    assert server.metadata["x-clarifai-request-id-prefix"].startswith("playground-")


async def test_a_list_of_dicts_is_a_batch(twin: Any) -> None:
    model = twin.model()
    assert await twin.value(model.predict, [{"text": "a"}, {"text": "b", "times": 2}]) == ["a", "b b"]
    with pytest.raises(InputError, match="tone"):
        await twin.value(model.predict, [{"text": "a", "tone": "b"}])
    with pytest.raises(InputError, match="at most 128"):
        await twin.value(model.predict, [{"text": "a"}] * 129)


async def test_a_wrong_argument_is_refused_before_the_wire(twin: Any, server: V2Server) -> None:
    model = twin.model()
    await twin.value(model.predict, "a")
    server.calls.clear()
    for args, kwargs, named in ((("a", "b"), {}, "times"), ((), {}, "text"), (("a",), {"tone": 1}, "tone")):
        with pytest.raises(InputError, match=named):
            await twin.value(model.predict, *args, **kwargs)
    assert server.calls == []


async def test_an_unknown_method_names_those_there_are(twin: Any) -> None:
    with pytest.raises(NotFoundError, match=r"echo has no method 'sing': it has predict, generate, stream"):
        await twin.value(twin.model().sing, "a")


async def test_signatures_come_from_the_model_where_there_is_no_catalog(twin: Any, server: V2Server) -> None:
    server.has_catalog = False
    model = twin.model()
    assert (await twin.value(model.available_methods))[:3] == ["predict", "generate", "stream"]
    assert (
        await twin.value(model.method_signature, "predict")
        == "def predict(text: str, times: int = 1, sep: str = ' ') -> str"
    )
    assert await twin.value(model.method_signature, "read") == "def read(document: Text) -> str"
    assert server.calls == ["GetModelVersion", "PostModelOutputs"]


async def test_given_signatures_are_not_asked_for(twin: Any, server: V2Server) -> None:
    model = twin.model(signatures=server.signatures.values())
    assert await twin.value(model.predict, "a") == "a"
    assert server.calls == ["PostModelOutputs"]


async def test_an_unknown_model_is_not_asked_twice(twin: Any, server: V2Server) -> None:
    with pytest.raises(NotFoundError, match="no such model"):
        await twin.value(twin.model("unknown").predict, "a")
    assert server.calls == ["GetModelVersion"]


async def test_a_model_s_own_failure_is_told_apart_and_carries_the_call_s_id(twin: Any) -> None:
    with pytest.raises(ModelError, match="broken") as failure:
        await twin.value(twin.model().fail, "broken")
    assert failure.value.call_id.startswith("test-")
    assert not failure.value.retryable


async def test_an_answer_says_what_it_took_and_where_it_ran(twin: Any) -> None:
    answer = await twin.value(twin.model().call, "predict", {"text": "a"})
    assert (answer.value, answer.prompt_tokens, answer.completion_tokens) == ("a", 3, 5)
    assert answer.served_by.deployment_id == "shared-echo"
    assert answer.request_id.startswith("test-")
    with pytest.raises(InputError, match="open_stream"):
        await twin.value(twin.model().call, "generate", {"text": "a"})


async def test_selectors_travel_and_half_a_pair_does_not(twin: Any, server: V2Server) -> None:
    await twin.value(twin.model(deployment_id="fast", deployment_user_id="ada").predict, "a")
    assert (server.selector.deployment.id, server.selector.deployment.user_id) == ("fast", "ada")
    pair = twin.model().using(compute_cluster_id="local", nodepool_id="big")
    await twin.value(pair.predict, "a")
    assert (server.selector.nodepool.compute_cluster.id, server.selector.nodepool.id) == ("local", "big")
    for given in ({"nodepool_id": "n"}, {"compute_cluster_id": "c"}, {"deployment_user_id": "u"}):
        with pytest.raises(InputError):
            twin.model(**given)
    with pytest.raises(InputError, match="not both"):
        twin.model(deployment_id="d", compute_cluster_id="c", nodepool_id="n")


async def test_nobody_at_the_address_is_said_plainly(twin: Any, server: V2Server) -> None:
    other = type(twin)("127.0.0.1:1")
    with pytest.raises(UnavailableError, match=r"Nobody answers at 127.0.0.1:1 \(connection refused\)"):
        await other.value(other.model().predict, "a")
    await other.close()


def test_help_shows_the_author_s_words(model: Model) -> None:
    assert str(inspect.signature(model.predict)) == "(text: str, times: int = 1, sep: str = ' ') -> str"
    assert model.predict.__doc__ == "Says it so many times."
    assert model.predict.__name__ == "predict"
    assert "rotate" in dir(model)


async def test_the_async_twin_knows_its_methods_once_loaded(server: V2Server) -> None:
    async with AsyncClient(server.target) as client:
        loaded = await client.model("echo").load()
        assert str(inspect.signature(loaded.predict)) == "(text: str, times: int = 1, sep: str = ' ') -> str"


async def test_a_call_of_a_method_not_known_yet_is_whatever_it_turns_out_to_be(server: V2Server) -> None:
    async with AsyncClient(server.target) as client:
        assert await client.model("echo").predict("a") == "a"
        assert await client.model("echo").generate("a b") == "a b "
        assert [piece async for piece in client.model("echo").generate("a b")] == ["a ", "b "]
        async with client.model("echo").generate("a b") as stream:
            assert await anext(stream) == "a "
        with pytest.raises(InputError, match="await it"):
            [piece async for piece in client.model("echo").predict("a")]


def test_a_model_without_a_client_makes_its_own(server: V2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARIFAI_API_BASE", f"http://{server.target}/")
    monkeypatch.setenv("CLARIFAI_PAT", "from-environment")
    model = Model("http://box:8000/owner/main/models/echo")
    assert model.predict("a") == "a"
    assert server.metadata["authorization"] == "Key from-environment"
    model.close()


def test_a_token_may_be_made_for_each_call(server: V2Server) -> None:
    tokens = iter(["one", "two"])
    with Client(server.target, lambda: next(tokens)) as client:
        model = client.model("echo", signatures=server.signatures.values())
        for expected in ("Key one", "Key two"):
            model.predict("a")
            assert server.metadata["authorization"] == expected


def test_one_client_serves_loops_in_turn(server: V2Server) -> None:
    client = AsyncClient(server.target)
    model = client.model("echo", signatures=server.signatures.values())

    async def ask() -> Any:
        return await model.predict("a")

    assert [asyncio.run(ask()), asyncio.run(ask())] == ["a", "a"]


def test_access_is_not_papered_over(server: V2Server) -> None:
    server.refusals.append(AccessError("Unknown token."))
    with Client(server.target) as client, pytest.raises(AccessError, match="Unknown token") as refused:
        client.model("echo", signatures=server.signatures.values()).predict("a")
    assert refused.value.call_id == "test-refused"
    assert server.calls == ["PostModelOutputs"]
