"""Measures what counting calls costs them, and what pages wait for the figures.

    python -m tests.benchmarks.usage

Figures are medians of rounds: of processor time, so that a busy machine disturbs less; a loop's delays are by the
clock, bare and ours in turns.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

os.environ["DJANGO_SETTINGS_MODULE"] = "playground.settings"
_data = tempfile.TemporaryDirectory(prefix="playground-benchmark-", ignore_cleanup_errors=True)
os.environ["PLAYGROUND_DATA_DIR"] = _data.name

import django  # noqa: E402 - the settings read the data folder when they are imported

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from playground.catalog.models import User  # noqa: E402
from playground.compute.usage import queries  # noqa: E402
from playground.compute.usage.counter import CallRecord, Counter  # noqa: E402
from playground.compute.usage.storage import Names, write  # noqa: E402
from playground.compute.usage.tallies import Tallies  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 20_000
RATE = 200  # calls a second, of ten kinds
DEPLOYMENTS = 300


def record(number: int = 0, at: float = 0.0) -> CallRecord:
    return CallRecord(
        1 + number % 10, "v1", "generate", 1, "SUCCESS", at, 0.001 * (number % 300), 0.01, 0.0, 30, 10, 30, 300, 3000
    )


def microseconds(act: Callable[[int], object]) -> float:
    """What one of many acts took, the median of rounds."""
    rounds = []
    for _ in range(9):
        start = time.thread_time()
        for number in range(CALLS):
            act(number)
        rounds.append((time.thread_time() - start) / CALLS * 1e6)
    return statistics.median(rounds)


def milliseconds(act: Callable[[], object], times: int = 15) -> float:
    rounds = []
    for _ in range(times):
        start = time.thread_time()
        act()
        rounds.append((time.thread_time() - start) * 1000)
    return statistics.median(rounds)


def measure_noting() -> None:
    """A call's own share: making the record and noting it, against keeping the bare figures in a list."""
    kept: deque[Any] = deque(maxlen=CALLS)
    bare = microseconds(lambda n: kept.append((1 + n % 10, "v1", "generate", 1, 0.001 * n, 0.01, 30, 10, 30, 300)))
    counter = Counter(max_records=CALLS * 10)
    ours = microseconds(lambda n: counter.note(record(n)))
    tell("note a call", bare, ours, "µs", "≤ 5 µs", is_met=ours - bare <= 5)
    tallies = Tallies()
    tell("count it, in the background", bare, microseconds(lambda n: tallies.note(record(n))), "µs")


async def longest_waits(counter: Counter | None, seconds: float = 3.0) -> float:
    """The 99th percentile of how late a loop wakes up that has ``RATE`` calls to note a second, in ms."""
    late = []
    began = due = time.perf_counter()
    number = 0
    while due < began + seconds:
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        late.append((time.perf_counter() - due) * 1000)
        if counter is not None:
            counter.note(record(number, time.time()))
        number += 1
    return sorted(late)[int(len(late) * 0.99)]


def measure_loop() -> None:
    bare, ours = [], []
    for _ in range(5):
        bare.append(asyncio.run(longest_waits(None)))
        counter = Counter()
        counter.start()
        ours.append(asyncio.run(longest_waits(counter)))
        counter.close()
        assert not counter.dropped
    tell(f"a loop with {RATE} calls/s, p99 delay", statistics.median(bare), statistics.median(ours), "ms")


def fill(names: Names) -> None:
    """A day of ``DEPLOYMENTS``, each called in every hour, and in many minutes of the last one."""
    now = time.time()
    rng = random.Random(1)
    for hour in range(24):
        tallies = Tallies(max_kinds=10**6)
        for deployment in range(DEPLOYMENTS):
            for _ in range(3):
                at = now - hour * 3600 - rng.random() * 3000
                tallies.note(record()._replace(deployment_pk=deployment, started_at=at, duration_s=rng.random()))
        with transaction.atomic():
            while batch := tallies.first(300):
                write(batch, names)
                tallies.forget(batch)


def measure_queries() -> None:
    user = User.objects.create(username="owner", is_superuser=True)
    now = timezone.now()
    day = (now - timedelta(hours=24), now)
    for count, goal in ((1, None), (50, 50), (DEPLOYMENTS, None)):
        keys = range(count)
        took = milliseconds(lambda keys=keys: queries.summary(user, keys, *day), 7)
        tell(
            f"figures of {count} deployments, 24 h",
            0,
            took,
            "ms",
            goal and f"≤ {goal} ms",
            is_met=took <= (goal or took),
        )
        took = milliseconds(lambda keys=keys: queries.trends(user, keys, *day, 24), 7)
        tell(f"courses of {count} deployments, 24 h", 0, took, "ms")


def tell(what: str, bare: float, ours: float, unit: str, goal: str | None = None, *, is_met: bool = True) -> None:
    words = f"{goal}  {'met' if is_met else 'NOT MET'}" if goal else ""
    ratio = f"{ours / bare:>6.2f}" if bare else " " * 6
    sys.stdout.write(f"{what:<44} {bare:>8.2f} {ours:>8.2f} {unit} {ratio}  {words}\n")
    sys.stdout.flush()


def main() -> None:
    call_command("migrate", verbosity=0)
    sys.stdout.write(f"{'':<44} {'bare':>8} {'ours':>8}    ratio  goal\n")
    measure_noting()
    measure_loop()
    names = Names()
    tallies = Tallies()
    for number in range(500):
        tallies.note(record(number, time.time()))
    tell("write 500 calls of 10 kinds", 0, milliseconds(lambda: write(tallies.first(10), names)), "ms")
    fill(names)
    measure_queries()


if __name__ == "__main__":
    main()
