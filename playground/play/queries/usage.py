"""A model's deployments with what they were used for: found, filtered, ordered, and read a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone

from playground.catalog.access import Role, has_role
from playground.catalog.changes import latest_change
from playground.catalog.models import Model, User
from playground.compute.models import Deployment, Placement, Replica, Usage
from playground.compute.usage.figures import Figures
from playground.compute.usage.models import DAY, UsageQuerySet
from playground.compute.usage.queries import Point, summary, trends
from playground.compute.usage.ranking import rank
from playground.play.queries.columns import Asked, Column, Span
from playground.play.queries.places import desired_of, mark_of

State = Deployment.State


class Entry(NamedTuple):
    """What filtering and ordering need of a deployment."""

    pk: int
    slug: str
    is_shared: bool
    owner: str
    state: str
    pinned: str | None
    cluster: str
    nodepool: str
    cloud: str
    region: str
    instance_types: Sequence[Any]
    visibility: int
    ready: int
    created: datetime
    since: datetime

    @property
    def label(self) -> str:
        return "Shared" if self.is_shared else self.slug

    @property
    def instance(self) -> str:
        return name_types(self.instance_types)


_FIELDS = (
    *("pk", "slug", "is_shared", "owner__username", "state", "version__slug", "nodepool__cluster__slug"),
    *("nodepool__slug", "nodepool__cluster__cloud_provider", "nodepool__cluster__region", "nodepool__instance_types"),
    *("visibility", "ready_replicas", "created_at", "state_since"),
)


def name_types(types: Sequence[Any]) -> str:
    """The ids of a nodepool's instance types."""
    return ", ".join(str(entry.get("id", "")) if isinstance(entry, Mapping) else str(entry) for entry in types)


def deployments_of(user: User, model: Model) -> QuerySet[Deployment]:
    """Those of the model that ``user`` sees."""
    return Deployment.objects.visible_to(user).filter(model=model)


def mark_usage(user: User, model: Model, asked: Asked) -> str:
    """Changes when the table may have: cheap, as pages ask for it every few seconds."""
    now = timezone.now()
    recent = _usage_of(user, model).filter(span=DAY, start__gte=now.timestamp() - 2 * DAY)
    used = recent.aggregate(calls=Sum("calls"), last=Max("last_at"))
    minute = int(now.timestamp() // 60)
    facts = (latest_change(), used["calls"], used["last"], minute, deployments_of(user, model).count())
    return mark_of([*facts, asked.sort_key, asked.span.key])


def _usage_of(user: User, model: Model) -> UsageQuerySet:
    return Usage.objects.visible_to(user).filter(deployment_key__in=deployments_of(user, model).order_by().values("pk"))


@dataclass(frozen=True)
class Listing:
    """The deployments that fit, in order, of all there are."""

    entries: Sequence[Entry]
    total: int
    states: Mapping[str, int]
    of_tokens: bool

    @property
    def keys(self) -> list[int]:
        return [entry.pk for entry in self.entries]

    @property
    def failed(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.state == State.FAILED]


def list_usage(user: User, model: Model, asked: Asked, now: datetime) -> Listing:
    everything = [Entry(*values) for values in deployments_of(user, model).order_by().values_list(*_FIELDS)]
    latest = model.latest.slug if model.latest else ""
    counts = Counter(entry.state for entry in everything)
    fitting = [entry for entry in everything if _fits(entry, asked, latest)]
    usage = _usage_of(user, model)
    of_tokens = usage.filter(span=DAY, completion_tokens__gt=0).exists()
    ordered = _order(fitting, asked, latest, _ranks(usage, asked, now, of_tokens=of_tokens))
    states = {state: counts[state] for state in State.values if counts[state]}
    return Listing(ordered, len(everything), states, of_tokens)


def _fits(entry: Entry, asked: Asked, latest: str) -> bool:
    if asked.state and entry.state != asked.state:
        return False
    words = (entry.label, entry.slug, entry.owner, entry.pinned or latest, entry.cluster, entry.nodepool)
    rest = (entry.cloud, entry.region, entry.instance, entry.state)
    text = "\n".join((*words, *rest)).casefold()
    return all(word in text for word in asked.text.casefold().split())


def _ranks(usage: UsageQuerySet, asked: Asked, now: datetime, *, of_tokens: bool) -> Mapping[int, float]:
    figure = asked.sort.ranked
    if figure == "outputs_per_second" and of_tokens:
        figure = "tokens_per_second"
    return rank(usage, figure, now - asked.span.length, now) if figure else {}


def _order(entries: list[Entry], asked: Asked, latest: str, ranks: Mapping[int, float]) -> list[Entry]:
    """What has no value stands last, whichever way; equals stand by name."""
    entries.sort(key=lambda entry: (entry.label.casefold(), entry.owner, entry.pk))
    values = {entry.pk: _value_of(entry, asked.sort, latest, ranks) for entry in entries}
    known = [entry for entry in entries if values[entry.pk] is not None]
    known.sort(key=lambda entry: values[entry.pk], reverse=asked.is_descending)
    return known + [entry for entry in entries if values[entry.pk] is None]


def _value_of(entry: Entry, column: Column, latest: str, ranks: Mapping[int, float]) -> Any:
    if column.ranked:
        return ranks.get(entry.pk)
    match column.key:
        case "deployment":
            return entry.label.casefold()
        case "version":
            return (entry.pinned or latest) or None
        case "replicas":
            return entry.ready
        case "visibility":
            return {10: "private", 50: "public"}.get(entry.visibility)
        case "since" | "created":
            return getattr(entry, column.key)
    return str(getattr(entry, column.key)).casefold() or None


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
