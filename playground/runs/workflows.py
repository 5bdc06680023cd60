"""A run of a workflow: prepared as a call is, then run node by node; each node's news and outputs are events."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from playground.catalog import workflows
from playground.compute.models import Deployment
from playground.protocol.errors import DeployingError, InputError, NotFoundError, PlaygroundError
from playground.protocol.pipes import COMPUTING, STOPPED, UNKNOWN
from playground.protocol.shapes import shape_of
from playground.protocol.values import Image
from playground.runs import events, requests
from playground.runs.execution import FATE_SECONDS, LiveRun
from playground.sdk import ServedBy
from playground.sdk.graphs import (
    OUTPUT,
    STARTED,
    GraphError,
    NodeEvent,
    call_through,
    outcome_of,
    run_plan,
    shown_field,
)
from playground.sdk.pipes import ask_fate, call_name

if TYPE_CHECKING:
    from playground.catalog.models import User
    from playground.protocol.fetch import Fence
    from playground.runs.requests import Request
    from playground.sdk import Answer, Waiting
    from playground.sdk.graphs import Call, Plan, Step

ONLY = ""
"""The name of an argument that was given without one: of a workflow that takes one."""


@dataclass(frozen=True)
class Prepared:
    """A workflow that may be run: everything looked up, every value checked."""

    plan: Plan
    workflow_id: int
    version_id: int
    arguments: dict[str, Any]
    plain: dict[str, Any]
    media_ids: frozenset[str]
    shared: frozenset[tuple[str, str]]


def prepare(user: User, request: Request) -> Prepared:
    """Look up and check all that a run needs; in a thread. Raises AlreadyStarted for a repetition; NotFoundError,
    DeployingError, InputError (``argument`` names the field)."""
    requests.check_new(user, request)
    if request.selector:
        raise InputError("selector: a workflow's own nodes say where each of them is called.")
    try:
        workflow = workflows.find_workflow(user, *request.subject)
        version = workflows.find_version(workflow, request.version)
        plan = workflows.plan_of(user, version)
    except NotFoundError as error:
        raise NotFoundError(f"{error.message} Nothing was run.") from None
    except GraphError as error:
        raise InputError(f"{error.message} Nothing was run.") from None
    for name in plan.unknown:
        raise DeployingError(
            f"The methods of {plan.step(name).node.model} are not known before it has been loaded once."
        )
    named = _named(request, plan)
    reader = requests.Reader(user)
    arguments, _ = requests.read_arguments(plan.signature, named, reader)
    if any(step.cropped >= 0 for step in plan.steps):
        _fetch_pictures(arguments)
    return Prepared(
        plan=plan,
        workflow_id=workflow.pk,
        version_id=version.pk,
        arguments=arguments,
        plain=requests.without_secrets(plan.signature, named.arguments),
        media_ids=frozenset(reader.ids),
        shared=frozenset(
            Deployment.objects.visible_to(user).filter(is_shared=True).values_list("owner__username", "slug")
        ),
    )


def _named(request: Request, plan: Plan) -> Request:
    """The request with a name for the argument that was given without one."""
    if ONLY not in request.arguments:
        return request
    names = [field.name for field in plan.signature.input_fields]
    if len(names) != 1:
        raise InputError(f"{request.address} takes {' and '.join(names) or 'nothing'}: name each argument.")
    return replace(request, arguments={names[0]: request.arguments[ONLY]})


def _fetch_pictures(arguments: Mapping[str, Any]) -> None:
    """Addresses of pictures that are to be cropped become pictures; models fetch theirs themselves."""
    module = importlib.import_module("playground.protocol.fetch")  # its HTTP client takes long to load
    fence: Fence = module.Fence(allow=tuple(ipaddress.ip_network(network) for network in settings.FETCH_ALLOW))
    for name, value in arguments.items():
        if isinstance(value, Image) and value.url and not value.bytes:
            try:
                value.bytes = fence.fetch(value.url).content
            except InputError as error:
                raise InputError(error.message, argument=name) from None


class LiveWorkflow(LiveRun):
    """A run of a workflow of this process. It ends as failed where a node did; what the others gave is kept."""

    _workflow: Prepared

    async def _begin(self) -> None:
        self._workflow = known = await self._in_thread(prepare, self.user, self.request)
        self._is_light = False
        self._counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._places: dict[str, events.Fields] = {}
        self._calls: dict[str, str] = {}  # by their names, in flight or cut: the node of each
        row = self._row(known.plain, workflow_id=known.workflow_id, workflow_version_id=known.version_id)
        self._open_journal(row, known.media_ids)
        nodes = [_describe(step) for step in known.plan.steps]
        started = events.started(method=self.request.method, asked={}, state="")
        self._append(events.STARTED, started | {"nodes": nodes})

    async def _answer(self) -> None:
        plan = self._workflow.plan
        failed: dict[str, PlaygroundError] = {}
        async with aclosing(run_plan(plan, self._workflow.arguments, self._named_call())) as news:
            async for event in news:
                await self._hear(event)
                if event.error is not None:
                    failed[event.node] = event.error
        if (error := outcome_of(plan, failed)) is not None:
            raise error

    def _named_call(self) -> Call:
        """Calls by names of their own, so that one can ask what became of each that was cut."""
        call = call_through(self._client, seconds=settings.RUN_MAX_SECONDS + 5.0, on_wait=self._wait_for)

        async def named(step: Step, arguments: Mapping[str, Any]) -> AsyncIterator[Answer]:
            name = f"{self.id}.{len(self._calls)}"
            call_name.set(name)
            self._calls[name] = step.node.id
            async with aclosing(call(step, arguments)) as answers:  # type: ignore[type-var]  # it is a generator
                async for answer in answers:
                    yield answer
            self._calls[name] = ""

        return named

    # What nodes tell.

    async def _hear(self, event: NodeEvent) -> None:
        step = self._workflow.plan.step(event.node)
        if event.kind == OUTPUT:
            self._count(event, step)
            if not step.node.suppress_output:
                await self._keep_output(event)
            return
        facts: events.Fields = {}
        if event.after:
            facts["after"] = event.after
        if event.error is not None:
            if isinstance(event.error.served_by, ServedBy):
                self._places[event.node] = self._place(step, event.error.served_by)
            facts["error"] = events.describe_error(event.error)
        if event.kind != STARTED:
            facts |= self._places.get(event.node, {})
        self._append(events.NODE, events.node(event.node, event.kind, event.seconds * 1000, facts))

    async def _keep_output(self, event: NodeEvent) -> None:
        figures, value = self.figures, event.value
        if type(value) is str:
            value = value[: max(0, settings.RUN_MAX_TEXT_BYTES - self.tail.size)]
            figures.characters += len(value)
        else:
            assert event.field is not None
            value = await self._as_plain(value, event.field)
        if figures.first_output_ms is None:
            figures.first_output_ms = round(self.tail.elapsed_ms(), 2)
        figures.outputs += 1
        self._append(events.OUTPUT, events.output(figures.outputs - 1, value) | {"node": event.node})
        self._check_size()

    def _count(self, event: NodeEvent, step: Step) -> None:
        answer = event.answer
        if answer is None:
            return
        given, made = self._counts[event.node]
        if step.flow.is_split:  # a call for each
            self._counts[event.node] = (given + answer.prompt_tokens, made + answer.completion_tokens)
        else:
            self._counts[event.node] = (max(given, answer.prompt_tokens), max(made, answer.completion_tokens))
        self.figures.prompt_tokens = sum(count[0] for count in self._counts.values())
        self.figures.completion_tokens = sum(count[1] for count in self._counts.values())
        if answer.served_by is not None and event.node not in self._places:
            self._places[event.node] = self._place(step, answer.served_by)

    def _place(self, step: Step, served: ServedBy) -> events.Fields:
        where = {
            "deployment_id": served.deployment_id,
            "nodepool_id": served.nodepool_id,
            "compute_cluster_id": served.compute_cluster_id,
            "is_shared": (served.deployment_user_id, served.deployment_id) in self._workflow.shared,
        }
        asked = step.node.selector.get("deployment_id")
        as_asked = where["deployment_id"] == asked if asked else where["is_shared"]
        if self._journal is not None:
            self._journal.served_by = {"nodes": {**self._journal.served_by.get("nodes", {}), step.node.id: where}}
        return {"served_by": where, "as_asked": bool(as_asked)}

    def _wait_for(self, node_id: str, waiting: Waiting) -> None:
        model = self._workflow.plan.step(node_id).node.model
        name = model.model_id if model is not None else node_id
        fields = events.deploying(
            deployment=name, state=str(waiting.state), reason=waiting.message, waited_s=waiting.waited_seconds
        )
        self._append(events.DEPLOYING, fields | {"node": node_id})

    async def _fate(self) -> str:
        """Of all calls that were cut the worst: one that still computes, else one of which nobody knows."""
        cut = [name for name, node in self._calls.items() if node]
        try:
            fates = await asyncio.gather(*(ask_fate(self._client, name, FATE_SECONDS) for name in cut))
        except asyncio.CancelledError:  # the server stops as well
            return UNKNOWN.decode()
        worst = next((fate for fate in (COMPUTING, UNKNOWN) if fate in fates), STOPPED)
        return worst.decode()


def _describe(step: Step) -> events.Fields:
    """A node as pages draw it: what it gives, and of which model."""
    node = step.node
    facts = {"id": node.id, "shape": shape_of(shown_field(step.flow)), "inputs": list(node.inputs)}
    facts |= {"model": str(node.model) if node.model is not None else "", "acts": list(node.acts)}
    return facts | {"is_suppressed": node.suppress_output}
