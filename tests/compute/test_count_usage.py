"""Calls are counted once each, by the minute, hour and day, whoever writes, whatever the clock and the database do."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connection, connections

from playground.catalog.models import User
from playground.compute.models import Deployment, Usage
from playground.compute.usage import counter as counting
from playground.compute.usage.counter import Counter
from playground.compute.usage.histograms import quantile, unpack
from playground.compute.usage.models import DAY, HOUR, MINUTE
from playground.compute.usage.tallies import MAX_METHODS, OTHER_METHODS, UNKNOWN_OUTCOMES
from tests.compute.using import NOON, call, make_deployment, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    return User.objects.create(username="owner")


@pytest.fixture
def mine(owner: User) -> Deployment:
    return make_deployment(owner)


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter(interval=0.02)
    made.start()
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """New connections wait a moment only for a locked database."""
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.05)


def wait_for(is_so: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def calls_of(span: int = MINUTE) -> int:
    return sum(Usage.objects.filter(span=span).values_list("calls", flat=True))


def test_a_call_is_counted_with_all_that_is_known_of_it(counter: Counter, mine: Deployment, owner: User) -> None:
    counter.note(
        call(
            mine,
            owner,
            method="generate",
            duration_s=2.0,
            first_output_s=0.5,
            queue_s=0.25,
            outputs=30,
            prompt_tokens=7,
            completion_tokens=31,
            bytes_in=100,
            bytes_out=2000,
        )
    )
    counter.close()
    row = Usage.objects.get(span=MINUTE)
    assert (row.deployment_key, row.deployment, row.owner_key) == (mine.pk, "owner/mine", owner.pk)
    assert (row.model, row.version, row.method) == ("owner/main/models/hello", "v1", "generate")
    assert (row.user_key, row.user, row.outcome, row.calls) == (owner.pk, "owner", "SUCCESS", 1)
    assert (row.outputs, row.prompt_tokens, row.completion_tokens) == (30, 7, 31)
    assert (row.bytes_in, row.bytes_out, row.seconds, row.queue_seconds) == (100, 2000, 2.0, 0.25)
    times = [quantile(unpack([packed]), 0.5) for packed in (row.latencies, row.first_outputs, row.queue_times)]
    assert times == pytest.approx([2.0, 0.5, 0.25], rel=0.02)
    assert (row.start, row.last_at) == (NOON.timestamp(), NOON.timestamp())


def test_each_call_is_in_its_minute_hour_and_day_of_utc(counter: Counter) -> None:
    late = NOON.replace(hour=23, minute=59, second=59)
    for at in (NOON, NOON + timedelta(seconds=59), NOON + timedelta(seconds=60), late, late + timedelta(seconds=2)):
        counter.note(call(1, 1, at))
    counter.close()
    starts = {span: sorted(Usage.objects.filter(span=span).values_list("start", "calls")) for span in (HOUR, DAY)}
    midnight = NOON.replace(hour=0).timestamp()
    assert starts[DAY] == [(midnight, 4), (midnight + DAY, 1)]
    assert [calls for _, calls in starts[HOUR]] == [3, 1, 1]
    assert sorted(Usage.objects.filter(span=MINUTE).values_list("calls", flat=True)) == [1, 1, 1, 2]


def test_what_is_written_in_parts_adds_up(mine: Deployment, owner: User) -> None:
    for milliseconds in range(1, 101):
        store([call(mine, owner, duration_s=milliseconds / 1000, outputs=2)])
    for row in Usage.objects.all():
        assert (row.calls, row.outputs) == (100, 200)
        assert quantile(unpack([row.latencies]), 0.95) == pytest.approx(0.095, rel=0.02)


def test_kinds_of_calls_are_kept_apart(mine: Deployment, owner: User) -> None:
    other = User.objects.create(username="other")
    different = [
        call(mine, owner),
        call(mine, other),
        call(mine, owner, method="generate"),
        call(mine, owner, version_slug="v2"),
        call(mine, owner, outcome="MODEL_BUSY_PLEASE_RETRY"),
        call(0, 0, outcome="CONN_KEY_INVALID", method=""),
    ]
    store([*different, *different])
    assert list(Usage.objects.filter(span=DAY).values_list("calls", flat=True)) == [2] * len(different)


def test_a_clock_that_jumps_back_neither_loses_nor_doubles(counter: Counter) -> None:
    for minutes in (0, 1, 2, -90, -89, 0, 1, 3):
        counter.note(call(1, 1, NOON + timedelta(minutes=minutes)))
        before = calls_of()
        wait_for(lambda before=before: calls_of() == before + 1)
    assert (calls_of(MINUTE), calls_of(HOUR), calls_of(DAY)) == (8, 8, 8)


def test_rows_outlive_deployment_and_user(counter: Counter, mine: Deployment, owner: User) -> None:
    store([call(mine, owner)])
    key = mine.pk
    mine.delete()
    row = Usage.objects.get(span=DAY)
    assert (row.deployment_key, row.deployment, row.user) == (key, "owner/mine", "owner")


def test_names_are_remembered_for_calls_that_end_after_their_deployment(
    counter: Counter, mine: Deployment, owner: User
) -> None:
    key = mine.pk
    counter.note(call(key, owner))
    wait_for(lambda: calls_of() == 1)
    mine.delete()
    counter.note(call(key, owner, NOON + timedelta(days=1)))
    counter.close()
    assert set(Usage.objects.values_list("deployment", flat=True)) == {"owner/mine"}


def test_a_locked_database_holds_nobody_up(impatient: None, caplog: pytest.LogCaptureFixture) -> None:
    counter = Counter(interval=0.02)
    with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        counter.start()
        for _ in range(100):
            counter.note(call(1, 1))
        wait_for(lambda: "kept in memory" in caplog.text)
        began = time.perf_counter()
        for _ in range(100):
            counter.note(call(1, 1, NOON + timedelta(minutes=1)))
        assert time.perf_counter() - began < 0.05
        assert calls_of() == 0
        holder.execute("ROLLBACK")
    wait_for(lambda: calls_of() == 200)
    counter.close()
    assert (counter.dropped, calls_of(DAY)) == (0, 200)


def test_a_full_disk_loses_nothing_that_fits_into_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # what other tests have left free would be room
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
    options = connections.settings["default"]["OPTIONS"]
    full = f"{options['init_command']} PRAGMA max_page_count={pages}"
    counter = Counter(interval=0.02, max_kinds=900)
    with monkeypatch.context() as patch:
        patch.setitem(options, "init_command", full)
        patch.setattr(counting, "close_old_connections", connections.close_all)  # each attempt has a new connection
        counter.start()
        for minute in range(1000):
            counter.note(call(1, 1, NOON + timedelta(minutes=minute)))
        wait_for(lambda: "disk is full" in caplog.text)
    wait_for(lambda: calls_of() + counter.dropped == 1000)
    counter.close()
    assert calls_of() >= 900
    assert "calls were not counted" in caplog.text or not counter.dropped


def test_memory_is_bounded_and_what_was_dropped_is_told(caplog: pytest.LogCaptureFixture) -> None:
    counter = Counter(interval=0.02, max_records=50, max_kinds=3)
    for minute in range(60):
        counter.note(call(1, 1, NOON + timedelta(minutes=minute)))
    counter.start()
    wait_for(lambda: calls_of() == 3)
    counter.close()
    assert counter.dropped == 57
    assert "57 calls were not counted" in caplog.text


def test_a_kind_that_cannot_be_stored_takes_no_other_along(counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        counter.note(call(2**70, 1))
        counter.note(call(1, 1))
        counter.close()
    assert (calls_of(), counter.dropped) == (1, 1)


def test_a_caller_s_inventions_do_not_make_rows(counter: Counter) -> None:
    for number in range(500):
        counter.note(call(1, 1, method=f"m{number}"))
        counter.note(call(1, 2, method="no\x00name" * number))
        counter.note(call(1, 3, outcome=str(90000 + number), prompt_tokens=2**70))
    counter.note(call(1, 4, method="predict"))
    counter.close()
    methods = set(Usage.objects.filter(span=DAY, user_key=1).values_list("method", flat=True))
    assert (len(methods), OTHER_METHODS in methods) == (MAX_METHODS + 1, True)
    assert set(Usage.objects.filter(user_key=2).values_list("method", flat=True)) == {"", OTHER_METHODS}
    assert set(Usage.objects.filter(user_key=3).values_list("outcome", flat=True)) == {UNKNOWN_OUTCOMES}
    assert Usage.objects.get(span=DAY, user_key=4).method == "predict"
    assert calls_of(DAY) == 1501


def test_old_rows_are_deleted_meanwhile(mine: Deployment, owner: User) -> None:
    store([call(mine, owner, NOON - timedelta(days=10_000))])
    counter = Counter(interval=0.02, tidy_after=0)
    counter.start()
    wait_for(lambda: not Usage.objects.exists())
    counter.close()


WRITE = """
import os, django, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "playground.settings"
django.setup()
from playground.compute.usage.counter import CallRecord, Counter
sys.stdin.readline()
for part in range(20):
    counter = Counter(interval=0.001)
    counter.start()
    for number in range(100):
        counter.note(CallRecord(number % 3, "v", "predict", 1, "SUCCESS", 1773489600.0, 0.001 * number, outputs=1))
    counter.close(timeout=30)
    assert not counter.dropped
"""


def test_gateways_that_write_the_same_minute_lose_nothing(tmp_path: Path) -> None:
    environment = {"PATH": "", "PLAYGROUND_DATA_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-c", WRITE]
    writers = [subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    for writer in writers:
        writer.stdin.close()  # type: ignore[union-attr]
    with closing(sqlite3.connect(tmp_path / "playground.sqlite3")) as database:
        rows = database.execute("SELECT span, calls, outputs, latencies FROM compute_usage").fetchall()
    for span in (MINUTE, HOUR, DAY):
        of_span = [row for row in rows if row[0] == span]
        assert len(of_span) == 3
        assert sum(calls for _, calls, _, _ in of_span) == 6000
        assert sum(sum(unpack([packed]).values()) for *_, packed in of_span) == 6000
