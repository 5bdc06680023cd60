"""A model's deployments with what they were used for: found, filtered, ordered, and read a page at a time."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Max, QuerySet, Sum

from playground.catalog.access import Role, has_role
from playground.catalog.changes import latest_change
from playground.catalog.models import PUBLIC, Model, User
from playground.compute.models import Deployment, Nodepool, Placement, Replica, Usage
from playground.compute.usage.figures import Figures
from playground.compute.usage.models import DAY, UsageQuerySet
from playground.compute.usage.queries import Point, summary, trends
from playground.compute.usage.ranking import rank
from playground.play.queries.columns import Asked, Column, Span
from playground.play.queries.places import desired_of, mark_of

State = Deployment.State
T = TypeVar("T")
MOST_KEPT = 12
KEPT: OrderedDict[Hashable, Any] = OrderedDict()


class Place(NamedTuple):
    """Where a deployment may be, in words."""

    cluster: str
    nodepool: str
    cloud: str
    region: str
    instance: str


class Entry(NamedTuple):
    """What filtering and ordering need of a deployment."""

    pk: int
    label: str
    owner: str
    state: str
    version: str
    place: Place
    visibility: int
    ready: int
    at: datetime


def name_types(types: Sequence[Any]) -> str:
    """The ids of a nodepool's instance types."""
    return ", ".join(str(entry.get("id", "")) if isinstance(entry, Mapping) else str(entry) for entry in types)


def deployments_of(user: User, model: Model) -> QuerySet[Deployment]:
    """Those of the model that ``user`` sees."""
    return Deployment.objects.visible_to(user).filter(model=model)


@dataclass(frozen=True)
class Glance:
    """What is known of the table at little cost: ``mark`` changes when something in it may have."""

    mark: str
    of_tokens: bool
    facts: tuple[Any, ...]  # what ``mark`` is made of, but for what was asked


def glance(user: User, model: Model, asked: Asked, now: datetime) -> Glance:
    """Pages ask for it every few seconds."""
    since = now - max(asked.span.length, timedelta(days=2))
    recent = _usage_of(user, model).filter(span=DAY, start__gte=since.timestamp() - DAY)
    used = recent.aggregate(calls=Sum("calls"), last=Max("last_at"), tokens=Sum("completion_tokens"))
    minute = int(now.timestamp() // 60)
    count = deployments_of(user, model).count()
    facts = (user.pk, model.pk, latest_change(), used["calls"], used["last"], minute, count)
    return Glance(mark_of([*facts, asked.sort_key, asked.span.key]), bool(used["tokens"]), facts)


def _usage_of(user: User, model: Model) -> UsageQuerySet:
    return Usage.objects.visible_to(user).filter(deployment_key__in=deployments_of(user, model).order_by().values("pk"))


@dataclass(frozen=True)
class Listing:
    """The deployments that fit, in order, of all there are."""

    entries: Sequence[Entry]
    total: int
    states: Mapping[str, int]

    @property
    def keys(self) -> list[int]:
        return [entry.pk for entry in self.entries]

    @property
    def failed(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.state == State.FAILED]


def list_usage(user: User, model: Model, asked: Asked, now: datetime, known: Glance) -> Listing:
    """What is read of thousands is kept for as long as ``known`` says the same: one who sorts asks again and again."""
    time = "created_at" if asked.sort.key == "created" else "state_since" if asked.sort.key == "since" else "pk"
    everything = _keep(("entries", time, *known.facts), lambda: _read_entries(user, model, time))
    counts = Counter(entry.state for entry in everything)
    fitting = [entry for entry in everything if asked.state in ("", entry.state)]
    if words := asked.text.casefold().split():
        fitting = [entry for entry in fitting if _has(entry, words)]
    figure = asked.sort.ranked
    if figure == "outputs_per_second" and known.of_tokens:
        figure = "tokens_per_second"
    ranks: Mapping[int, float] = {}
    if figure:
        usage, since = _usage_of(user, model), now - asked.span.length
        ranks = _keep((figure, asked.span.key, *known.facts), lambda: rank(usage, figure, since, now))
    ordered = _order(fitting, asked.sort, ranks, is_descending=asked.is_descending)
    return Listing(ordered, len(everything), {state: counts[state] for state in State.values if counts[state]})


def _keep(key: Hashable, read: Callable[[], T]) -> T:
    """The value of before, or one that is read now."""
    value: T | None = KEPT.get(key)
    if value is None:
        KEPT[key] = value = read()
        while len(KEPT) > MOST_KEPT:
            KEPT.popitem(last=False)
    return value


def _read_entries(user: User, model: Model, time: str) -> list[Entry]:
    """Thousands: what many have in common is read once, and times only where they are the order."""
    fields = ("pk", "slug", "is_shared", "owner_id", "state", "version_id", "nodepool_id", "visibility")
    rows = list(deployments_of(user, model).order_by().values_list(*fields, "ready_replicas", time))
    owners = dict(User.objects.filter(pk__in={row[3] for row in rows}).values_list("pk", "username"))
    versions: dict[int | None, str] = dict(model.versions.values_list("pk", "slug"))
    versions[None] = model.latest.slug if model.latest else ""
    places = _read_places({row[6] for row in rows})
    return [
        Entry(pk, "Shared" if is_shared else slug, owners[owner], state, versions[version], places[pool], *rest)
        for pk, slug, is_shared, owner, state, version, pool, *rest in rows
    ]


def _read_places(keys: Collection[int]) -> dict[int, Place]:
    pools = Nodepool.objects.filter(pk__in=keys).select_related("cluster")
    return {pool.pk: _place_of(pool) for pool in pools}


def _place_of(pool: Nodepool) -> Place:
    cluster = pool.cluster
    return Place(cluster.slug, pool.slug, cluster.cloud_provider, cluster.region, name_types(pool.instance_types))


def _has(entry: Entry, words: Sequence[str]) -> bool:
    text = "\n".join((entry.label, entry.owner, entry.version, entry.state, *entry.place)).casefold()
    return all(word in text for word in words)


def _order(entries: list[Entry], column: Column, ranks: Mapping[int, float], *, is_descending: bool) -> list[Entry]:
    """What has no value stands last, whichever way; equals stand by name."""
    entries.sort(key=lambda entry: (entry.label.casefold(), entry.owner, entry.pk))
    if column.ranked:
        values = ranks
    else:
        found = {entry.pk: _value_of(entry, column) for entry in entries}
        values = {key: value for key, value in found.items() if value not in (None, "")}
    known = [entry for entry in entries if entry.pk in values]
    known.sort(key=lambda entry: values[entry.pk], reverse=is_descending)
    return known + [entry for entry in entries if entry.pk not in values]


def _value_of(entry: Entry, column: Column) -> Any:
    match column.key:
        case "deployment":
            return entry.label.casefold()
        case "replicas":
            return entry.ready
        case "visibility":
            return "public" if entry.visibility == PUBLIC else "private"
        case "since" | "created":
            return entry.at
        case "owner" | "state" | "version":
            return str(getattr(entry, column.key)).casefold()
    return str(getattr(entry.place, column.key)).casefold()


@dataclass(frozen=True)
class UsageRow:
    """A deployment as a row of the table. Of others' deployments the figures are of the reader's own calls."""

    row: Deployment
    version: str
    desired: int
    nodepools: Sequence[str]
    figures: Figures
    points: Sequence[Point]
    may_change: bool
    is_own: bool


def read_rows(
    user: User, model: Model, keys: Sequence[int], span: Span, now: datetime, *, with_trends: bool = True
) -> list[UsageRow]:
    """The deployments with these keys, in this order, as far as ``user`` sees them."""
    related = ("owner", "version", "nodepool__cluster__owner")
    found = {row.pk: row for row in deployments_of(user, model).select_related(*related).filter(pk__in=keys)}
    kept = [key for key in keys if key in found]
    since = now - span.length
    figures = summary(user, kept, since, now)
    courses = trends(user, kept, since, now, span.points) if with_trends else {}
    live = _live_of(kept)
    pools = _pools_of(kept)
    is_app_owner = has_role(user, model.app, Role.OWNER)
    latest = model.latest.slug if model.latest else ""
    rows = []
    for key in kept:
        row = found[key]
        row.model = model
        is_own = user.is_superuser or row.owner_id == user.pk
        rows.append(
            UsageRow(
                row,
                row.version.slug if row.version else latest,
                desired_of(row, live.get(key, 0)),
                pools.get(key) or [row.nodepool.slug],
                figures[key],
                courses.get(key, ()),
                is_app_owner if row.is_shared else is_own,
                is_own,
            )
        )
    return rows


def _live_of(keys: Sequence[int]) -> dict[int, int]:
    replicas = Replica.objects.filter(deployment__in=keys).exclude(state=State.DRAINING).order_by()
    return dict(replicas.values_list("deployment").annotate(n=Count("pk")))


def _pools_of(keys: Sequence[int]) -> dict[int, list[str]]:
    """In order of preference."""
    pools: dict[int, list[str]] = {}
    placed = Placement.objects.filter(deployment__in=keys).order_by("position")
    for key, slug in placed.values_list("deployment", "nodepool__slug"):
        pools.setdefault(key, []).append(slug)
    return pools
