"""A run belongs to the server: pages come, go, return, and miss nothing."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from playground.catalog.models import User
from playground.runs import executor, services
from playground.runs.models import EventBlock, Run, Worker
from tests.runs.conftest import Connect, Socket, eventually
from tests.runs.gateway import Gateway
from tests.runs.test_start_run import kinds, stored, values


async def attach(socket: Socket, run: str, after: int = 0) -> None:
    await socket.send_json_to({"type": "attach", "run": run, "after": after})


async def stop(socket: Socket, run: str) -> None:
    await socket.send_json_to({"type": "stop", "run": run})


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["n"] for event in events]


def reached(number: int) -> Any:
    return lambda event: event["n"] >= number


async def test_stop_is_heard_mid_stream(page: Socket, gateway: Gateway) -> None:
    run = await page.start("endless", arguments={"text": "x "})
    await page.events(run, reached(5))
    await stop(page, run)
    events = await page.events(run)
    assert events[-1]["kind"] == "stopped"
    assert events[-1]["outputs"] >= 3
    await eventually(lambda: gateway.cancelled == 1)
    row = await stored(run)
    assert (row.state, row.output_count) == ("stopped", events[-1]["outputs"])


async def test_an_answer_that_hangs_can_be_stopped(page: Socket, gateway: Gateway) -> None:
    run = await page.start("predict", arguments={"text": "hang"})
    await page.events(run, lambda event: event["kind"] == "started")
    await eventually(lambda: gateway.tokens)
    await stop(page, run)
    events = await page.events(run)
    assert kinds(events) == ["stopping", "stopped"]
    assert events[-1]["fate"] == "unknown"  # over plain gRPC nobody says
    await eventually(lambda: gateway.cancelled == 1)


async def test_a_run_that_finished_first_stays_finished(page: Socket) -> None:
    run = await page.start("predict", arguments={"text": "Ada"})
    await page.events(run)
    await stop(page, run)
    assert (await stored(run)).state == "finished"
    assert await page.receive_nothing(0.1)


async def test_closing_the_page_detaches_and_coming_back_misses_nothing(connect: Connect, gateway: Gateway) -> None:
    page = await connect()
    run = await page.start("endless", arguments={"text": "x "})
    seen = await page.events(run, reached(5))
    await page.disconnect()
    await asyncio.sleep(0.2)
    assert gateway.cancelled == 0
    page = await connect()
    await attach(page, run, after=seen[-1]["n"])
    more = await page.events(run, reached(seen[-1]["n"] + 20))
    assert numbers(seen + more) == list(range(1, len(seen + more) + 1))
    await stop(page, run)


async def test_a_finished_run_is_read_from_storage(connect: Connect) -> None:
    page = await connect()
    run = await page.start("quick", arguments={"text": "x", "count": 5000})
    events = await page.events(run)
    await stored(run)
    await executor.shutdown()
    page = await connect()
    await attach(page, run)
    assert await page.events(run) == events
    await attach(page, run, after=4000)
    assert numbers(await page.events(run)) == numbers(events)[4000:]


async def test_two_pages_on_one_run_see_the_same(connect: Connect) -> None:
    first, second = await connect(), await connect()
    run = await first.start("endless", arguments={"text": "x "})
    seen = await first.events(run, reached(5))
    await attach(second, run)
    seconds = await second.events(run, reached(10))
    await stop(second, run)
    seen += await first.events(run)
    seconds += await second.events(run)
    assert seen == seconds


async def test_detaching_ends_the_events_and_not_the_run(page: Socket, gateway: Gateway) -> None:
    run = await page.start("endless", arguments={"text": "x "})
    await page.events(run, reached(5))
    await page.send_json_to({"type": "detach", "run": run})
    other = await page.start("predict", arguments={"text": "Ada"})
    assert values(await page.events(other)) == ["Hello, Ada!"]
    await page.receive_nothing(0.1)
    assert gateway.cancelled == 0


async def test_another_s_run_is_neither_seen_nor_stopped(connect: Connect, stranger: User, gateway: Gateway) -> None:
    page, other = await connect(), await connect(stranger)
    run = await page.start("endless", arguments={"text": "x "})
    await page.events(run, reached(5))
    await attach(other, run)
    assert (await other.refusal())["error"]["name"] == "NotFoundError"
    await stop(other, run)
    assert (await other.refusal())["error"]["name"] == "ConflictError"
    await other.start("predict", run, arguments={"text": "x"})
    assert (await other.refusal())["error"]["name"] == "NotFoundError"
    await stop(page, run)
    await page.events(run)
    await stored(run)
    await executor.shutdown()
    other = await connect(stranger)
    await attach(other, run)
    assert (await other.refusal())["error"]["name"] == "NotFoundError"


async def test_a_run_that_nobody_knows_is_refused(page: Socket) -> None:
    await attach(page, str(uuid.uuid4()))
    assert (await page.refusal())["error"]["name"] == "NotFoundError"
    await stop(page, str(uuid.uuid4()))
    assert (await page.refusal())["error"]["name"] == "ConflictError"


async def test_a_runner_that_goes_away_keeps_what_arrived(page: Socket) -> None:
    run = await page.start("breaks", arguments={"text": "x"})
    events = await page.events(run)
    assert values(events) == ["one ", "two "]
    assert events[-1]["kind"] == "failed"
    assert "went away" in events[-1]["error"]["message"]
    row = await stored(run)
    assert (row.state, row.output_count, row.error["name"]) == ("failed", 2, "UnavailableError")


async def test_a_model_s_failure_carries_its_request_id(page: Socket) -> None:
    events = await page.events(await page.start("predict", arguments={"text": "raise"}))
    error = events[-1]["error"]
    assert (error["name"], error["request_id"]) == ("ModelError", "req-1")
    [routed] = [event for event in events if event["kind"] == "routed"]
    assert routed["as_asked"], "it failed where it was asked to run, and says so"


async def test_a_gateway_that_goes_away_fails_the_run(page: Socket, gateway: Gateway) -> None:
    run = await page.start("endless", arguments={"text": "x "})
    await page.events(run, reached(5))
    await gateway.stop()
    events = await page.events(run)
    assert events[-1]["kind"] == "failed"
    assert events[-1]["outputs"] >= 3
    gateway_again = Gateway()
    gateway_again.port = gateway.port
    await gateway_again.start()
    assert values(await page.events(await page.start("predict", arguments={"text": "Ada"}))) == ["Hello, Ada!"]
    await gateway_again.stop()


async def test_the_end_of_the_server_fails_what_runs(page: Socket) -> None:
    run = await page.start("endless", arguments={"text": "x "})
    await page.events(run, reached(5))
    await executor.shutdown()
    row = await Run.objects.aget(pk=run)
    assert row.state == "failed"
    assert "server was stopped" in row.error["message"]
    events = await sync_to_async(lambda: list(row.events()))()
    assert events[-1]["kind"] == "failed"
    assert numbers(events) == list(range(1, len(events) + 1))
    assert events[-1]["outputs"] == row.output_count == len(values(events))


async def test_runs_of_a_dead_worker_are_failed_and_keep_what_arrived(page: Socket, ada: User) -> None:
    finished = await page.start("quick", arguments={"text": "xy", "count": 3})
    await page.events(finished)
    row = await stored(finished)
    await EventBlock.objects.filter(run=row, last=6).adelete()
    interrupted = await Run.objects.acreate(id=uuid.uuid4(), user=ada, model_id=row.model_id, worker="gone:1:a")
    block = b'[{"n":1,"kind":"started","t":0.1},{"n":2,"kind":"output","t":1.5,"i":0,"value":"xy"}]'
    await EventBlock.objects.acreate(run=interrupted, first=1, last=2, events=block)
    await Run.objects.filter(pk=interrupted.pk).aupdate(created_at=timezone.now() - timedelta(seconds=60))
    assert await sync_to_async(services.fail_dead_runs)() == 1
    assert await sync_to_async(services.fail_dead_runs)() == 0
    await attach(page, str(interrupted.pk))
    events = await page.events(str(interrupted.pk))
    assert numbers(events) == [1, 2, 3]
    assert (events[-1]["kind"], events[-1]["outputs"], events[-1]["characters"]) == ("failed", 1, 2)
    await interrupted.arefresh_from_db()
    assert (interrupted.state, interrupted.output_count) == ("failed", 1)


async def test_runs_of_a_living_worker_go_on(page: Socket, ada: User) -> None:
    run = await page.start("predict", arguments={"text": "Ada"})
    await page.events(run)
    row = await stored(run)
    await Worker.objects.acreate(pk="other:1:a", seen_at=timezone.now())
    away = await Run.objects.acreate(id=uuid.uuid4(), user=ada, model_id=row.model_id, worker="other:1:a")
    await Run.objects.filter(pk=away.pk).aupdate(created_at=timezone.now() - timedelta(seconds=60))
    assert await sync_to_async(services.fail_dead_runs)() == 0
    # Its events come from storage, as they get there.
    await attach(page, str(away.pk))
    await EventBlock.objects.acreate(run=away, first=1, last=1, events=b'[{"n":1,"kind":"started","t":0.1}]')
    assert kinds(await page.events(str(away.pk), reached(1))) == ["started"]
    await EventBlock.objects.acreate(run=away, first=2, last=2, events=b'[{"n":2,"kind":"finished","t":0.1}]')
    assert kinds(await page.events(str(away.pk))) == ["finished"]


@pytest.mark.parametrize("is_live", [True, False])
async def test_a_cursor_past_the_end_is_quiet(page: Socket, is_live: bool) -> None:
    run = await page.start("predict", arguments={"text": "Ada"})
    await page.events(run)
    await stored(run)
    if not is_live:
        executor.current()._runs.clear()
    await attach(page, run, after=99)
    assert await page.receive_nothing(0.1)
    assert values(await page.events(await page.start("predict", arguments={"text": "Bo"}))) == ["Hello, Bo!"]
