"""Figures of usage: right over any time, seen only by those who may, gone when they are old."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from playground.catalog.models import PUBLIC, User
from playground.compute.models import Deployment, Usage
from playground.compute.usage import housekeeping, queries
from playground.compute.usage.figures import WAITING, Figures
from playground.compute.usage.models import DAY, HOUR, MINUTE
from tests.compute.using import NOON, call, make_deployment, store

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db
EVER = (NOON - timedelta(days=30), NOON + timedelta(days=30))


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Now is the day after, unless somebody says otherwise."""

    def set_now(at: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: at)

    set_now(NOON + timedelta(days=1))
    return set_now


@pytest.fixture
def owner() -> User:
    return User.objects.create(username="owner")


@pytest.fixture
def guest() -> User:
    return User.objects.create(username="guest")


@pytest.fixture
def mine(owner: User) -> Deployment:
    deployment = make_deployment(owner)
    deployment.visibility = PUBLIC
    deployment.save()
    return deployment


def figures(user: User | AnonymousUser, deployment: Deployment) -> Figures:
    return queries.summary(user, [deployment.pk], *EVER)[deployment.pk]


def test_figures_say_what_calls_were_like(mine: Deployment, owner: User) -> None:
    store(
        call(
            mine,
            owner,
            duration_s=n / 100 + 1,
            queue_s=1.0,
            first_output_s=n / 1000,
            outputs=n,
            completion_tokens=2 * n,
        )
        for n in range(1, 101)
    )
    store([call(mine, owner, outcome="MODEL_PREDICTION_FAILED", duration_s=60, at=NOON + timedelta(hours=1))] * 25)
    found = figures(owner, mine)
    assert (found.calls, found.errors, found.error_rate) == (125, 25, 0.2)
    assert [found.p50, found.p95, found.first_output_p50] == pytest.approx([1.5, 1.95, 0.05], rel=0.02)
    assert found.queue_p95 == pytest.approx(1.0, rel=0.02)
    assert found.outputs_per_second == pytest.approx(100)
    assert found.tokens_per_second == pytest.approx(200)
    assert found.last_used == NOON + timedelta(hours=1)


def test_waiting_and_stopping_are_no_errors(mine: Deployment, owner: User) -> None:
    store(call(mine, owner, outcome=outcome) for outcome in [WAITING, WAITING, "STOPPED", "SUCCESS"])
    found = figures(owner, mine)
    assert (found.calls, found.errors, found.told_to_wait) == (2, 0, 2)


def test_without_calls_there_are_no_figures_but_zero(mine: Deployment, owner: User) -> None:
    assert figures(owner, mine) == Figures()
    assert figures(owner, mine).error_rate is None


def test_last_use_is_known_from_before(mine: Deployment, owner: User) -> None:
    long_ago = NOON - timedelta(days=300)
    store([call(mine, owner, at=long_ago)])
    assert figures(owner, mine) == Figures(last_used=long_ago)


def test_an_owner_sees_all_and_others_their_own_calls(mine: Deployment, owner: User, guest: User) -> None:
    stranger, admin = User.objects.create(username="stranger"), User.objects.create(username="admin", is_superuser=True)
    store([call(mine, owner), call(mine, guest), call(mine, guest)])
    people = (owner, guest, stranger, admin, AnonymousUser())
    assert [figures(user, mine).calls for user in people] == [3, 2, 0, 3, 0]
    assert [len(queries.trends(user, [mine.pk], *EVER, 3)[mine.pk]) for user in people] == [3] * 5
    assert queries.series(guest, mine.pk, *EVER, 1)[0].calls == 2


def test_usage_of_what_is_gone_stays_with_its_owner(mine: Deployment, owner: User, guest: User) -> None:
    store([call(mine, owner), call(mine, guest)])
    key = mine.pk
    mine.delete()
    assert [queries.summary(user, [key], *EVER)[key].calls for user in (owner, guest)] == [2, 1]


def test_any_time_is_read_right(mine: Deployment, owner: User, now: Callable[[datetime], None]) -> None:
    rng = random.Random(1)
    first = NOON - timedelta(days=5)
    minutes = [rng.randrange(0, 5 * 24 * 60) for _ in range(1000)]
    store(call(mine, owner, at=first + timedelta(minutes=minute, seconds=30)) for minute in minutes)
    now(NOON)
    for _ in range(60):
        low, high = sorted(rng.sample(range(5 * 24 * 60 + 1), 2))
        since, until = first + timedelta(minutes=low), first + timedelta(minutes=high)
        found = queries.summary(owner, [mine.pk], since, until)[mine.pk]
        assert found.calls == sum(low <= minute < high for minute in minutes)


def test_where_minutes_are_gone_edges_are_rounded_outwards(
    mine: Deployment, owner: User, now: Callable[[datetime], None]
) -> None:
    store(call(mine, owner, at=NOON + timedelta(minutes=minutes)) for minutes in (-30, 5, 10, 70))
    window = (NOON + timedelta(minutes=7), NOON + timedelta(minutes=60))
    assert queries.summary(owner, [mine.pk], *window)[mine.pk].calls == 1
    now(NOON + timedelta(days=20))
    assert queries.summary(owner, [mine.pk], *window)[mine.pk].calls == 2
    now(NOON + timedelta(days=200))
    assert queries.summary(owner, [mine.pk], *window)[mine.pk].calls == 4


def test_a_course_has_a_point_for_each_hour(mine: Deployment, owner: User) -> None:
    until = NOON + timedelta(minutes=37)
    store(call(mine, owner, at=until - timedelta(hours=hours)) for hours in (0, 0, 3, 23, 24))
    points = queries.series(owner, mine.pk, until - timedelta(hours=24), until, 24)
    assert [point.calls for point in points] == [1] + [0] * 19 + [1, 0, 0, 2]
    assert points[-1].start == NOON
    assert points[1].p95 is None


@pytest.mark.parametrize(
    ("length", "buckets", "step"),
    [
        (timedelta(hours=1), 60, timedelta(minutes=1)),
        (timedelta(hours=1), 7, timedelta(minutes=9)),
        (timedelta(hours=1), 500, timedelta(minutes=1)),
        (timedelta(days=7), 28, timedelta(hours=6)),
        (timedelta(days=90), 30, timedelta(days=3)),
    ],
)
def test_points_are_whole_minutes_hours_or_days(
    mine: Deployment, owner: User, length: timedelta, buckets: int, step: timedelta
) -> None:
    store([call(mine, owner, at=NOON - timedelta(seconds=1))])
    points = queries.series(owner, mine.pk, NOON - length, NOON, buckets)
    assert len(points) == buckets
    assert points[1].start - points[0].start == step
    assert [point.calls for point in points] == [0] * (buckets - 1) + [1]


def test_rows_may_be_taken_apart_by_any_of_their_parts(mine: Deployment, owner: User, guest: User) -> None:
    store([call(mine, owner), call(mine, guest, method="generate"), call(mine, guest, outcome="INTERNAL_ERROR")])
    rows = Usage.objects.visible_to(owner)
    assert {user: found.calls for user, found in queries.breakdown(rows, "user", *EVER).items()} == {
        "owner": 1,
        "guest": 2,
    }
    assert {name: found.errors for name, found in queries.breakdown(rows, "outcome", *EVER).items()} == {
        "SUCCESS": 0,
        "INTERNAL_ERROR": 1,
    }


def test_rows_end_by_age_the_finest_first(owner: User, settings: object) -> None:
    for days in range(0, 500, 5):
        store([call(1, owner, at=NOON - timedelta(days=days))])
    housekeeping.prune(NOON)
    oldest = {span: Usage.objects.filter(span=span).earliest("start").start for span in (MINUTE, HOUR, DAY)}
    ages = {span: int(NOON.timestamp() - start) // DAY for span, start in oldest.items()}
    assert ages == {MINUTE: 5, HOUR: 60, DAY: 400}
    assert housekeeping.prune(NOON) == 0


def test_nothing_ends_because_the_clock_jumped(
    owner: User, monkeypatch: pytest.MonkeyPatch, now: Callable[[datetime], None], caplog: pytest.LogCaptureFixture
) -> None:
    clock = {"time": NOON.timestamp(), "monotonic": 1000.0}
    monkeypatch.setattr("playground.compute.usage.housekeeping.time.time", lambda: clock["time"])
    monkeypatch.setattr("playground.compute.usage.housekeeping.time.monotonic", lambda: clock["monotonic"])
    monkeypatch.setattr(housekeeping, "_last", [])
    store([call(1, owner)])
    for seconds in (3600, 3600 * 24 * 1000):
        clock["time"] += seconds
        clock["monotonic"] += 3600
        now(datetime.fromtimestamp(clock["time"], UTC))
        assert housekeeping.run() == 0
    assert "jumped" in caplog.text
    assert Usage.objects.count() == 3
    clock["time"] += 3600
    clock["monotonic"] += 3600
    assert housekeeping.run() == 3
