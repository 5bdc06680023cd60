"""Where a call of a model may go: what the deployment picker lists, and which of it an address names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone

from playground.catalog.models import Model, User
from playground.compute.models import Deployment, Placement
from playground.compute.usage.queries import summary
from playground.play.queries.starts import ON_ITS_WAY, Usual, usual_starts
from playground.templatetags.ui import capital, milliseconds, seconds

State = Deployment.State
MOST = 100
SPAN = timedelta(days=1)
SEARCH_FROM = 7


@dataclass(frozen=True)
class Choice:
    """Where a call may go, as the picker shows it; ``refusal`` says why a chosen one cannot be used.

    ``speed`` is what one waits for there: its usual first output, or its usual start.
    """

    label: str
    query: Mapping[str, str]
    deployment: Deployment | None = None
    refusal: str = ""
    speed: str = ""

    @property
    def selector(self) -> dict[str, str]:
        """As a run keeps what was asked."""
        if "deployment" in self.query:
            whose = {"deployment_user_id": self.query["owner"]} if "owner" in self.query else {}
            return {"deployment_id": self.query["deployment"], **whose}
        if "cluster" in self.query:
            return {"compute_cluster_id": self.query["cluster"], "nodepool_id": self.query["nodepool"]}
        return {}

    @property
    def query_string(self) -> str:
        return urlencode(self.query)

    @property
    def is_pair(self) -> bool:
        return "cluster" in self.query

    @property
    def has_failed(self) -> bool:
        return self.deployment is not None and self.deployment.state == State.FAILED

    @property
    def meta(self) -> str:
        """Where it is, and what one waits for there; why it failed, where it has."""
        if self.deployment is None:
            return ""
        pool = self.deployment.nodepool
        where = [pool.cluster.slug, pool.slug, pool.cluster.region]
        if self.is_pair:
            where = [self.deployment.label, pool.cluster.region]
        state = self.deployment.state if not self.speed or self.deployment.state in ON_ITS_WAY else ""
        told = capital(self.deployment.reason) if self.has_failed and self.deployment.reason else state
        return " · ".join(dict.fromkeys(filter(None, [*where, told, self.speed])))


@dataclass(frozen=True)
class Listed:
    """What the picker lists: the first so many of all that match, out of all there are."""

    choices: list[Choice]
    found: int
    total: int

    @property
    def has_search(self) -> bool:
        return self.total >= SEARCH_FROM


def list_choices(user: User, model: Model, text: str = "") -> Listed:
    """Shared first, then the model's other deployments that ``user`` sees, one's own before others'."""
    everything = _visible(user, model)
    matching = everything
    for word in text.split():
        matching = matching.filter(
            Q(slug__icontains=word)
            | Q(owner__username__icontains=word)
            | Q(nodepool__slug__icontains=word)
            | Q(nodepool__cluster__slug__icontains=word)
            | Q(nodepool__cluster__region__icontains=word)
            | Q(state__icontains=word)
            | (Q(is_shared=True) if "shared".startswith(word.lower()) else Q())
        )
    total = everything.count()
    found = matching.count() if text else total
    names = matching.values_list("pk", "slug", "is_shared", "owner")
    ordered = sorted(names, key=lambda row: (not row[2], row[3] != user.pk, row[1]))[:MOST]
    rows = everything.in_bulk([row[0] for row in ordered])
    return Listed(with_speeds(user, model, [choice_of(rows[row[0]], user) for row in ordered]), found, total)


def with_speeds(user: User, model: Model, choices: Sequence[Choice]) -> list[Choice]:
    """The same with what one waits for: of a ready one its median first output in a day, of others their start."""
    now = timezone.now()
    rows = {choice.deployment.pk: choice.deployment for choice in choices if choice.deployment}
    figures = summary(user, list(rows), now - SPAN, now)
    usual = usual_starts(user, model) if any(not row.is_ready for row in rows.values()) else {}
    speeds = {pk: _speed(row, figures[pk].first_output_p50, usual.get(row.nodepool_id)) for pk, row in rows.items()}
    return [_with_speed(choice, speeds) for choice in choices]


def _with_speed(choice: Choice, speeds: Mapping[int, str]) -> Choice:
    speed = speeds.get(choice.deployment.pk, "") if choice.deployment else ""
    return Choice(choice.label, choice.query, choice.deployment, choice.refusal, speed)


def _speed(row: Deployment, first_output: float | None, usual: Usual | None) -> str:
    if row.is_ready:
        return f"first output {milliseconds(first_output * 1000)}" if first_output is not None else ""
    if row.state == State.FAILED or not row.is_enabled:
        return "" if row.is_enabled else "switched off"
    if row.state in ON_ITS_WAY:
        return f"usually {seconds(usual.total)}" if usual and usual.total is not None else ""
    return f"starts in about {seconds(usual.total)}" if usual and usual.total is not None else "starts when called"


def choice_at(row: Deployment, user: User, *, is_pair: bool = False) -> Choice:
    """One that is chosen already, by itself or by where it is, with what one waits for there."""
    pair = {"cluster": row.nodepool.cluster.slug, "nodepool": row.nodepool.slug}
    choice = Choice(" / ".join(pair.values()), pair, row) if is_pair else choice_of(row, user)
    return with_speeds(user, row.model, [choice])[0]


def choice_of(row: Deployment, user: User) -> Choice:
    """Another's deployment goes by its owner too: both may have one of that id."""
    if row.is_shared:
        return Choice("Shared (default)", {}, row)
    if row.owner_id == user.pk:
        return Choice(row.slug, {"deployment": row.slug}, row)
    owner = row.owner.username
    return Choice(f"{owner} / {row.slug}", {"deployment": row.slug, "owner": owner}, row)


def choose(user: User, model: Model, asked: Mapping[str, str]) -> Choice:
    """The choice that a page's query string names: ``deployment``, or ``cluster`` with ``nodepool``, or nothing.

    ``owner`` goes with a deployment of somebody else's.
    """
    asked = {name: value.replace("\0", "") for name, value in asked.items()}  # which no database looks up
    deployment, cluster, nodepool = (asked.get(name, "") for name in ("deployment", "cluster", "nodepool"))
    if deployment and (cluster or nodepool):
        return Choice(deployment, {}, refusal="Name a deployment, or a cluster and a nodepool, not both.")
    if deployment:
        found = _choose_deployment(user, model, deployment, asked.get("owner", ""))
    elif cluster or nodepool:
        found = _choose_place(user, model, cluster, nodepool)
    else:
        shared = _visible(user, model).filter(is_shared=True).first()
        found = choice_of(shared, user) if shared else Choice("Shared (default)", {})
    return with_speeds(user, model, [found])[0]


def _choose_deployment(user: User, model: Model, slug: str, owner: str) -> Choice:
    here = _visible(user, model).filter(slug=slug)
    here = here.filter(owner__username=owner) if owner else here
    own_first = sorted(here, key=lambda row: row.owner_id != user.pk)
    if own_first:
        return choice_of(own_first[0], user)
    query = {"deployment": slug, **({"owner": owner} if owner and owner != user.username else {})}
    return Choice(slug, query, refusal=_refusal(f"No deployment {slug}"))


def _choose_place(user: User, model: Model, cluster: str, nodepool: str) -> Choice:
    label = f"{cluster or '…'} / {nodepool or '…'}"
    query = {"cluster": cluster, "nodepool": nodepool}
    if not (cluster and nodepool):
        return Choice(label, query, refusal="A cluster and a nodepool go together: one of them is not named.")
    rows = _visible(user, model)
    here = Q(nodepool__slug=nodepool, nodepool__cluster__slug=cluster)
    placed = Placement.objects.filter(here, deployment__in=rows)
    found = rows.filter(here | Q(pk__in=placed.values("deployment"))).order_by("-is_shared", "pk").first()
    if found is not None:
        return Choice(label, query, found)
    return Choice(label, query, refusal=_refusal(f"No deployment of this model on {label}"))


def list_pairs(user: User, model: Model) -> dict[str, list[str]]:
    """The clusters and, of each, the nodepools that the model's deployments may be on."""
    rows = _visible(user, model)
    placed = Placement.objects.filter(deployment__in=rows).values_list("nodepool__cluster__slug", "nodepool__slug")
    now = rows.values_list("nodepool__cluster__slug", "nodepool__slug")
    pairs: dict[str, list[str]] = {}
    for cluster, nodepool in sorted({*placed.order_by(), *now.order_by()}):
        pairs.setdefault(cluster, []).append(nodepool)
    return pairs


def _visible(user: User, model: Model) -> QuerySet[Deployment]:
    rows = Deployment.objects.visible_to(user).filter(model=model)
    return rows.select_related("nodepool__cluster", "owner", "model__app__owner")


def _refusal(what: str) -> str:
    return f"{what} for you. It does not exist, or is not shared with you. Nothing was run."
