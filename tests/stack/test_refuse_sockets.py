"""The socket of runs against whatever is sent to it: garbage is answered in words, strange pages get nowhere."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import websockets

from tests.live import Stack
from tests.stack.conftest import Person
from tests.stack.page import TROUBLED, Page, is_output, open_socket, outputs

MB = 2**20
NOBODYS = str(uuid.UUID(int=0))


def about(kind: str, **fields: Any) -> str:
    """A message about a run that is nobody's, or whatever ``fields`` make of it."""
    return json.dumps({"type": kind, "run": NOBODYS, **fields})


GARBAGE: list[str | bytes] = [
    "",
    "garbage",
    "null",
    "[]",
    '"start"',
    "[" * 100_000,
    about("dance"),
    '{"type": "start"}',
    about("start", run="1", model=TROUBLED, method="predict"),
    about("start", model="../../etc/passwd", method="predict"),
    about("start", model=TROUBLED, method=["predict"]),
    about("start", model=TROUBLED, method="predict", arguments=[]),
    about("start", model=TROUBLED, method="predict", selector={"x": "y"}),
    about("attach", after=-1),
    about("attach", after=float("inf")),
    about("attach", run={"$ne": None}),
    about("stop"),
    about("input", value="x"),
    about("close_input"),
    b"\x00\xff",
]


@pytest.mark.parametrize("message", GARBAGE, ids=lambda message: str(message)[:40])
def test_garbage_is_answered_in_words(page: Page, message: str | bytes) -> None:
    page.socket.send(message)
    error = page.refusal()
    assert error["name"] in {"InputError", "NotFoundError", "ConflictError"}
    assert error["message"]
    assert error["request_id"]


def test_a_socket_goes_on_after_garbage(page: Page) -> None:
    for message in GARBAGE:
        page.socket.send(message)
    for _ in GARBAGE:
        page.refusal()
    assert page.events(page.start("predict", text="x"))[-1]["kind"] == "finished"


def test_an_input_that_does_not_fit_leaves_the_stream_going(page: Page) -> None:
    run = str(uuid.uuid4())
    page.say("start", run, model=TROUBLED, method="stream", arguments={"text": ["a"]}, open_input=True)
    seen = page.events(run, is_output)
    for value in [3, None, {"media": "nothing"}, ["b"]]:
        page.say("input", run, value=value)
        error = page.refusal()
        assert (error["name"], error["field"]) == ("InputError", "text")
    page.say("input", run, value="b")
    page.say("close_input", run)
    seen += page.events(run)
    assert outputs(seen) == ["a ", "b "]
    assert seen[-1]["kind"] == "finished"


def test_a_large_message_is_refused_and_a_huge_one_ends_the_socket(owner: Person) -> None:
    with owner.open_page() as page:
        page.socket.send(json.dumps({"type": "start", "run": NOBODYS, "arguments": {"text": "x" * (5 * MB)}}))
        assert "at most 4 MB" in page.refusal()["message"]
        with pytest.raises(websockets.ConnectionClosed):
            send_and_hear(page, "x" * (40 * MB))
    with owner.open_page() as page:
        assert page.events(page.start("predict", text="x"))[-1]["kind"] == "finished"


def send_and_hear(page: Page, message: str) -> None:
    page.socket.send(message)
    page.hear()


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", "https://127.0.0.1"])
def test_a_page_of_elsewhere_is_refused(stack: Stack, owner: Person, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus, match="403"), open_socket(stack.web, owner.cookie, origin=origin):
        pass


def test_nobody_signed_in_is_let_in(stack: Stack) -> None:
    with open_socket(stack.web) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            socket.recv(5)
        assert socket.close_code == 4401


def test_there_are_no_other_sockets(stack: Stack, owner: Person) -> None:
    with (
        pytest.raises(websockets.InvalidStatus, match="403"),
        open_socket(stack.web, owner.cookie, path="/ws/nothing/"),
    ):
        pass


def test_another_s_run_is_not_there(stranger: Person, page: Page) -> None:
    run = page.start("generate", text="x", count=1000, pause=0.05)
    page.events(run, is_output)
    with stranger.open_page() as other:
        check_absent(other, run)
    page.events(run, is_output)
    page.say("stop", run)
    assert page.events(run)[-1]["kind"] == "stopped"
    with stranger.open_page() as other:
        check_absent(other, run)


def check_absent(page: Page, run: str) -> None:
    """Every message about the run is answered as if there were none; and its id starts nothing else."""
    for kind in ["attach", "stop", "input", "close_input"]:
        assert ask(page, kind, run) == ask(page, kind, str(uuid.uuid4())), kind
    start = {"model": "owner/main/models/hello", "method": "predict", "arguments": {"text": "x"}}
    page.say("start", run, **start)
    assert page.refusal()["name"] == "NotFoundError"


def ask(page: Page, kind: str, run: str) -> str:
    """What is said to a message about a run, without the run's own id."""
    page.say(kind, run, value="x")
    error = page.refusal()
    return f"{error['name']}: {error['message'].replace(run, 'RUN')}"
