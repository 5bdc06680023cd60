"""Workflows through both twins of the SDK and a real gateway: made from YAML, asked, edited, and what fails in them."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from playground.sdk import Client, ConflictError, InputError, MixedError, NewInput, NotFoundError, UnavailableError
from playground.sdk.testing import Server, serve_gateway
from playground.sdk.workflow_asks import by_url, parse_workflow
from tests.sdk.conftest import Async, Sync
from tests.sdk.test_live_runner import HELLO

if TYPE_CHECKING:
    from pathlib import Path

FLOW = """
workflow:
  id: twice
  nodes:
    - {id: first, model: {model_id: hello}}
    - {id: second, model: {model_id: hello}, node_inputs: [{node_id: first}]}
"""
SAID = "Hello! You said: "


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    with serve_gateway(HELLO) as server:
        yield server


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
async def at(request: pytest.FixtureRequest, gateway: Server) -> AsyncIterator[Any]:
    twin = request.param(gateway.address, token=gateway.token, timeout=60)
    yield twin
    await twin.close()


def new_id(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:8]}"


async def test_from_yaml_to_answers(at: Any, tmp_path: Path) -> None:
    workflows, slug = at.client.workflows, new_id("flow")
    made = await at.value(workflows.create, slug, FLOW, description="Twice.")
    assert made == await at.value(workflows.get, slug)
    assert (made.reference, made.description) == (f"owner/main/workflows/{slug}", "Twice.")
    assert made.yaml == FLOW.replace("id: twice", f"id: {slug}")
    assert [(node.id, node.inputs) for node in made.nodes] == [("first", ()), ("second", ("first",))]
    assert made.nodes[0].model.model_id == "hello"
    assert slug in [one.id for one in await at.value(workflows.list)]
    (tmp_path / "ada.txt").write_text("Ada")
    flow = at.client.workflow(f"http://any.example/{made.reference}")
    for reply in (
        await at.value(flow.predict_by_bytes, b"Ada"),
        await at.value(flow.predict_by_filepath, tmp_path / "ada.txt", "text"),
        await at.value(flow.predict, [NewInput(text="Ada")], deployments={"first": "shared-hello"}),
    ):
        (result,) = reply.results
        told = {output.id: output.data.text.raw for output in result.outputs}
        assert told == {"first": f"{SAID}Ada", "second": f"{SAID}{SAID}Ada"}
    assert (await at.value(flow.info)).id == slug
    edited = await at.value(workflows.edit, slug, description="Again.", visibility="public")
    assert (edited.description, edited.visibility, edited.version_id) == ("Again.", "public", made.version_id)
    edited = await at.value(workflows.edit, slug, yaml=FLOW.replace("second", "other"))
    assert edited.version_id != made.version_id
    old = at.client.workflow(workflow_id=slug, version_id=made.version_id)
    reply = await at.value(old.predict_by_bytes, b"Ada")
    assert [output.id for output in reply.results[0].outputs] == ["first", "second"]
    with pytest.raises(ConflictError, match=slug):
        await at.value(workflows.create, slug, FLOW)
    await at.value(workflows.delete, slug)
    with pytest.raises(NotFoundError, match=slug):
        await at.value(flow.predict_by_bytes, b"Ada")


async def test_what_is_wrong(at: Any) -> None:
    workflows, slug = at.client.workflows, new_id("flow")
    with pytest.raises(InputError, match=r"line 6.*nobody"):
        await at.value(workflows.create, slug, FLOW.replace("node_id: first", "node_id: nobody"))
    await at.value(workflows.create, slug, FLOW)
    flow = at.client.workflow(slug)
    with pytest.raises(InputError, match="private"):
        await at.value(flow.predict_by_url, "http://127.0.0.1:9/ada.txt")
    with pytest.raises(InputError, match="text"):
        await at.value(flow.predict_by_bytes, b"\x89PNG\r\n\x1a\n", "image")
    with pytest.raises(InputError, match="1 to 32"):
        await at.value(flow.predict, [])
    with pytest.raises(MixedError, match="nowhere") as caught:
        await at.value(flow.predict_by_bytes, b"Ada", deployments={"second": "nowhere"})
    first, second = caught.value.reply.results[0].outputs
    assert first.data.text.raw == f"{SAID}Ada"
    assert "nowhere" in second.status.description
    with pytest.raises(InputError, match="output_config"):
        await at.value(flow.predict_by_bytes, b"Ada", output_config={"nothing": 1})


def test_names_of_workflows() -> None:
    whole = parse_workflow("https://a.example/ada/app/workflows/flow/versions/v1")
    assert (whole.user_id, whole.app_id, whole.workflow_id, whole.version_id) == ("ada", "app", "flow", "v1")
    assert parse_workflow("side/flow").app_id == "side"
    with pytest.raises(InputError, match="names no workflow"):
        parse_workflow("https://a.example/ada/app/models/hello")
    assert by_url("http://a.example/x.jpg?y", None).image.url
    with pytest.raises(InputError, match="input_type"):
        by_url("http://a.example/x", None)


async def test_an_act_that_never_left_is_made_again() -> None:
    """Where nobody listens yet: what was not sent may be sent again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = Client(f"127.0.0.1:{port}", "secret", timeout=10)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="Nobody answers"):
        await asyncio.to_thread(client.workflows.delete, "flow")
    assert time.monotonic() - began > 0.4
    client.close()
