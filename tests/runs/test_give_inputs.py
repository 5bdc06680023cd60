"""A stream's inputs, given while it answers: numbered, paired with their outputs, live bytes too."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from asgiref.sync import sync_to_async

from playground.catalog.models import User
from playground.media import services as media
from playground.media.models import Reference
from playground.runs import executor
from tests.media.conftest import picture
from tests.runs.conftest import Connect, Socket
from tests.runs.gateway import Gateway


def live(run: str, content: bytes, *, value: Any = None, key: str = "") -> bytes:
    """A message of bytes."""
    head = orjson.dumps({"run": run, "value": {"media": "live"} if value is None else value, "key": key})
    return len(head).to_bytes(4) + head + content


def is_output(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "output")


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] == kind]


async def test_inputs_and_outputs_are_numbered_and_paired(page: Socket) -> None:
    run = await page.start("stream", arguments={"text": ["a", "b"]}, open_input=True)
    await page.send_json_to({"type": "input", "run": run, "value": "c", "key": "p:3"})
    await page.send_json_to({"type": "close_input", "run": run})
    events = await page.events(run)
    inputs, outputs = of_kind(events, "input"), of_kind(events, "output")
    assert [(event["i"], event["value"]) for event in inputs] == [(0, "a"), (1, "b"), (2, "c")]
    assert [event.get("key") for event in inputs] == [None, None, "p:3"]
    assert [(event["value"], event["of"]) for event in outputs] == [("<a>", 0), ("<b>", 1), ("<c>", 2)]


async def test_a_runner_that_does_not_say_leaves_outputs_unpaired(page: Socket, gateway: Gateway) -> None:
    gateway.says_taken = False
    events = await page.events(await page.start("stream", arguments={"text": ["a"]}))
    assert "of" not in of_kind(events, "output")[0]


async def test_live_bytes_reach_the_model_and_are_not_kept(page: Socket) -> None:
    run = await page.start("watch", open_input=True)
    content = picture()
    for number in range(3):
        await page.send_to(bytes_data=live(run, content, key=f"p:{number}"))
    await page.send_json_to({"type": "close_input", "run": run})
    events = await page.events(run)
    assert [event["value"] for event in of_kind(events, "output")] == [f"{len(content)} bytes"] * 3
    first = of_kind(events, "input")[0]
    assert (first["size"], first["content_type"], first["key"]) == (len(content), "image/png", "p:0")
    assert not await Reference.objects.filter(is_sample=False).aexists()


async def test_live_bytes_that_do_not_fit_are_refused_and_the_stream_goes_on(page: Socket) -> None:
    run = await page.start("watch", open_input=True)
    for wrong in (
        live(run, b"no picture", key="p:1"),
        live(run, picture(), value={"media": "another"}, key="p:1"),
        live(run, picture(), value="text", key="p:1"),
        live(run, b"", key="p:1"),
    ):
        await page.send_to(bytes_data=wrong)
        message = await page.message()
        while message["type"] == "events":
            message = await page.message()
        assert (message["error"]["name"], message["error"]["field"], message["key"]) == ("InputError", "frame", "p:1")
    await page.send_to(bytes_data=live(run, picture()))
    await page.events(run, is_output)


async def test_an_input_that_follows_at_once_waits_until_the_run_is_prepared(page: Socket) -> None:
    run = await page.start("stream", open_input=True)
    await page.send_json_to({"type": "input", "run": run, "value": "early"})
    assert (await page.events(run, is_output))[-1]["value"] == "<early>"


async def test_a_stranger_gives_nothing(connect: Connect, page: Socket, stranger: User) -> None:
    run = await page.start("watch", open_input=True)
    other = await connect(stranger)
    await other.send_to(bytes_data=live(run, picture()))
    assert (await other.refusal())["error"]["name"] == "ConflictError"


async def test_a_file_given_later_is_kept_with_the_run(page: Socket, ada: User) -> None:
    reference = await sync_to_async(media.store)(picture(), ada, "cat.png")
    run = await page.start("watch", open_input=True)
    await page.send_json_to({"type": "input", "run": run, "value": {"media": reference.pk}})
    await page.events(run, is_output)
    assert (await Reference.objects.aget(pk=reference.pk)).is_kept


async def test_past_what_a_run_keeps_live_answers_are_shown_and_not_kept(
    connect: Connect, page: Socket, settings: Any
) -> None:
    settings.RUN_MAX_TEXT_BYTES = 4000
    run = await page.start("watch", open_input=True)
    seen: list[dict[str, Any]] = []
    for number in range(40):
        await page.send_to(bytes_data=live(run, picture(), key=f"p:{number}"))
        seen += await page.events(run, is_output)
    await page.send_json_to({"type": "close_input", "run": run})
    seen += await page.events(run)
    assert [event["i"] for event in of_kind(seen, "output")] == list(range(40))
    assert [event["n"] for event in of_kind(seen, "output")][-5:] == [0] * 5
    assert seen[-1] | {"kind": "finished", "outputs": 40} == seen[-1]
    again = await connect()
    await again.send_json_to({"type": "attach", "run": run, "after": 0})
    kept = await again.events(run)
    assert [event["n"] for event in kept] == list(range(1, len(kept) + 1))
    assert of_kind(kept, "passing")[0]["i"] == len(of_kind(kept, "output"))


async def test_a_waiting_input_has_a_size(page: Socket) -> None:
    run = await page.start("stream", arguments={"text": ["a"]}, open_input=True)
    await page.events(run, is_output)
    live_run = next(iter(executor.current()._runs.values()))
    live_run._inputs._bytes = 16 * 2**20
    await page.send_json_to({"type": "input", "run": run, "value": "b", "key": "p:9"})
    refusal = await page.refusal()
    assert (refusal["error"]["name"], refusal["key"]) == ("OverloadedError", "p:9")
    await asyncio.sleep(0)
