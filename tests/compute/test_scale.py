"""How many replicas: the rule by itself, and with real runners down to none and up again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from playground.compute.scaling import Facts, Scale, Trend, desired_replicas
from tests.gateway import live

if TYPE_CHECKING:
    from tests.compute.plane import Plane

SCALE = Scale(min_replicas=1, max_replicas=4, history=0, up_delay=5, down_delay=60, zero_delay=900, calls_per_replica=2)
TO_ZERO = Scale(min_replicas=0, max_replicas=4, history=0, zero_delay=30, calls_per_replica=2)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(SCALE, wanted=1), 1),
        (Facts(SCALE, wanted=0), 1),
        (Facts(SCALE, wanted=9), 4),
        (Facts(SCALE, wanted=1, calls=6, load=6, above=4.9), 1),
        (Facts(SCALE, wanted=1, calls=6, load=6, above=5), 3),
        (Facts(SCALE, wanted=1, calls=99, load=99, above=5), 4),
        (Facts(SCALE, wanted=3, calls=2, load=2, below=59), 3),
        (Facts(SCALE, wanted=3, calls=2, load=2, below=60), 1),
        (Facts(SCALE, wanted=3, below=60, idle=10_000), 1),
        (Facts(TO_ZERO, wanted=1, idle=29), 1),
        (Facts(TO_ZERO, wanted=1, idle=30), 0),
        (Facts(TO_ZERO, wanted=3, idle=30), 0),
        (Facts(TO_ZERO, wanted=1, below=10_000), 1),
        (Facts(TO_ZERO, wanted=0), 0),
        (Facts(TO_ZERO, wanted=0, calls=1), 1),
        (Facts(Scale(min_replicas=0, max_replicas=0), wanted=1, calls=1), 0),
    ],
)
def test_so_many_are_wanted(facts: Facts, expected: int) -> None:
    assert desired_replicas(facts) == expected


def play(trend: Trend, scale: Scale, calls: list[int], *, start: float = 0) -> list[int]:
    """What is decided each second under so many calls at once."""
    last = None
    decided = []
    for second, number in enumerate(calls):
        now = start + second
        last = now if number else last
        idle = None if last is None else now - last
        decided.append(trend.note(now, calls=number, is_ready=trend.wanted > 0, scale=scale, idle=idle))
    return decided


def test_a_burst_shorter_than_the_delay_changes_nothing() -> None:
    assert set(play(Trend(wanted=1), SCALE, [0, 9, 9, 9, 9, 0, 9, 9, 0])) == {1}


def test_load_that_stays_is_followed_up_and_later_down() -> None:
    decided = play(Trend(wanted=1), SCALE, [8] * 10 + [1] * 70)
    assert decided[:5] == [1] * 5
    assert decided[5:60] == [4] * 55
    assert decided[-1] == 1


def test_it_is_idle_from_when_it_was_ready() -> None:
    trend = Trend(wanted=1)
    for second in range(100):
        assert trend.note(second, calls=0, is_ready=False, scale=TO_ZERO, idle=None) == 1
    assert trend.note(100, calls=0, is_ready=True, scale=TO_ZERO, idle=None) == 1
    assert trend.note(129, calls=0, is_ready=True, scale=TO_ZERO, idle=None) == 1
    assert trend.note(130, calls=0, is_ready=True, scale=TO_ZERO, idle=None) == 0


def test_those_who_poll_for_it_find_it() -> None:
    """A delay of nothing would end it before the one who woke it looks again."""
    scale = Scale(min_replicas=0, zero_delay=0)
    trend = Trend(wanted=0)
    assert trend.note(0, calls=1, is_ready=False, scale=scale, idle=0) == 1
    assert trend.note(20, calls=0, is_ready=True, scale=scale, idle=18) == 1
    assert trend.note(27, calls=0, is_ready=True, scale=scale, idle=25) == 1
    assert trend.note(28, calls=1, is_ready=True, scale=scale, idle=0) == 1
    assert trend.note(29, calls=0, is_ready=True, scale=scale, idle=0.5) == 0


def test_an_average_forgets() -> None:
    scale = Scale(max_replicas=9, history=60, calls_per_replica=2)
    trend = Trend(wanted=1)
    play(trend, scale, [8] * 60)
    assert 7 < trend.load < 8
    play(trend, scale, [0] * 60, start=60)
    assert trend.load < 0.6


# With real runners.


def test_to_zero_and_from_zero_within_two_seconds(plane: Plane) -> None:
    plane.make(min_replicas=0, scale_to_zero_delay_seconds=1)
    plane.live.start()
    seen = plane.wait_for("zero", state="scaled to zero", ready=0)
    assert seen["states"] == ["pending", "starting", "ready", "draining", "scaled to zero"]
    assert not seen["replicas"]
    assert not plane.live.runners()
    with plane.calling() as caller:
        took = []
        for _ in range(3):
            began = time.monotonic()
            assert caller.answer()
            took.append(time.monotonic() - began)
            plane.wait_for("zero again", state="scaled to zero")
    assert min(took) <= 2.0, took


def test_what_was_at_zero_stays_there_over_a_restart(plane: Plane) -> None:
    plane.make(min_replicas=0, scale_to_zero_delay_seconds=1)
    plane.live.start()
    plane.wait_for("zero", state="scaled to zero")
    plane.live.stop()
    plane.live.start()
    time.sleep(1)
    assert plane.look()["state"] == "scaled to zero"
    assert not plane.live.runners()
    with plane.calling() as caller:
        assert caller.answer()


def test_up_with_the_calls_and_down_without_cutting_one_off(plane: Plane) -> None:
    plane.make(
        min_replicas=1,
        max_replicas=2,
        scale_up_delay_seconds=1,
        scale_down_delay_seconds=1,
        traffic_history_seconds=2,
    )
    plane.live.start()
    plane.wait_for("ready", state="ready", ready=1)
    with plane.calling() as caller:
        threads = [threading.Thread(target=lambda: caller.answers.append(caller.answer("work", "6"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        plane.wait_for("the second replica", ready=2)
        with caller.hold() as release, caller.hold() as release_other:
            for thread in threads:
                thread.join()
            seen = plane.wait_for("one to leave", ready=1)
            assert [state for _, state, _ in seen["replicas"]].count("draining") == 1
            release()
            release_other()
    assert len(caller.answers) == 8
    live.wait_for(lambda: len(plane.live.runners()) == 1, "one runner")


def test_limits_apply_without_a_restart(plane: Plane) -> None:
    plane.make(min_replicas=1, max_replicas=1)
    plane.live.start()
    [before] = plane.wait_for("ready", state="ready", ready=1)["replicas"]
    plane.edit(min_replicas=2, max_replicas=2, queue_limit=9, scale_down_delay_seconds=0)
    after = plane.wait_for("two", state="ready", ready=2, reason="")["replicas"]
    assert before in after
    plane.edit(min_replicas=1, max_replicas=1)
    plane.wait_for("one", ready=1)
