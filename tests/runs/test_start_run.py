"""A run is started by a message, and its events stream to the socket."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from playground.catalog.models import Model, User
from playground.compute.models import Deployment
from playground.media import services as media
from playground.runs import executor, services
from playground.runs.models import Run
from tests.media.conftest import picture
from tests.runs.conftest import Socket, eventually
from tests.runs.gateway import Gateway


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for event in events]


def values(events: list[dict[str, Any]]) -> list[Any]:
    return [event["value"] for event in events if event["kind"] == "output"]


async def stored(run: str) -> Run:
    async def is_stored() -> bool:
        return await Run.objects.filter(pk=run).exclude(state="running").aexists()

    await eventually(is_stored)
    return await Run.objects.aget(pk=run)


async def test_an_answer_in_one_piece(page: Socket) -> None:
    run = await page.start("predict", arguments={"text": "Ada"})
    events = await page.events(run)
    assert kinds(events) == ["started", "routed", "output", "finished"]
    assert [event["n"] for event in events] == [1, 2, 3, 4]
    assert values(events) == ["Hello, Ada!"]
    assert events[0]["state"] == "ready"
    assert events[1]["served_by"]["deployment_id"] == "shared-echo"
    assert events[1]["served_by"]["is_shared"]
    assert events[1]["as_asked"]


async def test_an_answer_in_pieces_is_measured_and_stored(page: Socket) -> None:
    run = await page.start("generate", arguments={"text": "a b c"})
    events = await page.events(run)
    assert values(events) == ["a ", "b ", "c "]
    assert [event["tokens"] for event in events if event["kind"] == "output"] == [1, 2, 3]
    end = events[-1]
    assert (end["outputs"], end["characters"], end["prompt_tokens"], end["completion_tokens"]) == (3, 6, 5, 3)
    assert 0 < end["first_output_ms"] <= end["total_ms"]
    row = await stored(run)
    assert (row.state, row.output_count, row.characters, row.completion_tokens) == ("finished", 3, 6, 3)
    assert row.served_by["nodepool_id"] == "shared"
    assert row.total_ms == end["total_ms"]
    assert await sync_to_async(lambda: list(row.events()))() == events
    assert await sync_to_async(services.outputs)(row) == ["a ", "b ", "c "]


async def test_concepts_are_plain(page: Socket) -> None:
    events = await page.events(await page.start("concepts", arguments={"text": "x"}))
    assert values(events)[0][0]["concept"]["name"] == "cat"


async def test_pictures_go_by_reference(page: Socket, ada: User) -> None:
    reference = await sync_to_async(media.store)(picture(), ada, "cat.png")
    run = await page.start("picture", arguments={"image": {"media": reference.pk}})
    [value] = values(await page.events(run))
    assert value["content_type"] == "image/png"
    made = await sync_to_async(media.read_reference)(ada, value["media"])
    assert made == picture() or len(made) > 100
    await stored(run)
    await reference.arefresh_from_db()
    assert reference.is_kept


async def test_a_stream_of_inputs(page: Socket) -> None:
    run = await page.start("stream", arguments={"text": ["a", "b"]})
    assert values(await page.events(run)) == ["<a>", "<b>"]


async def test_live_inputs_are_answered_one_by_one(page: Socket) -> None:
    run = await page.start("stream", arguments={"text": ["a"]}, open_input=True)
    await page.events(run, lambda event: event.get("value") == "<a>")
    for text in ["b", "c"]:
        await page.send_json_to({"type": "input", "run": run, "value": text})
        await page.events(run, lambda event, text=text: event.get("value") == f"<{text}>")
    await page.send_json_to({"type": "close_input", "run": run})
    assert kinds(await page.events(run)) == ["finished"]


async def test_starting_again_is_the_same_run(page: Socket, gateway: Gateway) -> None:
    run = await page.start("generate", arguments={"text": "a b"})
    first = await page.events(run)
    await page.start("generate", run, arguments={"text": "a b"})
    assert await page.events(run) == first
    assert len(gateway.tokens) == 1


async def test_waiting_for_a_deployment_is_told(page: Socket, gateway: Gateway) -> None:
    gateway.deploying = 1
    events = await page.events(await page.start("predict", arguments={"text": "Ada"}))
    assert kinds(events) == ["started", "deploying", "routed", "output", "finished"]
    assert (events[1]["deployment"], events[1]["state"]) == ("shared-echo", "building")


async def test_where_it_ran_is_compared_with_what_was_asked(page: Socket) -> None:
    run = await page.start("predict", arguments={"text": "Ada"}, selector={"deployment_id": "other"})
    events = await page.events(run)
    assert not events[1]["as_asked"]
    pair = {"compute_cluster_id": "local", "nodepool_id": "shared"}
    events = await page.events(await page.start("predict", arguments={"text": "Ada"}, selector=pair))
    assert events[1]["as_asked"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"arguments": {}}, "text", "needs"),
        ({"arguments": {"text": 5}}, "text", "text"),
        ({"arguments": {"text": "x", "more": 1}}, "more", "no argument"),
        ({"method": "ranged", "arguments": {"count": "many"}}, "count", "count"),
        ({"method": "picture", "arguments": {"image": {"media": "0" * 32}}}, "image", "does not exist"),
        ({"method": "picture", "arguments": {"image": "words"}}, "image", "image"),
        ({"method": "stream", "arguments": {"text": "words"}}, "text", "list"),
        ({"method": "nothing"}, None, "has no method"),
        ({"model": "ada/main/models/none"}, None, "No model"),
        ({"version": "none"}, None, "has no version"),
        ({"model": "echo"}, None, "address"),
        ({"model": 5}, None, "model"),
        ({"arguments": []}, None, "arguments"),
        ({"selector": {"runner_id": "x"}}, None, "selector"),
        ({"selector": []}, None, "selector"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_sent(
    page: Socket, gateway: Gateway, change: dict[str, Any], field: str | None, words: str
) -> None:
    run = await page.start(**{"method": "predict", "arguments": {"text": "Ada"}, **change})
    refusal = await page.refusal()
    assert refusal["run"] == run
    assert refusal["error"].get("field") == field
    assert words in refusal["error"]["message"]
    assert not gateway.tokens
    assert not await Run.objects.filter(pk=run).aexists()


async def test_a_file_that_is_no_picture_is_refused(page: Socket, ada: User) -> None:
    reference = await sync_to_async(media.store)(b"words", ada, "cat.png")
    await page.start("picture", arguments={"image": {"media": reference.pk}})
    assert "cat.png is no picture" in (await page.refusal())["error"]["message"]


async def test_another_s_file_is_not_there(page: Socket, stranger: User) -> None:
    reference = await sync_to_async(media.store)(picture(), stranger)
    await page.start("picture", arguments={"image": {"media": reference.pk}})
    assert "does not exist" in (await page.refusal())["error"]["message"]


async def test_a_run_of_a_model_that_nobody_shared_is_refused(connect: Any, stranger: User) -> None:
    socket = await connect(stranger)
    await socket.start("predict", run=str(uuid.uuid4()), arguments={"text": "x"})
    assert "not shared with you" in (await socket.refusal())["error"]["message"]


async def test_a_run_outlives_what_it_is_a_run_of(
    page: Socket, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "GRACE_SECONDS", 0)
    run = await page.start("stream", arguments={"text": ["a"]}, open_input=True)
    await page.events(run, lambda event: event.get("value") == "<a>")
    await eventually(lambda: Run.objects.filter(pk=run).aexists())
    await sync_to_async(Deployment.objects.all().delete)()
    await sync_to_async(Model.objects.all().delete)()
    for text in ["b", "c", "d"]:
        await page.send_json_to({"type": "input", "run": run, "value": text})
        await page.events(run, lambda event, text=text: event.get("value") == f"<{text}>")
        await eventually(lambda: "cannot be stored" in caplog.text)
    await page.send_json_to({"type": "close_input", "run": run})
    assert kinds(await page.events(run)) == ["finished"]
    assert not await Run.objects.filter(pk=run).aexists()
    assert caplog.text.count("cannot be stored") == 1
