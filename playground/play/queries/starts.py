"""The start of a deployment in stages, each with its time and its usual time on that nodepool."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from playground.catalog.models import Model, User
from playground.compute.models import Deployment, Nodepool, Transition
from playground.compute.services import read_log

State = Deployment.State
ON_ITS_WAY = {State.PENDING, State.BUILDING, State.STARTING}
LOG_LINES = 8
FAILED_LOG_LINES = 40
FEW_STARTS = 3
STOPPED = "The gateway was stopped."  # the reason of a wait that says nothing of how long placing takes
_LATEST = 40
_EARLIER = 2000
# What a stage is called before, while, and after it goes on.
PLACED, ENVIRONMENT, PROCESS, LOADING, CHECK = STAGES = ("placed", "environment", "process", "loading", "check")
_WORDS = {
    PLACED: ("Place", "Waiting for a place on {place}", "Placed on {place}"),
    ENVIRONMENT: ("Environment", "Building the environment", "Environment built"),
    PROCESS: ("Process", "Starting the process", "Process started"),
    LOADING: ("Loading the model", "Loading the model", "Model loaded"),
    CHECK: ("First health check", "First health check", "Health checked"),
}
_REMOTE_WORDS = {**_WORDS, LOADING: ("Its addresses answer", "Asking its addresses", "Its addresses answer")}


@dataclass(frozen=True)
class Step:
    """One stage of a start: ``mark`` is done, now, later or failed; times in seconds. ``note`` stands for a time."""

    name: str
    mark: str
    took: float | None = None
    usual: float | None = None
    note: str = ""

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
class Usual:
    """What starts of a model on a nodepool took: the median of each stage in seconds, where there were enough."""

    stages: Mapping[str, float] = field(default_factory=dict)
    starts: int = 0

    @property
    def total(self) -> float | None:
        """Of a start whose environment is there already."""
        known = [seconds for stage, seconds in self.stages.items() if stage != ENVIRONMENT]
        return sum(known) if known and self.starts >= FEW_STARTS else None


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

    @property
    def current(self) -> Step | None:
        return next((step for step in self.steps if step.mark in {"now", "failed"}), None)


def describe_start(user: User, deployment: Deployment, *, with_log: bool = True) -> Start:
    """The stages of the latest start, from its transitions; what is usual, from three earlier ones or more.

    The log is for who may change the deployment: it holds others' calls.
    """
    latest = list(reversed(deployment.transitions.order_by("-pk")[:_LATEST]))
    starts = list(_starts(latest))
    current = starts[-1] if starts else _Begun([])
    usual = usual_starts(user, deployment.model, deployment.nodepool_id).get(deployment.nodepool_id, Usual())
    wanted = FAILED_LOG_LINES if deployment.state == State.FAILED else LOG_LINES
    log = (deployment.log_tail.splitlines()[-wanted:] or read_log(deployment, wanted)) if with_log else []
    total = usual.total
    if total is not None and ENVIRONMENT in current.times():
        total = total + usual.stages[ENVIRONMENT] if ENVIRONMENT in usual.stages else None
    return Start(deployment, _steps(deployment, current, usual), current.elapsed, total, usual.starts, log)


def forecast(nodepool: Nodepool, usual: Usual) -> list[Step]:
    """The stages that a start on ``nodepool`` will have."""
    words = _words_of(nodepool)
    place = f"{nodepool.cluster.slug} / {nodepool.slug}"
    names = {stage: words[stage][0] for stage in _stages_of(nodepool)} | {PLACED: words[PLACED][2].format(place=place)}
    return [Step(name, "later", usual=usual.stages.get(stage)) for stage, name in names.items()] + [
        Step("Ready", "later")
    ]


def usual_starts(user: User, model: Model, nodepool_id: int | None = None) -> dict[int, Usual]:
    """What starts of a model usually take on each nodepool (by its key), or on one; of deployments that one sees."""
    rows = Deployment.objects.visible_to(user).filter(model=model)
    rows = rows.filter(nodepool=nodepool_id) if nodepool_id is not None else rows
    nodepools: dict[int, int] = dict(rows.order_by().values_list("pk", "nodepool"))
    newest = Transition.objects.filter(deployment__model=model)
    newest = newest.filter(deployment__nodepool=nodepool_id) if nodepool_id is not None else newest
    seen = [entry for entry in newest.order_by("-pk")[:_EARLIER] if entry.deployment_id in nodepools]
    ordered = sorted(seen, key=lambda entry: (entry.deployment_id, entry.pk))
    begun: dict[int, list[_Begun]] = {}
    for deployment, entries in itertools.groupby(ordered, key=lambda entry: entry.deployment_id):
        begun.setdefault(nodepools[deployment], []).extend(one for one in _starts(list(entries)) if one.is_finished)
    return {nodepool: _usual(starts) for nodepool, starts in begun.items()}


def _usual(starts: Sequence[_Begun]) -> Usual:
    times: dict[str, list[float]] = {}
    for start in starts:
        for stage, seconds in start.times().items():
            times.setdefault(stage, []).append(seconds)
    known = {stage: times[stage] for stage in STAGES if len(times.get(stage, [])) >= FEW_STARTS}
    return Usual({stage: statistics.median(values) for stage, values in known.items()}, len(starts))


@dataclass(frozen=True)
class _Begun:
    """One start: its transitions on the way, and how it ended, if it did."""

    entries: list[Transition]
    end: Transition | None = None

    @property
    def is_finished(self) -> bool:
        return self.end is not None and self.end.state == State.READY

    @property
    def elapsed(self) -> float:
        waited_for_us = bool(self.entries) and self.entries[0].reason == STOPPED
        entries = self.entries[1:] if waited_for_us else self.entries
        return self._after(entries[0].at) if entries else 0.0

    def times(self) -> dict[str, float]:
        """Seconds by stage, of those that were reached, in their order."""
        found: dict[str, float] = {}
        for entry, following in zip(self.entries, [*self.entries[1:], None], strict=False):
            stay = (following.at - entry.at).total_seconds() if following else self._after(entry.at)
            if entry.state == State.STARTING:
                found |= _split(entry.marks, stay)
            elif entry.state == State.BUILDING:
                found[ENVIRONMENT] = stay
            elif entry.reason != STOPPED:  # nobody was there to place it
                found[PLACED] = stay
        return found

    def _after(self, at: datetime) -> float:
        return ((self.end.at if self.end else timezone.now()) - at).total_seconds()


def _split(marks: Mapping[str, float], stay: float) -> dict[str, float]:
    """The time of a process's start between its marks; all of it is loading where there are none."""
    reached = [(stage, marks[stage]) for stage in STAGES if stage in marks] or [(LOADING, 0.0)]
    ends = [*(at for _, at in reached[1:]), stay]
    return {stage: max(0.0, end - at) for (stage, at), end in zip(reached, ends, strict=True)}


def _starts(entries: Iterable[Transition]) -> Iterable[_Begun]:
    """The starts in a deployment's history, the last of them perhaps going on."""
    way: list[Transition] = []
    for entry in entries:
        if entry.state in ON_ITS_WAY and not (way and entry.state == State.PENDING):
            way.append(entry)
            continue
        if way:
            yield _Begun(way, entry)
        way = [entry] if entry.state == State.PENDING else []
    if way:
        yield _Begun(way)


def _steps(deployment: Deployment, start: _Begun, usual: Usual) -> list[Step]:
    times = start.times()
    last = next(reversed(times), PLACED)
    is_over = start.end is not None
    steps = []
    is_ahead = False
    for stage in _stages_of(deployment.nodepool):
        mark = "later" if is_ahead else "done"
        if stage == last and not start.is_finished:
            mark, is_ahead = "failed" if is_over else "now", True
        steps.append(_step(deployment.nodepool, stage, mark, times.get(stage), usual.stages.get(stage)))
    return [*steps, Step("Ready", "done" if start.is_finished else "later")]


def _step(nodepool: Nodepool, stage: str, mark: str, took: float | None, usual: float | None) -> Step:
    before, during, after = _words_of(nodepool)[stage]
    name = {"later": before, "done": after}.get(mark, during)
    if mark == "done" and took is None:
        note = "there already" if stage == ENVIRONMENT else "at once"
        return Step(before if stage == ENVIRONMENT else name.format(place=_place(nodepool)), mark, note=note)
    return Step(name.format(place=_place(nodepool)), mark, took, usual)


def _place(nodepool: Nodepool) -> str:
    return f"{nodepool.cluster.slug} / {nodepool.slug}"


def _stages_of(nodepool: Nodepool) -> Sequence[str]:
    """Somebody else's replicas are only found: nothing is built or started."""
    return (PLACED, LOADING) if nodepool.engine == Nodepool.Engine.REMOTE else STAGES


def _words_of(nodepool: Nodepool) -> Mapping[str, tuple[str, str, str]]:
    return _REMOTE_WORDS if nodepool.engine == Nodepool.Engine.REMOTE else _WORDS
