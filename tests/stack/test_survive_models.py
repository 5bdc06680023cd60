"""A model that raises, hangs, leaves or prints without end harms its own call, and nobody else's."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground.sdk import DeadlineError, ModelError, UnavailableError
from tests.live import Stack
from tests.stack.conftest import Person
from tests.stack.page import Page, is_output, outputs
from tests.stack.test_refuse_calls import troubled

if TYPE_CHECKING:
    from collections.abc import Callable


def log_of(stack: Stack) -> Path:
    [log] = (Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "logs").glob("*-shared-troubled.log")
    return log


def comes(is_so: Callable[[], bool], patience: float = 10) -> bool:
    """Whether something is so, or soon: logs are written by others, in their own time."""
    deadline = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_an_exception_is_told_with_its_traceback_to_the_owner(stack: Stack, owner: Person) -> None:
    with pytest.raises(ModelError) as caught:
        troubled(owner).fail("x")
    error = caught.value
    assert error.message == "The model failed: LookupError: no luck with x"
    assert 'raise LookupError(f"no luck with {text}")' in error.traceback
    assert "playground/runner" not in error.traceback
    assert comes(lambda: error.call_id in log_of(stack).read_text())


@pytest.mark.parametrize(("method", "pieces"), [("fail_midway", ["one ", "two "]), ("fail_asynchronously", ["one "])])
def test_what_came_before_an_exception_is_kept(page: Page, method: str, pieces: list[str]) -> None:
    events = page.events(page.start(method, text="x"))
    assert outputs(events) == pieces
    assert events[-1]["kind"] == "failed"
    assert events[-1]["error"]["message"] == "The model failed: LookupError: no luck with x"


def test_an_exception_that_cannot_be_said_is_cut_to_what_can(stack: Stack, owner: Person) -> None:
    with pytest.raises(ModelError, match="The model failed: ValueError") as caught:
        troubled(owner).fail_oddly("x")
    assert len(caught.value.message) < 2_500
    assert log_of(stack).stat().st_size < 100_000


def test_an_exception_without_words_ends_the_call_too(page: Page) -> None:
    events = page.events(page.start("fail_silently", text="x"))
    assert outputs(events) == ["one "]
    assert "SilentError" in events[-1]["error"]["message"]


def test_an_answer_of_another_type_is_the_models_error(owner: Person) -> None:
    with pytest.raises(ModelError, match="must be str, not dict"):
        troubled(owner).answer_wrongly("x")


def test_sys_exit_ends_the_call_and_not_the_runner(owner: Person) -> None:
    model = troubled(owner)
    before = model.process_id()
    with pytest.raises(ModelError, match="SystemExit"):
        model.quit("x")
    assert model.process_id() == before


def test_a_model_that_hangs_meets_the_callers_deadline(owner: Person) -> None:
    model = troubled(owner)
    with pytest.raises(DeadlineError):
        model.using(timeout=0.5).hang("x")
    pieces = []
    with pytest.raises(DeadlineError), model.using(stream_timeout=0.5).hang_midway("x") as stream:
        pieces.extend(stream)
    assert model.predict("x") == "calm: x"


@pytest.mark.parametrize(
    ("method", "fate"), [("hang", "computing"), ("hang_midway", "computing"), ("hang_asynchronously", "stopped")]
)
def test_a_run_that_hangs_can_be_stopped_and_says_whether_its_model_was(page: Page, method: str, fate: str) -> None:
    run = page.start(method, text="x")
    page.events(run, lambda event: event["kind"] in {"started", "output"})
    time.sleep(0.2)  # for the call to get to the model
    page.say("stop", run)
    events = page.events(run, patience=20)
    assert [event["kind"] for event in events][-2:] == ["stopping", "stopped"]
    assert events[-1]["fate"] == fate
    assert events[-1]["total_ms"] < 2000


def test_a_model_that_listens_is_said_to_have_stopped(page: Page) -> None:
    run = page.start("generate", text="x", count=100, pause=0.3)
    page.events(run, is_output)
    page.say("stop", run)
    assert page.events(run, patience=20)[-1]["fate"] == "stopped"


@pytest.mark.parametrize("method", ["shout", "mutter"])
def test_a_model_that_prints_without_end_slows_nobody_and_fills_no_disk(
    stack: Stack, owner: Person, page: Page, method: str
) -> None:
    run = page.start(method, text="loud " * 20)
    page.events(run, is_output)
    hello = owner.client.model("owner/main/models/hello")
    times = []
    for _ in range(20):
        began = time.monotonic()
        hello.predict("x")
        times.append(time.monotonic() - began)
    page.say("stop", run)
    assert page.events(run, patience=20)[-1]["kind"] == "stopped"
    assert sorted(times)[10] < 1
    log = log_of(stack)
    assert sum(path.stat().st_size for path in log.parent.glob(f"{log.name}*")) < 10 * 2**20


def test_an_answer_too_large_for_the_wire_is_said_to_be(owner: Person) -> None:
    with pytest.raises(ModelError, match="answer is too large"):
        troubled(owner).flood(130)


def test_an_answer_too_large_for_a_page_is_cut(page: Page) -> None:
    events = page.events(page.start("flood", megabytes=20))
    assert 9.9 < len(outputs(events)[0]) / 2**20 <= 10
    assert events[-1]["error"]["message"].startswith("The answer grew past 10 MB")


def test_a_model_that_leaves_fails_its_call_once_and_comes_back(stack: Stack, owner: Person, page: Page) -> None:
    model = troubled(owner)
    before = model.process_id()
    with pytest.raises(UnavailableError, match="went away") as caught:
        model.leave("x")
    assert comes(lambda: caught.value.call_id in gateway_log(stack))
    assert model.process_id() != before
    assert said_of_ends(stack)[-1] == "the runner exited with status 3"


def gateway_log(stack: Stack) -> str:
    return (Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "logs" / "gateway-server.log").read_text()


def said_of_ends(stack: Stack) -> list[str]:
    """How the runner of ``troubled`` ended, each time."""
    lines = gateway_log(stack).splitlines()
    return [line.partition(" s: ")[2] for line in lines if "troubled starting: again in" in line]
