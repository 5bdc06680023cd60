"""Use of deployments over time, side by side: plots on one scale, a table behind them, and what is there no more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from playground.catalog.models import Model, User
from playground.compute.models import Deployment, ReplicaCount
from playground.compute.services import record_state
from playground.compute.usage import housekeeping
from playground.compute.usage.queries import Point
from playground.compute.usage.replicas import KEPT, Count, replicas_over_time
from playground.play.courses import course_of, plots_of
from tests.play.conftest import browser

pytestmark = pytest.mark.django_db


def ready(deployment: Deployment, *counts: tuple[datetime, int]) -> None:
    ReplicaCount.objects.bulk_create(ReplicaCount(deployment=deployment, at=at, ready=count) for at, count in counts)


def test_counts_are_kept_as_they_change_and_for_as_long_as_pages_look_back(deployment: Deployment, owner: User) -> None:
    now = timezone.now()
    for count in (1, 1, 3):
        record_state(deployment.pk, "ready", generation=deployment.generation, ready_replicas=count)
    assert list(ReplicaCount.objects.order_by("pk").values_list("ready", flat=True)) == [1, 3]
    old = now - KEPT
    ready(deployment, (old - timedelta(days=2), 5), (old - timedelta(days=1), 2))
    housekeeping.prune(now)
    since = now - timedelta(days=30)
    assert [count.ready for count in replicas_over_time(owner, [deployment], since)[deployment.pk]] == [2, 1, 3]
    assert ReplicaCount.objects.count() == 3


def test_what_is_not_known_is_not_made_up(deployment: Deployment, owner: User, stranger: User) -> None:
    now = timezone.now()
    Deployment.objects.filter(pk=deployment.pk).update(created_at=now - timedelta(days=9), ready_replicas=2)
    deployment.refresh_from_db()
    since = now - timedelta(hours=1)
    assert replicas_over_time(owner, [deployment], since)[deployment.pk] == [Count(since, 2)]
    ready(deployment, (now - timedelta(minutes=30), 0))
    counts = replicas_over_time(owner, [deployment], since)[deployment.pk]
    assert [count.ready for count in counts] == [0]
    points = [Point(since), Point(now - timedelta(minutes=20))]
    assert [step.replicas for step in course_of("edge", points, counts, now).steps] == ["0", "0"]
    assert course_of("edge", points, [Count(now, 1)], now).steps[0].ready is None
    ready(deployment, (now - timedelta(minutes=10), 3))
    assert [count.ready for count in replicas_over_time(stranger, [deployment], since)[deployment.pk]] == [2]


def test_all_plots_of_a_kind_have_one_scale_and_each_reads_its_figures() -> None:
    now = timezone.now()
    points = [Point(now - timedelta(minutes=4)), Point(now - timedelta(minutes=2), 12, 1, 0.02, 0.4, 0.01)]
    busy = course_of("busy", points, [Count(points[0].start, 1), Count(now - timedelta(minutes=1), 3)], now)
    idle = course_of("idle", [Point(point.start) for point in points], [], now)
    plots = plots_of([busy, idle])
    for one, other in zip(*plots, strict=True):
        assert one.ticks == other.ticks
        assert one.drawing.count("<title>") == len(points)
    assert [plot.ticks[0] for plot in plots[0]] == ["20", "500\u00a0ms", "4"]
    assert (
        "12 calls, 1 error, p50 20\u00a0ms, p95 400\u00a0ms, first output 10\u00a0ms, 1 to 3 ready"
        in plots[0][2].drawing
    )
    assert "busy: 3 replicas ready now, at most 3 in this time" in plots[0][2].drawing
    assert "NaN" not in "".join(plot.drawing for row in plots for plot in row)


def test_the_page_has_a_table_behind_and_says_what_is_gone(deployment: Deployment, owner: User, model: Model) -> None:
    record_state(deployment.pk, "ready", generation=deployment.generation, ready_replicas=2)
    other = Deployment.objects.create(owner=owner, slug="edge", model=model, nodepool=deployment.nodepool)
    address = f"/compare/live?model={model}&d={deployment.pk}&d={other.pk}&part=1"
    page = browser(owner).get(address).content.decode()
    assert page.count("chart__drawing--low") == 6
    assert page.count("Ready replicas</th>") == 2
    assert "<td>0 to 2</td>" in page
    assert "no longer shared" not in page
    other.delete()
    page = browser(owner).get(address).content.decode()
    assert page.count("chart__drawing--low") == 3
    assert "1 of those chosen is not there for you any more" in page
