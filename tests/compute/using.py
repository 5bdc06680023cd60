"""Calls to count, and deployments that they went to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playground.catalog.models import App, Model, User
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.compute.usage.counter import CallRecord
from playground.compute.usage.storage import Names, write
from playground.compute.usage.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def call(deployment: Deployment | int, user: User | int, at: datetime = NOON, **fields: Any) -> CallRecord:
    """A call of 100 ms that ended at ``at``."""
    seconds = fields.setdefault("duration_s", 0.1)
    return CallRecord(
        **{
            "deployment_pk": deployment if isinstance(deployment, int) else deployment.pk,
            "user_pk": user if isinstance(user, int) else user.pk,
            "version_slug": "v1",
            "method": "predict",
            "outcome": "SUCCESS",
            "started_at": at.timestamp() - seconds,
            **fields,
        }
    )


def store(calls: Iterable[CallRecord]) -> None:
    tallies = Tallies()
    for record in calls:
        tallies.note(record)
    write(tallies.first(len(tallies)), Names())


def make_deployment(owner: User, slug: str = "mine") -> Deployment:
    app, _ = App.objects.get_or_create(owner=owner, slug="main")
    model, _ = Model.objects.get_or_create(app=app, slug="hello")
    cluster, _ = Cluster.objects.get_or_create(owner=owner, slug="here")
    nodepool, _ = Nodepool.objects.get_or_create(cluster=cluster, slug="pool")
    return Deployment.objects.create(owner=owner, slug=slug, model=model, nodepool=nodepool)
