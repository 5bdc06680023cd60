"""Garbage, floods, endless answers and forgotten inputs end in words, not in a crash."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.test import Client

from playground.asgi import application
from playground.catalog.models import User
from playground.media import services as media
from playground.runs import consumers, executor, inputs
from playground.runs.consumers import RunConsumer
from tests.media.conftest import picture
from tests.runs.conftest import Connect, Socket, eventually
from tests.runs.gateway import Gateway
from tests.runs.test_start_run import kinds, values


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "5", "null", "{}", '{"type":"dance"}', '{"type":"stop"}', '{"type":"attach","run":5}', '"\ud83d"', "\0"]
    + ['{"type":"attach","run":"%s","after":%s}' % (uuid.UUID(int=7), after) for after in ("-1", '"x"', "true", "1e9")],  # noqa: UP031
)
async def test_garbage_is_refused_and_the_socket_goes_on(page: Socket, text: str) -> None:
    await page.send_to(text_data=text)
    assert (await page.refusal())["error"]["name"] == "InputError"
    assert values(await page.events(await page.start("predict", arguments={"text": "Ada"}))) == ["Hello, Ada!"]


@pytest.mark.parametrize("content", [b"\0\1", b"\0\0\0\5{}", b"\0\0\0\1x", b"\0\0\0\2[]", b"\0\0\0\2{}"])
async def test_bytes_without_a_head_are_refused(page: Socket, content: bytes) -> None:
    await page.send_to(bytes_data=content)
    assert (await page.refusal())["error"]["name"] == "InputError"


async def test_a_huge_message_is_refused(page: Socket) -> None:
    await page.send_to(text_data='"' + "x" * consumers.MAX_MESSAGE + '"')
    assert "at most 4 MB" in (await page.refusal())["error"]["message"]


async def test_deep_nesting_is_refused(page: Socket) -> None:
    await page.send_to(text_data="[" * 100_000)
    assert (await page.refusal())["error"]["name"] == "InputError"


async def test_so_many_runs_at_once_and_no_more(page: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "MAX_RUNNING", 2)
    runs = [await page.start("endless", arguments={"text": "x"}) for _ in range(2)]
    for run in runs:
        await page.events(run, lambda event: event["kind"] == "output")
    third = await page.start("predict", arguments={"text": "x"})
    while (message := await page.message())["type"] == "events":
        pass
    assert (message["run"], message["error"]["name"]) == (third, "OverloadedError")


async def test_an_answer_without_end_is_stopped_at_its_limit(page: Socket, gateway: Gateway, settings: Any) -> None:
    settings.RUN_MAX_TEXT_BYTES = 2**20
    run = await page.start("endless", arguments={"text": "x" * 100_000})
    events = await page.events(run)
    assert events[-1]["kind"] == "failed"
    assert "grew past 1 MB" in events[-1]["error"]["message"]
    assert events[-1]["outputs"] == 11
    await eventually(lambda: gateway.cancelled == 1)


async def test_pictures_past_their_limit_end_a_run(page: Socket, ada: User, settings: Any) -> None:
    settings.RUN_MAX_MEDIA_BYTES = 10
    reference = await sync_to_async(media.store)(picture(), ada, "cat.png")
    events = await page.events(await page.start("picture", arguments={"image": {"media": reference.pk}}))
    assert events[-1]["kind"] == "failed"
    assert events[-1]["error"]["message"].endswith("so the model was stopped. What arrived is kept.")


async def test_a_run_without_end_is_stopped_at_its_hour(page: Socket, gateway: Gateway, settings: Any) -> None:
    settings.RUN_MAX_SECONDS = 0.3
    events = await page.events(await page.start("predict", arguments={"text": "hang"}))
    assert events[-1]["error"]["name"] == "DeadlineError"
    assert "so it was stopped" in events[-1]["error"]["message"]
    await eventually(lambda: gateway.cancelled == 1)


async def test_open_input_ends_when_its_pages_stay_away(connect: Connect, settings: Any) -> None:
    settings.RUN_INPUT_GRACE_SECONDS = 0.2
    page = await connect()
    run = await page.start("stream", arguments={"text": ["a"]}, open_input=True)
    await page.events(run, lambda event: event["kind"] == "output")
    await page.disconnect()
    page = await connect()
    await page.send_json_to({"type": "attach", "run": run, "after": 4})
    assert await page.receive_nothing(0.5)
    await page.disconnect()
    page = await connect()
    await eventually(lambda: executor.current()._runs[uuid.UUID(run)].is_ended)
    await page.send_json_to({"type": "attach", "run": run, "after": 4})
    assert kinds(await page.events(run)) == ["finished"]
    await page.send_json_to({"type": "input", "run": run, "value": "late"})
    assert "no more inputs" in (await page.refusal())["error"]["message"]


async def test_inputs_wait_in_a_bounded_queue(page: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "WAITING", 0)
    run = await page.start("stream", arguments={"text": ["a"]}, open_input=True)
    await page.events(run, lambda event: event["kind"] == "output")
    await page.send_json_to({"type": "input", "run": run, "value": "b"})
    assert (await page.refusal())["error"]["name"] == "OverloadedError"


async def test_a_live_input_that_does_not_fit_names_its_field(page: Socket) -> None:
    run = await page.start("stream", arguments={"text": ["a"]}, open_input=True)
    await page.events(run, lambda event: event["kind"] == "output")
    await page.send_json_to({"type": "input", "run": run, "value": {"media": "x"}})
    assert (await page.refusal())["error"]["field"] == "text"


async def test_nobody_who_is_signed_out_gets_in(ada: User) -> None:
    socket = WebsocketCommunicator(RunConsumer.as_asgi(), "/ws/runs/")
    socket.scope["user"] = AnonymousUser()
    await socket.connect()
    assert await socket.receive_output() == {"type": "websocket.close", "code": executor.SIGNED_OUT}
    await socket.disconnect()


async def test_signing_out_closes_the_socket(ada: User, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "SESSION_CHECK_SECONDS", 0.1)
    browser = Client()
    await sync_to_async(browser.force_login)(ada)
    cookie = browser.cookies[django_settings.SESSION_COOKIE_NAME].value
    headers = [
        (b"host", b"localhost"),
        (b"origin", b"http://localhost"),
        (b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={cookie}".encode()),
    ]
    socket = Socket(application, "/ws/runs/", headers=headers)
    assert (await socket.connect())[0]
    assert values(await socket.events(await socket.start("predict", arguments={"text": "Ada"}))) == ["Hello, Ada!"]
    await Session.objects.all().adelete()
    assert await socket.receive_output(3) == {"type": "websocket.close", "code": executor.SIGNED_OUT}
    await socket.disconnect()
    await executor.shutdown()
