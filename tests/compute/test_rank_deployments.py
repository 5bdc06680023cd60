"""One figure of many deployments: the same that their summaries say."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from playground.catalog.models import User
from playground.compute.models import Usage
from playground.compute.usage.figures import WAITING
from playground.compute.usage.queries import summary
from playground.compute.usage.ranking import RANKED, Ranked, rank
from tests.compute.using import NOON, call, make_deployment, store

pytestmark = pytest.mark.django_db
SINCE, UNTIL = NOON - timedelta(days=1), NOON


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def owner() -> User:
    owner = User.objects.create(username="owner")
    chance = random.Random(7)
    rows = [make_deployment(owner, f"d{number}") for number in range(6)]
    calls = [
        call(
            rows[chance.randrange(5)],
            chance.choice([owner.pk, 99]),
            NOON - timedelta(minutes=chance.randrange(1, 2000)),
            duration_s=chance.expovariate(1),
            first_output_s=chance.random(),
            queue_s=chance.random() / 10,
            outputs=chance.randrange(3),
            completion_tokens=chance.randrange(50),
            outcome=chance.choice(["SUCCESS", "SUCCESS", "MODEL_PREDICTION_FAILED", WAITING]),
        )
        for _ in range(400)
    ]
    store(calls)
    return owner


@pytest.mark.parametrize("figure", [name for name in RANKED if name not in {"growth", "last_used"}])
def test_it_is_what_the_summary_says(owner: User, figure: Ranked) -> None:
    keys = list(owner.deployments.values_list("pk", flat=True))
    figures = summary(owner, keys, SINCE, UNTIL)
    found = rank(Usage.objects.visible_to(owner), figure, SINCE, UNTIL)
    for key in keys:
        expected = getattr(figures[key], figure)
        assert (found.get(key) or 0) == pytest.approx(expected or 0), figure
    assert len(set(found.values())) > 1


def test_the_last_use_is_known_of_those_without_calls_in_the_time(owner: User) -> None:
    keys = list(owner.deployments.values_list("pk", flat=True))
    just_now = (NOON - timedelta(seconds=1), NOON)
    figures = summary(owner, keys, *just_now)
    found = rank(Usage.objects.visible_to(owner), "last_used", *just_now)
    assert {key: at.timestamp() for key in keys if (at := figures[key].last_used)} == pytest.approx(found)
    assert len(found) == 5


def test_growth_is_the_later_half_less_the_earlier(owner: User) -> None:
    Usage.objects.all().delete()
    row = owner.deployments.first()
    times: list[tuple[datetime, int]] = [(SINCE + timedelta(hours=2), 5), (UNTIL - timedelta(hours=10), 8)]
    store(call(row, owner, at) for at, count in times for _ in range(count))
    assert rank(Usage.objects.visible_to(owner), "growth", SINCE, UNTIL) == {row.pk: 3}


def test_nothing_used_ranks_nothing(owner: User) -> None:
    Usage.objects.all().delete()
    assert [rank(Usage.objects.visible_to(owner), figure, SINCE, UNTIL) for figure in RANKED] == [{}] * len(RANKED)
