"""The six call forms of the original documentation, in our words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.sdk import InputError
from tests.sdk.v2_server import V2Server


def text_of(reply: Any) -> str:
    text: str = reply.outputs[0].data.text.raw
    return text


async def test_predict_by_url_with_a_deployment(twin: Any, server: V2Server) -> None:
    reply = await twin.value(
        twin.model().predict_by_url, "http://box/prompt.txt", input_type="text", deployment_id="fast", user_id="ada"
    )
    assert text_of(reply) == "<http://box/prompt.txt>"
    request = server.requests[-1]
    assert request.inputs[0].data.text.url == "http://box/prompt.txt"
    assert not request.inputs[0].data.parts
    assert (server.selector.deployment.id, server.selector.deployment.user_id) == ("fast", "ada")


async def test_generate_by_url(twin: Any, server: V2Server) -> None:
    replies = await twin.pieces(
        twin.model().generate_by_url, "http://box/prompt.txt", input_type="text", deployment_id="fast"
    )
    assert server.calls == ["GenerateModelOutputs"]
    assert server.requests[-1].inputs[0].data.text.url == "http://box/prompt.txt"
    assert server.selector.deployment.id == "fast"
    assert isinstance(replies, list)


@pytest.mark.parametrize(
    "where", [{"deployment_id": "fast"}, {"compute_cluster_id": "local", "nodepool_id": "big", "user_id": "ada"}]
)
async def test_stream_by_bytes_over_prompts(twin: Any, server: V2Server, where: dict[str, str]) -> None:
    prompts = (prompt.encode() for prompt in ["one", "two", "three"])
    replies = await twin.pieces(twin.model().stream_by_bytes, prompts, input_type="text", **where)
    assert [text_of(reply) for reply in replies] == ["one!", "two!", "three!"]
    for request in server.requests:
        selector = request.runner_selector
        assert selector.deployment.id == where.get("deployment_id", "")
        assert selector.nodepool.id == where.get("nodepool_id", "")
        assert selector.nodepool.compute_cluster.id == where.get("compute_cluster_id", "")
        assert selector.nodepool.compute_cluster.user_id == where.get("user_id", "")


async def test_stream_by_url(twin: Any, server: V2Server) -> None:
    urls = iter(["http://box/1.jpg", "http://box/2.jpg"])
    await twin.pieces(twin.model().stream_by_url, urls, input_type="text", deployment_id="fast")
    assert server.requests[0].inputs[0].data.text.url == "http://box/1.jpg"
    assert {request.runner_selector.deployment.id for request in server.requests} == {"fast"}


async def test_stream_by_filepath(twin: Any, server: V2Server, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("from a file")
    replies = await twin.pieces(
        twin.model().stream_by_filepath, str(tmp_path / "prompt.txt"), input_type="text", deployment_id="fast"
    )
    assert [text_of(reply) for reply in replies] == ["from a file!"]
    assert server.selector.deployment.id == "fast"


async def test_a_method_by_its_name(twin: Any, server: V2Server) -> None:
    assert await twin.value(twin.model(deployment_id="fast").predict, text="by name") == "by name"
    assert server.selector.deployment.id == "fast"


# What they share.


async def test_pictures_travel_as_they_are(twin: Any, server: V2Server, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 picture")
    with pytest.raises(InputError):
        await twin.value(twin.model().predict_by_filepath, tmp_path / "a.jpg", input_type="image")
    assert server.requests[-1].inputs[0].data.image.base64 == b"\xff\xd8 picture"


async def test_parameters_become_the_method_s_own_arguments(twin: Any, server: V2Server) -> None:
    reply = await twin.value(twin.model().predict_by_bytes, b"a", "text", {"times": "2", "sep": "+"})
    assert text_of(reply) == "a+a"
    params = server.requests[-1].model.model_version.output_info.params
    assert dict(params) == {"times": "2", "sep": "+"}
    pieces = await twin.pieces(
        twin.model().stream_by_bytes, [b"a", b"b"], input_type="text", inference_params={"prefix": ">"}
    )
    assert [text_of(reply) for reply in pieces] == [">a!", ">b!"]
    with pytest.raises(InputError, match="tone"):
        await twin.value(twin.model().predict_by_bytes, b"a", "text", {"tone": 1})


async def test_output_config_travels(twin: Any, server: V2Server) -> None:
    await twin.whole(twin.model().generate_by_bytes, b"a", "text", output_config={"max_concepts": 3, "min_value": 0.5})
    config = server.requests[-1].model.model_version.output_info.output_config
    assert (config.max_concepts, config.min_value) == (3, 0.5)
    with pytest.raises(InputError, match="max_concept"):
        await twin.whole(twin.model().generate_by_bytes, b"a", "text", output_config={"max_concept": 3})


async def test_the_medium_is_known_from_the_signature(twin: Any) -> None:
    assert text_of(await twin.value(twin.model().predict_by_bytes, b"a")) == "a"
    with pytest.raises(InputError, match="input_type"):
        await twin.value(twin.model().predict_by_bytes, b"a", "picture")


async def test_a_selector_is_never_dropped(twin: Any, server: V2Server) -> None:
    model = twin.model()
    for where in (
        {"nodepool_id": "n"},
        {"compute_cluster_id": "c"},
        {"user_id": "ada"},
        {"deployment_id": "d", "compute_cluster_id": "c", "nodepool_id": "n"},
        {"deployment": "d"},
    ):
        with pytest.raises(InputError):
            await twin.value(model.predict_by_bytes, b"a", "text", **where)
        with pytest.raises(InputError):
            await twin.pieces(model.generate_by_bytes, b"a", "text", **where)
        with pytest.raises(InputError):
            await twin.pieces(model.stream_by_bytes, [b"a"], "text", **where)
    assert server.calls == []


async def test_a_call_s_own_selector_takes_the_model_s_place(twin: Any, server: V2Server) -> None:
    model = twin.model(deployment_id="fast")
    await twin.value(model.predict_by_bytes, b"a", "text", compute_cluster_id="local", nodepool_id="big")
    assert (server.selector.deployment.id, server.selector.nodepool.id) == ("", "big")
    await twin.value(model.predict_by_bytes, b"a", "text")
    assert server.selector.deployment.id == "fast"


async def test_a_missing_file_is_named(twin: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.txt"):
        await twin.value(twin.model().predict_by_filepath, tmp_path / "none.txt", "text")
