"""Runners that die, grow, flood or cannot start; a disk that is full; gateways that are killed, and two at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.compute.plane import Plane
from tests.gateway import live
from tests.gateway.live import Live
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable


def wait_until_gone(pids: Iterable[int], seconds: float = 20) -> None:
    live.wait_for(lambda: not [pid for pid in pids if psutil.pid_exists(pid)], "the runners to be gone", seconds)


def test_a_killed_replica_is_replaced_while_the_other_answers(plane: Plane) -> None:
    plane.make(min_replicas=2, max_replicas=2)
    plane.live.start()
    before = plane.wait_for("two", state="ready", ready=2, reason="")
    victim = plane.live.runners()[0]
    with plane.calling() as caller:
        with caller.keep_calling(each_second=20):
            time.sleep(0.5)
            os.kill(victim, signal.SIGKILL)
            wait_until_gone([victim])
            live.wait_for(lambda: plane.look()["replicas"] != before["replicas"], "its end to be seen")
            seen = plane.wait_for("two again", state="ready", ready=2, reason="")
        # Only what was on the killed one at that moment may be lost.
        assert len(caller.failures) <= 2, caller.failures
    assert len({slug for slug, _, _ in seen["replicas"]} - {slug for slug, _, _ in before["replicas"]}) == 1
    assert len(plane.live.runners()) == 2


def test_repeated_crashes_end_in_failed_until_a_retry(plane: Plane) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready")
    began = time.monotonic()
    while (seen := plane.look())["state"] != "failed":
        for runner in plane.live.runners():
            os.kill(runner, signal.SIGKILL)
        assert time.monotonic() < began + 60
        time.sleep(0.1)
    assert time.monotonic() - began > 0.5 + 1 + 2 + 4
    assert "was ended by SIGKILL" in seen["reason"]
    assert not plane.live.runners()
    plane.live.stop()
    plane.live.start()
    time.sleep(1)
    assert plane.look()["state"] == "failed", "another start of the gateway is nobody's retry"
    assert not plane.live.runners()
    plane.do("services.retry(owner, row)")
    plane.wait_for("ready again", state="ready", ready=1)


def test_over_its_memory_it_is_stopped_and_begins_again(plane: Plane) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready")
    with plane.calling() as caller:
        first = caller.answer("take", "100")
        assert first == caller.answer()
        caller.ask("take", "200")
        wait_until_gone([int(first)])
        assert caller.answer() != first
    reasons = " ".join(plane.wait_for("ready", state="ready")["reasons"])
    log = "\n".join(plane.do("print(json.dumps(services.read_log(row)))"))
    assert "out of memory: it took" in reasons + log
    assert "may have 200Mi" in reasons + log


def test_a_flood_is_bounded_and_holds_up_nobody(plane: Plane) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready")
    with plane.calling() as caller:
        caller.answer("flood")
        end, slowest = time.monotonic() + 4, 0.0
        while time.monotonic() < end:
            began = time.monotonic()
            assert live.is_serving(plane.live.address)
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1
    [log] = (plane.live.data / "logs").glob("*-work.log")
    assert log.stat().st_size < 5 * 2**20


def test_a_log_that_cannot_be_written_stops_nothing(plane: Plane) -> None:
    plane.make()
    log = Path(plane.do("print(json.dumps(str(services.log_path(row))))"))
    log.mkdir(parents=True)
    plane.live.start()
    plane.wait_for("ready", state="ready")
    with plane.calling() as caller:
        assert caller.answer()
        log.rmdir()
        caller.answer("flood")
        live.wait_for(log.is_file, "the log")
    assert "lines could not be written" in log.read_text()


def test_a_killed_gateway_begins_again_with_as_many(plane: Plane) -> None:
    plane.make(min_replicas=2, max_replicas=2)
    for _ in range(3):
        plane.live.start()
        plane.wait_for("two", state="ready", ready=2, reason="")
        runners = plane.live.runners()
        assert len(runners) == 2
        assert plane.live.process is not None
        plane.live.process.kill()
        plane.live.process.wait()
        wait_until_gone(runners)
    plane.live.start()
    seen = plane.wait_for("two", state="ready", ready=2, reason="")
    assert len(seen["replicas"]) == 2
    runners = plane.live.runners()
    plane.live.stop()
    wait_until_gone(runners)
    seen = plane.look()
    assert (seen["state"], seen["ready"], seen["replicas"]) == ("pending", 0, [])


def test_of_two_gateways_one_leads_and_the_other_takes_over(plane: Plane) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready")
    other = Live(plane.live.data, free_port(), plane.live.tokens)
    other.start()
    try:
        assert not other.runners()
        assert plane.live.process is not None
        runners = plane.live.runners()
        plane.live.process.kill()
        plane.live.process.wait()
        wait_until_gone(runners)
        with Plane(other).calling() as caller:
            assert caller.answer()
        assert len(other.runners()) == 1
        seen = plane.wait_for("ready", state="ready", ready=1)
        assert len(seen["replicas"]) == 1
    finally:
        other.stop()


def test_a_gateway_that_hung_leaves_its_runners_to_the_next(plane: Plane) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready")
    other = Live(plane.live.data, free_port(), plane.live.tokens)
    other.start()
    assert plane.live.process is not None
    hung, runners = plane.live.process, plane.live.runners()
    hung.send_signal(signal.SIGSTOP)
    try:
        live.wait_for(other.runners, "the other to lead", 20)
        hung.send_signal(signal.SIGCONT)
        wait_until_gone(runners, 10)
        live.wait_for(lambda: plane.look()["ready"] == 1, "one replica")
        assert not plane.live.runners()
        assert "another gateway took the lead" in Path(plane.live.data / "gateway.out").read_text()
    finally:
        hung.send_signal(signal.SIGCONT)
        other.stop()
