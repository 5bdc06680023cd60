"""What the Compute pages show: clusters and their nodepools, deployments, and one deployment's history and replicas."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import Http404

from playground.catalog.access import owns
from playground.catalog.models import Model, User, latest_version
from playground.compute.models import Cluster, Deployment, EnvironmentVariable, Nodepool, Replica, Transition
from playground.compute.services import may_change, read_log

State = Deployment.State
LOG_LINES = 60
HISTORY = 40
ENGINES = {
    Nodepool.Engine.LOCAL: "processes on this machine",
    Nodepool.Engine.REMOTE: "addresses that someone else keeps alive",
}


@dataclass(frozen=True)
class Pool:
    """A nodepool as a row: ``deployments`` counts those that the reader sees; ``addresses`` are for its owner."""

    row: Nodepool
    engine: str
    instance_types: list[str]
    addresses: list[str]
    deployments: int


@dataclass(frozen=True)
class Place:
    """A cluster with those of its nodepools that the reader sees."""

    row: Cluster
    is_own: bool
    pools: list[Pool]

    @property
    def is_built_in(self) -> bool:
        return any(pool.row.is_shared for pool in self.pools)


@dataclass(frozen=True)
class Tally:
    """How many of the deployments that the reader sees are in each state, and on each nodepool (by its key)."""

    states: Mapping[str, int]
    nodepools: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.states.values())


def tally_deployments(user: User) -> Tally:
    """One query: who sees what is the dear part of it."""
    states: Counter[str] = Counter()
    nodepools: Counter[int] = Counter()
    rows = Deployment.objects.visible_to(user).order_by().values_list("state", "nodepool").annotate(n=Count("pk"))
    for state, nodepool, count in rows:
        states[state] += count
        nodepools[nodepool] += count
    return Tally({state: states[state] for state in State.values}, nodepools)


def list_places(user: User, counts: Mapping[int, int]) -> list[Place]:
    """The clusters that ``user`` sees, one's own first; ``counts`` has the deployments of each nodepool."""
    pools = Nodepool.objects.visible_to(user).order_by("slug")
    found = Cluster.objects.visible_to(user).select_related("owner").prefetch_related(Prefetch("nodepools", pools))
    places = [_place(user, cluster, counts) for cluster in found.order_by("owner__username", "slug")]
    return sorted(places, key=lambda place: not place.is_own)


def _place(user: User, cluster: Cluster, counts: Mapping[int, int]) -> Place:
    is_own = cluster.owner_id == user.pk
    pools = [_pool(row, counts.get(row.pk, 0), with_addresses=owns(user, cluster)) for row in cluster.nodepools.all()]
    return Place(cluster, is_own, pools)


def _pool(row: Nodepool, deployments: int, *, with_addresses: bool) -> Pool:
    addresses = [_address(entry) for entry in row.addresses] if with_addresses else []
    types = [_instance_type(entry) for entry in row.instance_types]
    return Pool(row, ENGINES.get(Nodepool.Engine(row.engine), ""), types, addresses, deployments)


def _address(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    return f"{entry.get('address', '')}{' (TLS)' if entry.get('tls') else ''}"


def _instance_type(entry: Any) -> str:
    """A type's id with what it has, like "small: 2 CPU, 4Gi"."""
    if not isinstance(entry, Mapping):
        return str(entry)
    info = entry.get("compute_info") or {}
    accelerators = info.get("num_accelerators")
    facts = [
        f"{info['cpu_limit']} CPU" if info.get("cpu_limit") else "",
        str(info.get("cpu_memory") or ""),
        f"{accelerators} GPU" if accelerators else "",
        f"${entry['price']} an hour" if entry.get("price") else "",
    ]
    words = ", ".join(filter(None, facts))
    return f"{entry.get('id', '')}: {words}" if words else str(entry.get("id", ""))


def list_deployments(user: User, *, text: str = "", state: str = "") -> QuerySet[Deployment]:
    """Those that ``user`` sees, one's own before the shared ones."""
    rows = Deployment.objects.visible_to(user)
    if text:
        words = Q(slug__icontains=text) | Q(model__slug__icontains=text) | Q(nodepool__slug__icontains=text)
        rows = rows.filter(words | Q(nodepool__cluster__slug__icontains=text))
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("is_shared", "slug", "pk")


@dataclass(frozen=True)
class Line:
    """A deployment as a row of the table; ``version`` is the one it serves."""

    row: Deployment
    version: str
    desired: int


_SHOWN = (
    *("slug", "is_shared", "visibility", "state", "reason", "state_since", "is_enabled"),
    *("ready_replicas", "min_replicas", "max_replicas"),
    *("owner__username", "version__slug", "model__slug", "nodepool__slug", "nodepool__cluster__slug"),
)


def lines_of(pks: Sequence[int]) -> list[Line]:
    """The deployments with these keys, in this order: what the table shows is read of the page alone."""
    rows = Deployment.objects.select_related("owner", "version", "model", "nodepool__cluster").only(*_SHOWN)
    found = {row.pk: row for row in rows.filter(pk__in=pks).annotate(latest_slug=latest_version("model", "slug"))}
    kept = Replica.objects.filter(deployment__in=pks).exclude(state=State.DRAINING).order_by()
    live: dict[int, int] = dict(kept.values_list("deployment").annotate(n=Count("pk")))
    return [_line(found[pk], live.get(pk, 0)) for pk in pks if pk in found]


def _line(row: Any, live: int) -> Line:
    return Line(row, row.version.slug if row.version else row.latest_slug or "", desired_of(row, live))


def mark_of(facts: Iterable[object]) -> str:
    """Changes when one of the facts does: the page then has something new to draw."""
    return hashlib.sha256("\0".join(map(str, facts)).encode()).hexdigest()[:16]


def facts_of(row: Deployment) -> tuple[object, ...]:
    return (row.pk, row.state, row.reason, row.ready_replicas, row.min_replicas, row.max_replicas, row.is_enabled)


def find_deployment(user: User, user_id: str, deployment_id: str) -> Deployment:
    """The deployment at an address, if ``user`` may see it; else Http404, in the same words as for none."""
    rows = Deployment.objects.visible_to(user).select_related(
        "owner", "version", "model__app__owner", "nodepool__cluster"
    )
    found = rows.filter(owner__username=user_id, slug=deployment_id).first()
    if found is None:
        raise Http404(f"No deployment {deployment_id} of {user_id} for you.")
    return found


@dataclass(frozen=True)
class Stay:
    """A stay in a state: since when, why, and for how long in seconds, where it is over."""

    state: str
    reason: str
    at: datetime
    took: float | None


@dataclass(frozen=True)
class Detail:
    """A deployment as its page shows it. Log and environment are there for who may change it alone."""

    row: Deployment
    may_change: bool
    may_call: bool
    version: str
    nodepools: list[Nodepool]
    replicas: list[Replica]
    desired: int
    history: list[Stay]
    environment: list[EnvironmentVariable]

    @property
    def play_url(self) -> str:
        """The model's page with this deployment chosen."""
        query = {} if self.row.is_shared else {"deployment": self.row.slug, "owner": self.row.owner.username}
        return f"{self.row.model.get_absolute_url()}{'?' if query else ''}{urlencode(query)}"

    @property
    def mark(self) -> str:
        seen = ((replica.slug, replica.state, replica.reason, replica.memory_bytes >> 22) for replica in self.replicas)
        return mark_of([*facts_of(self.row), self.desired, self.row.state_since, len(self.history), *seen])


def describe(user: User, row: Deployment) -> Detail:
    can_change = may_change(user, row)
    replicas = list(row.replicas.select_related("version", "nodepool__cluster").order_by("started_at", "pk"))
    placements = row.placements.select_related("nodepool__cluster")
    return Detail(
        row,
        can_change,
        Model.objects.visible_to(user).filter(pk=row.model_id).exists(),
        served.slug if (served := row.served_version) else "",
        [placement.nodepool for placement in placements] or [row.nodepool],
        replicas,
        desired_of(row, sum(replica.state != State.DRAINING for replica in replicas)),
        _history(row),
        list(row.environment.all()) if can_change else [],
    )


def desired_of(row: Deployment, live: int) -> int:
    """How many replicas there are to be: those there are, and never fewer than the least."""
    return max(row.min_replicas, min(live, row.max_replicas)) if row.is_enabled else 0


def _history(row: Deployment) -> list[Stay]:
    """The newest first."""
    newest: list[Transition] = list(row.transitions.order_by("-pk")[:HISTORY])
    following = itertools.chain([None], newest)
    stays = [
        Stay(entry.state, entry.reason, entry.at, (after.at - entry.at).total_seconds() if after else None)
        for entry, after in zip(newest, following, strict=False)
    ]
    if stays and stays[0].state == row.state:
        stays[0] = replace(stays[0], reason=row.reason)  # it changes while the state goes on
    return stays


def log_of(user: User, row: Deployment) -> str:
    """Its last lines, for who may change it and still sees the model: they hold others' calls."""
    if not may_change(user, row) or not Model.objects.visible_to(user).filter(pk=row.model_id).exists():
        return ""
    lines = read_log(row, LOG_LINES) or row.log_tail.splitlines()[-LOG_LINES:]
    return "\n".join(lines)
