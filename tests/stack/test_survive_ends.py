"""Runner and gateway killed in the middle of things: what arrived is kept, and everything comes back by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
import websockets

from playground.sdk import Client, DeadlineError, PlaygroundError, UnavailableError
from tests.live import Stack, product
from tests.stack.conftest import TROUBLED, Person
from tests.stack.page import Page, is_output, outputs
from tests.stack.test_refuse_calls import troubled

if TYPE_CHECKING:
    from collections.abc import Callable


def until(holds: Callable[[], bool], patience: float = 60) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.05)


def process_of(stack: Stack, name: str) -> psutil.Process:
    below = psutil.Process(stack.process.pid).children(recursive=True)
    [found] = [process for process in below if name in process.cmdline()[1:4]]
    return found


def is_answered(person: Person) -> bool:
    with contextlib.suppress(PlaygroundError):
        return bool(troubled(person).using(timeout=2).predict("x") == "calm: x")
    return False


def test_a_runner_killed_in_mid_stream_keeps_what_arrived_and_comes_back(owner: Person, page: Page) -> None:
    runner = troubled(owner).process_id()
    run = page.start("generate", text="x", count=1000, pause=0.05)
    seen = page.events(run, is_output)
    os.kill(runner, signal.SIGKILL)
    seen += page.events(run)
    assert seen[-1]["kind"] == "failed"
    assert "replica went away" in seen[-1]["error"]["message"]
    assert seen[-1]["error"]["request_id"]
    assert seen[-1]["outputs"] == len(outputs(seen)) > 0
    again = page.start("process_id")
    assert outputs(page.events(again)) != [runner]


def test_a_run_that_failed_is_read_again_complete(owner: Person, page: Page) -> None:
    runner = troubled(owner).process_id()
    run = page.start("generate", text="x", count=1000, pause=0.05)
    seen = page.events(run, is_output)
    os.kill(runner, signal.SIGKILL)
    seen += page.events(run)
    with owner.open_page() as other:
        other.say("attach", run, after=0)
        assert other.events(run) == seen
    assert owner.browser.get(f"/runs/{run}").status_code == 200


def test_a_gateway_killed_under_open_pages_comes_back(stack: Stack, owner: Person, page: Page) -> None:
    gateway = process_of(stack, "gateway")
    runners = gateway.children(recursive=True)
    run = page.start("generate", text="x", count=1000, pause=0.05)
    seen = page.events(run, is_output)
    gateway.kill()
    seen += page.events(run)
    assert seen[-1]["kind"] == "failed"
    assert seen[-1]["outputs"] == len(outputs(seen)) > 0
    # The same page and the same client, as they are, once it is back.
    until(lambda: is_answered(owner))
    again = page.start("predict", text="x")
    assert outputs(page.events(again)) == ["calm: x"]
    assert owner.browser.get("/readyz").status_code == 200
    assert process_of(stack, "gateway").pid != gateway.pid
    until(lambda: not any(process.is_running() for process in runners), 5)


def test_while_there_is_no_gateway_pages_say_so(stack: Stack, owner: Person, page: Page) -> None:
    process_of(stack, "gateway").kill()
    began = time.monotonic()
    assert owner.browser.get("/healthz").status_code == 200
    assert owner.browser.get("/readyz").status_code == 503
    assert owner.browser.get("/owner/main/models/troubled").status_code == 200
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1"):
        raise_first(owner)
    assert time.monotonic() - began < 10
    until(lambda: is_answered(owner))


def test_a_web_process_killed_under_open_pages_comes_back(stack: Stack, owner: Person, page: Page) -> None:
    run = page.start("generate", text="x", count=1000, pause=0.05)
    seen = page.events(run, lambda event: event["n"] > 12)
    time.sleep(0.5)  # a crash loses at most what came within the last quarter of a second
    process_of(stack, "web").kill()
    with pytest.raises(websockets.ConnectionClosed):
        page.events(run)
    until(lambda: is_up(owner))
    with owner.open_page() as again:
        again.say("attach", run, after=seen[-1]["n"])
        rest = again.events(run)
        assert outputs(again.events(again.start("predict", text="x"))) == ["calm: x"]
    assert [event["n"] for event in seen + rest] == list(range(1, len(seen + rest) + 1))
    assert rest[-1]["kind"] == "failed"
    assert rest[-1]["error"]["message"] == "The server that executed this run went away. What arrived is kept."


def is_up(person: Person) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return person.browser.get("/readyz").status_code == 200
    return False


def test_ctrl_c_is_heard_while_a_model_hangs() -> None:
    with product() as own:
        own.add_model(TROUBLED, "troubled")
        processes = psutil.Process(own.process.pid).children(recursive=True)
        with Client(f"http://{own.api}", own.token) as client:
            hanging = client.model("owner/main/models/troubled").using(timeout=0.5)
            for _ in range(3):
                with pytest.raises(DeadlineError):
                    hanging.hang("x")
        own.process.send_signal(signal.SIGINT)
        own.process.wait(5)
        assert not [process for process in processes if process.is_running()]


def raise_first(person: Person) -> None:
    """The first failure of calls made one after the other."""
    for _ in range(3):
        troubled(person).using(timeout=0.2).predict("x")
