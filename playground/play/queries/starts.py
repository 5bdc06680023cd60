"""The start of a deployment in stages, each with its time and its usual time."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from playground.compute.models import Deployment, Transition
from playground.compute.services import read_log

State = Deployment.State
ON_ITS_WAY = {State.PENDING, State.BUILDING, State.STARTING}
LOG_LINES = 8
FAILED_LOG_LINES = 40
FEW_STARTS = 3


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
