"""The gateway before two runners of ours that somebody else keeps: calls go to both, and on when one goes away."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.live import Live

PLACE = """
from pathlib import Path
from playground.catalog import services as catalog
from playground.compute import services
owner, app = catalog.ensure_owner()
model = catalog.add_model(app, Path(sys.argv[1])).model
cluster = services.create_cluster(owner, "upstairs")
nodepool = services.create_nodepool(owner, cluster, "pair", engine="remote", addresses=json.loads(sys.argv[2]))
services.create_deployment(owner, "pair", model, nodepools=[nodepool])
"""
STATE = """
from playground.compute.models import Deployment
row = Deployment.objects.get(slug="pair")
print(json.dumps([row.state, row.reason, row.ready_replicas]))
"""


class Runner:
    """A runner of ours with the model ``echo``, in a process of its own, at the same port each time."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "playground.runner", str(live.ECHO), "--port", str(self.port), "--grace", "5"]
        self.process = subprocess.Popen(
            command, cwd=live.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline()

    def end(self, *, at_once: bool) -> None:
        if self.process is not None:
            self.process.kill() if at_once else self.process.terminate()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


@pytest.fixture
def pair() -> Iterator[tuple[Runner, Runner]]:
    runners = (Runner(), Runner())
    for runner in runners:
        runner.start()
    yield runners
    for runner in runners:
        runner.end(at_once=True)


@pytest.fixture
def front(tmp_path_factory: pytest.TempPathFactory, pair: tuple[Runner, Runner]) -> Iterator[Live]:
    running = live.make(tmp_path_factory.mktemp("front"))
    running.django(PLACE, str(live.ECHO), json.dumps([f"127.0.0.1:{runner.port}" for runner in pair]))
    running.start()
    live.wait_for(lambda: running.django(STATE) == ["ready", "", 2], "both to be found")
    yield running
    running.stop()


def say(front: Live, text: str) -> str:
    return live.text_of(front.predict(live.ask(text, runner_selector=live.by_deployment("pair"))))


@pytest.mark.parametrize("at_once", [False, True], ids=["ended in order", "killed"])
def test_no_call_is_lost_when_an_idle_one_goes_and_comes_back(
    front: Live, pair: tuple[Runner, Runner], at_once: bool
) -> None:
    with ThreadPoolExecutor(4) as pool:
        before = [pool.submit(say, front, str(number)) for number in range(20)]
        assert [one.result() for one in before] == [f"echo {number}" for number in range(20)]
        pair[0].end(at_once=at_once)
        after = [pool.submit(say, front, str(number)) for number in range(20)]
        assert [one.result() for one in after] == [f"echo {number}" for number in range(20)]
    live.wait_for(lambda: front.django(STATE)[2] == 1, "its end to be noticed")
    state, reason, _ = front.django(STATE)
    assert state == "ready"
    assert reason.startswith("1 of 2 addresses answer: ")
    pair[0].start()
    live.wait_for(lambda: front.django(STATE) == ["ready", "", 2], "its return to be noticed")


def test_a_call_that_was_running_is_told_of_its_end(front: Live, pair: tuple[Runner, Runner]) -> None:
    with front.generating(live.ask("x", "leave_midway", runner_selector=live.by_deployment("pair"))) as replies:
        *pieces, last = replies
    assert [live.text_of(piece) for piece in pieces] == ["one", "two"]
    assert last.status.code == StatusCode.RUNNER_PROCESSING_FAILED
    assert say(front, "still here") == "echo still here"
