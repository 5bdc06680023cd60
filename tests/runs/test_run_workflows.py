"""A workflow's run on a page's socket: each node's events, kept; stopped, half failed, refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.models import PUBLIC, App, Model, User, Workflow
from playground.catalog.workflows import add_workflow
from playground.media import services as media
from playground.runs import export, history
from playground.runs.models import Run
from tests.media.conftest import picture
from tests.runs.conftest import Connect, Socket, eventually
from tests.runs.gateway import Gateway

CHAIN = """
workflow:
  id: chain
  nodes:
    - id: greet
      model: {model_id: echo}
    - id: words
      model: {model_id: echo}
      method: generate
      prompt: "{greet} Again."
      node_inputs: [{node_id: greet}]
    - id: quiet
      model: {model_id: echo}
      suppress_output: true
"""
APART = """
workflow:
  id: apart
  nodes:
    - id: bad
      model: {model_id: echo}
      prompt: raise
    - id: after
      model: {model_id: echo}
      node_inputs: [{node_id: bad}]
    - id: good
      model: {model_id: echo}
"""
ENDLESS = "workflow: {id: endless, nodes: [{id: talk, model: {model_id: echo}, method: endless}]}"
PICTURES = """
workflow:
  id: pictures
  nodes:
    - id: same
      model: {model_id: echo}
      method: picture
    - id: what
      model: {model_id: echo}
      method: concepts
      prompt: "x"
"""


@pytest.fixture
async def workflows(ada: User) -> None:
    def add() -> None:
        app = App.objects.select_related("owner").get(owner=ada)
        for text in (CHAIN, APART, ENDLESS, PICTURES):
            add_workflow(ada, app, text)

    await sync_to_async(add)()


async def start(page: Socket, name: str, **message: Any) -> str:
    run = str(uuid.uuid4())
    await page.send_json_to({"type": "start", "run": run, "workflow": f"ada/main/workflows/{name}", **message})
    return run


def of(events: list[dict[str, Any]], node: str, kind: str = "output") -> list[Any]:
    return [
        event["value" if kind == "output" else "state"]
        for event in events
        if (event.get("node"), event["kind"]) == (node, kind)
    ]


async def test_each_node_is_told_apart(workflows: None, page: Socket, ada: User) -> None:
    run = await start(page, "chain", arguments={"text": "Ada"})
    events = await page.events(run)
    assert [node["id"] for node in events[0]["nodes"]] == ["greet", "quiet", "words"]
    assert of(events, "greet") == ["Hello, Ada!"]
    assert "".join(of(events, "words")) == "Hello, Ada! Again. "
    assert of(events, "quiet") == []
    assert of(events, "words", "node") == ["started", "finished"]
    done = next(event for event in events if event["kind"] == "node" and event["state"] == "finished")
    assert done["served_by"] == {
        "deployment_id": "shared-echo",
        "nodepool_id": "shared",
        "compute_cluster_id": "local",
        "is_shared": True,
    }
    assert done["as_asked"] is True
    assert events[-1]["kind"] == "finished"
    assert events[-1]["completion_tokens"] == 3 + 3 + 3


async def test_it_is_kept_as_a_run_of_the_workflow(workflows: None, page: Socket, ada: User) -> None:
    run = await start(page, "chain", input="Ada")  # the one thing that it takes needs no name
    await page.events(run)
    row = await sync_to_async(history.find_own)(ada, uuid.UUID(run))
    assert (row.model, str(row.subject), row.state) == (None, "ada/main/workflows/chain", "finished")
    assert row.arguments == {"text": "Ada"}
    assert set(row.served_by["nodes"]) == {"greet", "words", "quiet"}
    assert await sync_to_async(history.list_runs(ada, row.subject).count)() == 1
    told = await sync_to_async(export.describe)(row, is_own=True)
    assert told["workflow"] == "ada/main/workflows/chain"
    assert len(told["outputs"]) == 4
    numbers = [event["n"] for event in told["events"]]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_another_page_reads_it_from_storage(workflows: None, page: Socket, connect: Connect) -> None:
    run = await start(page, "chain", arguments={"text": "Ada"})
    first = await page.events(run)
    other = await connect()
    await other.send_json_to({"type": "attach", "run": run, "after": 0})
    assert await other.events(run) == first


async def test_one_failed_node_fails_what_hangs_on_it(workflows: None, page: Socket, ada: User) -> None:
    run = await start(page, "apart", input="Ada")
    events = await page.events(run)
    assert of(events, "bad", "node") == ["started", "failed"]
    assert of(events, "after", "node") == ["skipped"]
    assert of(events, "good") == ["Hello, Ada!"]
    failed = next(event for event in events if event.get("state") == "failed")
    assert failed["error"]["message"] == "The model failed: KeyError: 'x'"
    assert failed["served_by"]["deployment_id"] == "shared-echo"
    assert events[-1]["kind"] == "failed"
    assert events[-1]["error"]["code"] == StatusCode.MIXED_STATUS
    row = await sync_to_async(history.find_own)(ada, uuid.UUID(run))
    assert row.is_mixed


async def test_stop_reaches_every_node(workflows: None, page: Socket, gateway: Gateway) -> None:
    run = await start(page, "endless", input="x")
    await page.events(run, until=lambda event: event["kind"] == "output")
    await page.send_json_to({"type": "stop", "run": run})
    assert (await page.events(run))[-1]["kind"] == "stopped"
    await eventually(lambda: gateway.cancelled == 1)


async def test_pictures_go_in_and_out_as_files(workflows: None, page: Socket, ada: User) -> None:
    file = await sync_to_async(media.store)(picture(), ada, "cup.png")
    run = await start(page, "pictures", arguments={"image": {"media": file.pk, "content_type": "image/png"}})
    events = await page.events(run)
    (made,) = of(events, "same")
    assert made["content_type"] == "image/png"
    assert [item["concept"]["name"] for item in of(events, "what")[0]] == ["cat", "dog"]
    row = await sync_to_async(history.find_own)(ada, uuid.UUID(run))
    files = await sync_to_async(history.files_of)(row)
    assert {file.pk, made["media"]} <= {kept.pk for kept in files}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("nothing", {"input": "x"}, "No workflow ada/main/workflows/nothing for you"),
        ("chain", {"input": "x", "version": "v9"}, "has no version v9"),
        ("chain", {"input": 7}, 'argument "text" must be str'),
        ("chain", {"arguments": {}}, "text"),
        ("chain", {"arguments": {"words": "x"}}, 'no argument "words"'),
        ("chain", {"input": "x", "selector": {"deployment_id": "mine"}}, "nodes say where"),
        ("pictures", {"arguments": {"image": {"media": "0" * 32}}}, "No file 0000"),
    ],
)
async def test_what_cannot_be_run_is_refused(
    workflows: None, page: Socket, name: str, given: dict[str, Any], said: str
) -> None:
    run = await start(page, name, **given)
    refusal = await page.refusal()
    assert refusal["run"] == run
    assert said in refusal["error"]["message"]
    assert not await Run.objects.filter(pk=run).aexists()


async def test_a_stranger_runs_none_and_opens_no_closed_model(
    workflows: None, connect: Connect, stranger: User
) -> None:
    page = await connect(stranger)
    await start(page, "chain", input="x")
    assert "No workflow" in (await page.refusal())["error"]["message"]
    await Workflow.objects.filter(slug="chain").aupdate(visibility=PUBLIC)
    await start(page, "chain", input="x")
    assert "No model ada/main/models/echo for you" in (await page.refusal())["error"]["message"]
    await Model.objects.aupdate(visibility=PUBLIC)
    run = await start(page, "chain", input="x")
    assert (await page.events(run))[-1]["kind"] == "finished"
