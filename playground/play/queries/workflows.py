"""Workflows as the pages list, find and show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q, QuerySet
from django.http import Http404

from playground.catalog import workflows
from playground.catalog.models import User, Workflow, WorkflowVersion
from playground.compute.models import Deployment
from playground.play.graphs import chain
from playground.protocol.errors import NotFoundError
from playground.protocol.signatures import describe_io
from playground.runs.models import Run
from playground.sdk.graphs import Graph, GraphError, Plan

_BY_NAME = ("app__owner__username", "app__slug", "slug")
# The first of these that one of its models is in is what a workflow waits for, or fails of.
_WORST = ("failed", "pending", "building", "starting", "draining", "scaled to zero", "ready")


@dataclass(frozen=True)
class WorkflowRow:
    """A workflow in the list; ``problem`` says why it cannot be run."""

    workflow: Workflow
    io: str
    chain: str
    state: str
    problem: str
    last_used: datetime | None


@dataclass(frozen=True)
class Known:
    """A workflow as one may run it: its newest version, or the one asked for, read and planned."""

    workflow: Workflow
    version: WorkflowVersion
    graph: Graph | None
    plan: Plan | None
    problems: Sequence[str]

    @property
    def waits_for(self) -> list[str]:
        """The models that were never loaded: what they take is not known yet."""
        if self.plan is None:
            return []
        found = (self.plan.step(name).node.model for name in self.plan.unknown)
        return list(dict.fromkeys(model.model_id for model in found if model is not None))

    @property
    def is_ready(self) -> bool:
        """Whether its form can be filled."""
        return self.plan is not None and not self.plan.unknown


def list_workflows(user: User, text: str = "") -> QuerySet[Workflow]:
    """The workflows that ``user`` sees, by name."""
    found = Workflow.objects.visible_to(user)
    if text:
        found = found.filter(Q(slug__icontains=text) | Q(description__icontains=text))
    return found.order_by(*_BY_NAME)


def rows_of(user: User, found: Sequence[Workflow]) -> list[WorkflowRow]:
    newest = {entry.pk: entry.latest for entry in found}
    plans = workflows.plans_of(user, [version for version in newest.values() if version is not None])
    runs = Run.objects.visible_to(user).filter(workflow__in=found).order_by()
    used = dict(runs.values_list("workflow").annotate(last=Max("created_at")))
    states = _states_of([plan for plan in plans.values() if isinstance(plan, Plan)])
    return [_row(entry, newest[entry.pk], plans, states, used.get(entry.pk)) for entry in found]


def _row(
    workflow: Workflow,
    version: WorkflowVersion | None,
    plans: Mapping[int, Plan | GraphError],
    states: Mapping[str, str],
    last_used: datetime | None,
) -> WorkflowRow:
    plan = plans.get(version.pk) if version is not None else None
    if not isinstance(plan, Plan):
        problem = plan.problems[0].message if isinstance(plan, GraphError) else "It has no version yet."
        return WorkflowRow(workflow, "", "", "", problem, last_used)
    io = "" if plan.unknown else describe_io(plan.signature)
    return WorkflowRow(workflow, io, chain(plan.graph), _state_of(plan, states), "", last_used)


def _addresses(plan: Plan) -> set[str]:
    return {str(step.node.model) for step in plan.steps if step.node.model is not None}


def _states_of(plans: Sequence[Plan]) -> dict[str, str]:
    """By a model's address the state of its shared deployment."""
    slugs = {step.node.model.model_id for plan in plans for step in plan.steps if step.node.model is not None}
    shared = Deployment.objects.filter(is_shared=True, model__slug__in=slugs)
    rows = shared.values_list("model__app__owner__username", "model__app__slug", "model__slug", "state")
    return {f"{owner}/{app}/models/{slug}": state for owner, app, slug, state in rows}


def _state_of(plan: Plan, states: Mapping[str, str]) -> str:
    found = {states.get(address, "") for address in _addresses(plan)}
    return next((state for state in _WORST if state in found), "")


def find_workflow(user: User, user_id: str, app_id: str, workflow_id: str) -> Workflow:
    """The workflow at an address, if ``user`` may see it; else Http404, in the same words as for none."""
    try:
        return workflows.find_workflow(user, user_id, app_id, workflow_id)
    except NotFoundError as error:
        raise Http404(error.message) from None


def know(user: User, workflow: Workflow, version_id: str = "") -> Known:
    """Raises Http404 for a version that is not there."""
    try:
        version = workflows.find_version(workflow, version_id)
    except NotFoundError as error:
        raise Http404(error.message) from None
    found = workflows.plans_of(user, [version])[version.pk]
    if isinstance(found, Plan):
        return Known(workflow, version, found.graph, found, [])
    try:
        graph = version.read()
    except GraphError:
        graph = None
    return Known(workflow, version, graph, None, [problem.message for problem in found.problems])
