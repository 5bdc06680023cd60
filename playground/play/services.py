"""What the pages show, asked from the rows below: models, pickers, starts of deployments, runs in words."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from playground.catalog.models import Model, ModelVersion, User, latest_version
from playground.compute.models import Deployment, Transition
from playground.compute.services import read_log
from playground.play.forms import with_forms
from playground.protocol import signatures
from playground.runs.models import Run
from playground.runs.writer import settle, unstored_of

State = Deployment.State
ON_ITS_WAY = {State.PENDING, State.BUILDING, State.STARTING}
LOG_LINES = 8
FAILED_LOG_LINES = 40
FEW_STARTS = 3


@dataclass(frozen=True)
class ModelRow:
    """A model in the list."""

    model: Model
    io: str
    state: str
    last_used: datetime | None


def list_models(user: User, *, text: str = "") -> QuerySet[Model]:
    """The models that ``user`` sees, by name."""
    found = Model.objects.visible_to(user).order_by("app__owner__username", "app__slug", "slug")
    return found.filter(Q(slug__icontains=text) | Q(description__icontains=text)) if text else found


def rows_of(user: User, pks: Sequence[int]) -> list[ModelRow]:
    """The models with these keys, in this order, with the state of their shared deployment: read of the page alone."""
    found = Model.objects.select_related("app__owner").annotate(latest_pk=latest_version("pk")).in_bulk(pks)
    runs = Run.objects.visible_to(user).filter(model__in=pks).order_by()
    used = dict(runs.values_list("model").annotate(last=Max("created_at")))
    states = dict(Deployment.objects.filter(is_shared=True, model__in=pks).values_list("model", "state"))
    latest = {pk: getattr(model, "latest_pk", None) for pk, model in found.items()}
    versions = ModelVersion.objects.only("signatures_proto").in_bulk([pk for pk in latest.values() if pk])
    return [
        ModelRow(found[pk], io_of(versions.get(latest[pk])), states.get(pk, ""), used.get(pk))
        for pk in pks
        if pk in found
    ]


def io_of(version: ModelVersion | None) -> str:
    """What goes in and comes out of the first method; "" until that is known."""
    known = with_forms(version.signatures) if version else []
    return signatures.describe_io(known[0]).removesuffix(", streamed") if known else ""


def find_model(user: User, user_id: str, app_id: str, model_id: str) -> Model:
    """The model at an address, if ``user`` may see it; else Http404, in the same words as for none."""
    found = Model.objects.visible_to(user).at(user_id, app_id, model_id).select_related("app__owner").first()
    if found is None:
        raise Http404(f"No model {user_id}/{app_id}/models/{model_id} for you.")
    return found


def find_version(model: Model, version_id: str) -> ModelVersion | None:
    """The version an address names, or the latest."""
    if not version_id:
        return model.latest
    found = model.versions.filter(slug=version_id).first()
    if found is None:
        raise Http404(f"{model} has no version {version_id}.")
    return found


@dataclass(frozen=True)
class Choice:
    """Where a call may go, as the picker shows it; ``refusal`` says why a chosen one cannot be used."""

    label: str
    query: Mapping[str, str]
    deployment: Deployment | None = None
    refusal: str = ""

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
    def meta(self) -> str:
        if self.deployment is None:
            return ""
        pool = self.deployment.nodepool
        return " · ".join(dict.fromkeys(filter(None, [pool.cluster.slug, pool.slug, pool.cluster.region])))


def list_choices(user: User, model: Model) -> list[Choice]:
    """Shared first, then the model's other deployments that ``user`` sees."""
    rows = Deployment.objects.visible_to(user).filter(model=model).select_related("nodepool__cluster", "owner")
    ordered = sorted(rows, key=lambda row: (not row.is_shared, row.slug))
    return [_choice_of(row, user) for row in ordered]


def _choice_of(row: Deployment, user: User) -> Choice:
    """Another's deployment goes by its owner too: both may have one of that id."""
    if row.is_shared:
        return Choice("Shared (default)", {}, row)
    if row.owner_id == user.pk:
        return Choice(row.slug, {"deployment": row.slug}, row)
    owner = row.owner.username
    return Choice(f"{owner} / {row.slug}", {"deployment": row.slug, "owner": owner}, row)


def choose(choices: list[Choice], asked: Mapping[str, str]) -> Choice:
    """The choice that a page's query string names: ``deployment``, or ``cluster`` with ``nodepool``, or nothing.

    ``owner`` goes with a deployment of somebody else's.
    """
    deployment, cluster, nodepool = (asked.get(name, "") for name in ("deployment", "cluster", "nodepool"))
    owner = asked.get("owner", "")
    if deployment and (cluster or nodepool):
        return Choice(deployment, {}, refusal="Name a deployment, or a cluster and a nodepool, not both.")
    if deployment:
        here = [entry for entry in choices if entry.deployment and entry.deployment.slug == deployment]
        named = (entry for entry in here if owner in ("", _owner_of(entry)))
        own_first = sorted(named, key=lambda entry: "owner" in entry.query)
        unknown = Choice(deployment, {"deployment": deployment}, refusal=_refusal(f"No deployment {deployment}"))
        return next(iter(own_first), unknown)
    if cluster or nodepool:
        return _choose_place(choices, cluster, nodepool)
    default = (entry for entry in choices if not entry.query)
    return next(default, Choice("Shared (default)", {}))


def _owner_of(entry: Choice) -> str:
    return entry.deployment.owner.username if entry.deployment else ""


def _choose_place(choices: list[Choice], cluster: str, nodepool: str) -> Choice:
    label = f"{cluster or '…'} / {nodepool or '…'}"
    query = {"cluster": cluster, "nodepool": nodepool}
    if not (cluster and nodepool):
        return Choice(label, query, refusal="A cluster and a nodepool go together: one of them is not named.")
    for entry in choices:
        pool = entry.deployment.nodepool if entry.deployment else None
        if pool and (pool.cluster.slug, pool.slug) == (cluster, nodepool):
            return Choice(label, query, entry.deployment)
    return Choice(label, query, refusal=_refusal(f"No deployment of this model on {label}"))


def _refusal(what: str) -> str:
    return f"{what} for you. It does not exist, or is not shared with you. Nothing was run."


@dataclass(frozen=True)
class Step:
    """One stage of a start: ``mark`` is done, now, later or failed; times in seconds."""

    name: str
    mark: str
    took: float | None = None
    usual: float | None = None

    @property
    def percent(self) -> int:
        """How far against the usual time: slows towards 95 and never says 100."""
        if not self.usual or self.took is None:
            return 0
        share = self.took / self.usual
        return round(100 * (share if share < 0.7 else 0.95 - 0.25 * math.exp(-(share - 0.7) * 4)))

    @property
    def is_long(self) -> bool:
        return bool(self.usual and self.took is not None and self.took > 2 * self.usual)


@dataclass(frozen=True)
class Start:
    """A deployment on its way up, or why it is not: what the timeline shows."""

    deployment: Deployment
    steps: list[Step]
    elapsed: float
    usual: float | None
    starts: int
    log: list[str]

    @property
    def log_text(self) -> str:
        return "\n".join(self.log)


_STEPS = [(State.PENDING, "Placed"), (State.BUILDING, "Environment"), (State.STARTING, "Loading the model")]


def describe_start(deployment: Deployment, *, with_log: bool = True) -> Start:
    """The stages of the latest start, from its transitions; what is usual, from three earlier ones or more.

    The log is for who may change the deployment: it holds others' calls.
    """
    now = timezone.now()
    history = list(deployment.transitions.order_by("pk"))
    current, earlier = _split(history)
    usual = _usual(earlier)
    took = _durations(current, now)
    reached = {entry.state for entry in current}
    steps = [
        _step(deployment, state, name, took.get(state), usual.get(state))
        for state, name in _STEPS
        if state in reached or state is not State.BUILDING
    ]
    steps.append(Step("Ready", "done" if deployment.is_ready else "later"))
    wanted = FAILED_LOG_LINES if deployment.state == State.FAILED else LOG_LINES
    log = (deployment.log_tail.splitlines()[-wanted:] or read_log(deployment, wanted)) if with_log else []
    starts = sum(entry.state == State.READY for entry in earlier)
    known = [usual[state] for state, _ in _STEPS if state in usual and state in reached | {State.STARTING}]
    elapsed = (now - current[0].at).total_seconds() if current else 0.0
    return Start(deployment, steps, elapsed, sum(known) if known and starts >= FEW_STARTS else None, starts, log)


def _step(deployment: Deployment, state: str, name: str, took: float | None, usual: float | None) -> Step:
    if took is None:
        return Step(_step_name(deployment, state, name), "later", usual=usual)
    if deployment.state == state:
        return Step(_step_name(deployment, state, name), "now", took, usual)
    return Step(_step_name(deployment, state, name), "done", took, usual)


def _step_name(deployment: Deployment, state: str, name: str) -> str:
    if state == State.PENDING:
        verb = "Waiting for a place on" if deployment.state == State.PENDING else "Placed on"
        return f"{verb} {deployment.nodepool.cluster.slug} / {deployment.nodepool.slug}"
    if state == State.BUILDING:
        return "Installing requirements" if deployment.state == State.BUILDING else "Environment built"
    return "Model loaded" if deployment.is_ready else name


def _split(history: list[Transition]) -> tuple[list[Transition], list[Transition]]:
    """The transitions of the latest start, and those before it."""
    begin = max((i for i, entry in enumerate(history) if entry.state == State.PENDING), default=0)
    return history[begin:], history[:begin]


def _durations(entries: list[Transition], now: datetime) -> dict[str, float]:
    ends = [*(entry.at for entry in entries[1:]), now][: len(entries)]
    return {entry.state: (end - entry.at).total_seconds() for entry, end in zip(entries, ends, strict=True)}


def _usual(earlier: list[Transition]) -> dict[str, float]:
    """The median time of each stage over earlier starts, where there were enough."""
    times: dict[str, list[float]] = {}
    for entry, following in itertools.pairwise(earlier):
        if following.state not in {State.FAILED, State.PENDING}:
            times.setdefault(entry.state, []).append((following.at - entry.at).total_seconds())
    return {state: statistics.median(values) for state, values in times.items() if len(values) >= FEW_STARTS}


def list_runs(user: User, model: Model | None = None) -> QuerySet[Run]:
    """One's runs, newest first; what this server has told its pages is in storage by then."""
    settle(unstored_of(user_id=user.pk))
    found = Run.objects.visible_to(user).select_related("model__app__owner")
    return (found.filter(model=model) if model else found).order_by("-created_at")


def describe_run(run: Run) -> dict[str, Any]:
    """A run as the page's modules get it at the first paint; the rest comes by its events."""
    return {
        "id": str(run.pk),
        "state": run.state,
        "method": run.method,
        "arguments": run.arguments,
        "selector": run.selector,
        "created_at": run.created_at.isoformat(),
    }
