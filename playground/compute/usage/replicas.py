"""How many replicas of a deployment were ready, over time; kept for as long as pages look back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, Max, OuterRef

from playground.compute.models import Deployment, ReplicaCount

if TYPE_CHECKING:
    from collections.abc import Collection

    from playground.catalog.models import User

KEPT = timedelta(days=32)


@dataclass(frozen=True)
class Count:
    """So many were ready from ``at`` on, until the next."""

    at: datetime
    ready: int


def replicas_over_time(user: User, deployments: Collection[Deployment], since: datetime) -> dict[int, list[Count]]:
    """Of each deployment, by primary key, as far as ``user`` sees it: the counts since then, in order.

    The first is how it stood at ``since``, or when it was made; where that is not known, the first that is.
    """
    rows = ReplicaCount.objects.visible_to(user).filter(deployment__in=deployments)
    before = rows.filter(at__lt=since).order_by().values("deployment").annotate(newest=Max("at"))
    stood = {one["deployment"]: one["newest"] for one in before}
    found: dict[int, list[Count]] = {one.pk: [] for one in deployments}
    later = rows.filter(at__gte=min([since, *stood.values()])).order_by("at", "pk")
    for key, at, ready in later.values_list("deployment", "at", "ready"):
        if at >= since:
            found[key].append(Count(at, ready))
        elif at == stood[key]:
            found[key] = [Count(since, ready)]
    for one in deployments:
        if one.pk not in stood:
            found[one.pk] = _begin(found[one.pk], one, max(since, one.created_at))
    return found


def _begin(counts: list[Count], deployment: Deployment, at: datetime) -> list[Count]:
    """Nothing was ready before the first of them, unless that one says that nothing is any more."""
    if not counts:
        return [Count(at, deployment.ready_replicas)]
    return [Count(at, 0), *counts] if counts[0].ready and counts[0].at > at else counts


def prune(now: datetime) -> int:
    """Delete what no page looks back to: what another count, as old, has followed. How many rows that was."""
    old = ReplicaCount.objects.filter(at__lt=now - KEPT)
    later = old.filter(deployment=OuterRef("deployment"), at__gt=OuterRef("at"))
    return old.filter(Exists(later)).delete()[0]
