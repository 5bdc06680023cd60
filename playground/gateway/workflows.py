"""Runs workflows over the wire: the graph here, each of its nodes by the way of every other call, in the caller's name.

One failed node fails what hangs on it; the others' outputs are told, with a mixed status.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.conf import settings
from django.db.models import Q

from inputs.models import Input, Kind
from playground.catalog import workflows
from playground.catalog.models import User
from playground.compute.routing import DEFAULT_APP_ID
from playground.gateway.families import workflows as family
from playground.gateway.replicas import FETCH
from playground.media.services import open_bytes
from playground.protocol import codec
from playground.protocol.errors import InputError, ModelError, PlaygroundError, to_status
from playground.protocol.signatures import RETURN
from playground.runner.methods import fill_addresses
from playground.sdk import AsyncClient
from playground.sdk.graphs import FAILED, OUTPUT, SKIPPED, NodeEvent, Plan, call_through, outcome_of, run_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playground.catalog.models import App
    from playground.compute.database import DatabaseThread
    from playground.sdk.graphs import Call

Request: TypeAlias = service_pb2.PostWorkflowResultsRequest
Reply: TypeAlias = service_pb2.PostWorkflowResultsResponse
MOST_INPUTS = 32
AT_ONCE = 4  # inputs of one call
_OK = status_pb2.Status(code=StatusCode.SUCCESS, description="Ok")
_fetching = ThreadPoolExecutor(4, thread_name_prefix="workflow-fetch")


@dataclass(frozen=True)
class _Found:
    """A workflow as its caller may run it, and what replies say of it and of its nodes' models."""

    plan: Plan
    message: resources_pb2.Workflow
    models: Mapping[str, resources_pb2.Model]
    kept: Mapping[str, Input]


@dataclass
class _Told:
    """What a node has said so far."""

    value: Any = None
    kind: Any = None
    error: PlaygroundError | None = None
    after: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def hear(self, event: NodeEvent) -> None:
        if event.kind == OUTPUT:
            is_added = self.kind is not None and isinstance(event.value, str | list)
            self.value, self.kind = (self.value + event.value if is_added else event.value), event.field
        elif event.kind == FAILED:
            self.error = event.error
        elif event.kind == SKIPPED:
            self.after = event.after
        if event.answer is not None:
            self.prompt_tokens += event.answer.prompt_tokens
            self.completion_tokens += event.answer.completion_tokens


@dataclass
class Workflows:
    """``results`` answers PostWorkflowResults. ``address`` is where this gateway answers."""

    database: DatabaseThread
    address: str = ""

    async def results(self, user_pk: int, token: str, request: Request) -> Reply:
        """Raises what is wrong with the whole call; what happens to one input is told in its result."""
        if not 1 <= len(request.inputs) <= MOST_INPUTS:
            words = f"A call runs a workflow on 1 to {MOST_INPUTS} inputs; this one has {len(request.inputs)}."
            raise InputError(words, code=StatusCode.WORKFLOW_INVALID_REQUEST)
        found = await self.database(_look_up, user_pk, request)
        selectors = {name: _selector(one) for name, one in request.node_runner_selectors.items()}
        if unknown := [name for name in selectors if name not in {step.node.id for step in found.plan.steps}]:
            raise InputError(f"The workflow has no node {unknown[0]}.", code=StatusCode.WORKFLOW_INVALID_ARGUMENT)
        limit = asyncio.Semaphore(AT_ONCE)
        async with AsyncClient(self.address, token) as client:
            client.local_socket = settings.GATEWAY_SOCKET
            call = call_through(client, selectors=selectors)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_result(found, one, call, request.output_config, limit)) for one in request.inputs
                ]
        results = [task.result() for task in tasks]
        return Reply(status=_status_of(results), workflow=found.message, results=results)


def _look_up(user_pk: int, request: Request) -> _Found:
    caller = User.objects.get(pk=user_pk)
    row = family.find_workflow(caller, request.user_app_id, request.workflow_id)
    version = workflows.find_version(row, request.version_id)
    version.workflow = row
    plan = workflows.plan_of(caller, version)
    nodes = [step.node for step in plan.steps]
    models = {node.id: family.model_message(caller, row.app, node) or resources_pb2.Model() for node in nodes}
    return _Found(plan, family.workflow_message(caller, row, version), models, _kept(caller, row.app, request))


def _kept(caller: User, app: App, request: Request) -> dict[str, Input]:
    """What the inputs are that come as ids alone: of the workflow's app, else of the caller's own."""
    ids = {one.id for one in request.inputs if one.id and not one.data.ListFields()}
    if not ids:
        return {}
    near = Q(app=app) | Q(app__owner=caller, app__slug=DEFAULT_APP_ID)
    rows = Input.objects.visible_to(caller).filter(near, slug__in=ids).select_related("reference__blob")
    return {row.slug: row for row in sorted(rows, key=lambda row: row.app_id == app.pk)}


def _selector(message: resources_pb2.RunnerSelector) -> dict[str, str]:
    """By the names that ``AsyncClient.model`` takes."""
    cluster = message.nodepool.compute_cluster
    told = {
        "deployment_id": message.deployment.id,
        "deployment_user_id": message.deployment.user_id or cluster.user_id,
        "compute_cluster_id": cluster.id,
        "nodepool_id": message.nodepool.id,
    }
    return {name: value for name, value in told.items() if value}


async def _result(
    found: _Found,
    message: resources_pb2.Input,
    call: Call,
    config: resources_pb2.OutputConfig,
    limit: asyncio.Semaphore,
) -> resources_pb2.WorkflowResult:
    result = resources_pb2.WorkflowResult(id=message.id, input=resources_pb2.Input(id=message.id))
    told = {step.node.id: _Told() for step in found.plan.steps}
    try:
        async with limit:
            arguments = await _arguments(found, message)
            async for event in run_plan(found.plan, arguments, call):
                told[event.node].hear(event)
    except PlaygroundError as error:
        result.status.CopyFrom(to_status(error))
        return result
    failed = {name: one.error for name, one in told.items() if one.error is not None}
    outcome = outcome_of(found.plan, failed)
    result.status.CopyFrom(_OK if outcome is None else to_status(outcome))
    for node in found.plan.graph.nodes:
        if not node.suppress_output:
            result.outputs.append(_output(node.id, told[node.id], found.models[node.id], config))
    return result


async def _arguments(found: _Found, message: resources_pb2.Input) -> dict[str, Any]:
    """The workflow's own, from the old form or from parts, their addresses followed behind the fence."""
    loop = asyncio.get_running_loop()
    data = resources_pb2.Data()
    data.CopyFrom(message.data)
    if message.id and not data.ListFields():
        if (row := found.kept.get(message.id)) is None:
            words = f"The input {message.id} has no data, and there is none of that id for you: send it with its data."
            raise InputError(words, code=StatusCode.INPUT_DOES_NOT_EXIST)
        await loop.run_in_executor(_fetching, _fill, data, row)
    if next(codec.remote_media(data), None) is not None:
        await loop.run_in_executor(_fetching, fill_addresses, data, FETCH)
    return codec.decode_arguments(found.plan.signature, data)


def _fill(data: resources_pb2.Data, row: Input) -> None:
    """With what the input holds; one that is not fetched yet is fetched as any other address."""
    medium = getattr(data, row.kind)
    if row.reference is None:
        medium.url = row.source_url
        return
    with open_bytes(row.reference) as file:
        content = file.read()
    if row.kind == Kind.TEXT:
        medium.raw = content.decode(errors="replace")
    else:
        medium.base64 = content


def _output(
    node_id: str, told: _Told, model: resources_pb2.Model, config: resources_pb2.OutputConfig
) -> resources_pb2.Output:
    output = resources_pb2.Output(
        id=node_id, model=model, prompt_tokens=told.prompt_tokens, completion_tokens=told.completion_tokens
    )
    error = told.error
    if error is None and told.after:
        error = ModelError(f"{node_id} did not run: it takes from {told.after}, which gave nothing.")
    output.status.CopyFrom(_OK if error is None else to_status(error))
    if error is None and told.kind is not None:
        signature = resources_pb2.MethodSignature(name=node_id, output_fields=[_returned(told.kind)])
        output.data.CopyFrom(codec.encode_output(signature, told.value, old_form=True))
        _narrow(output.data, config)
    return output


def _returned(kind: resources_pb2.ModelTypeField) -> resources_pb2.ModelTypeField:
    named = resources_pb2.ModelTypeField()
    named.CopyFrom(kind)
    named.name = RETURN
    return named


def _narrow(data: resources_pb2.Data, config: resources_pb2.OutputConfig) -> None:
    """Fewer concepts, as the call asks: those from a value on, of a few names, the best so many. A region goes with the
    last of its concepts."""
    _narrow_concepts(data, config)
    for number in range(len(data.regions) - 1, -1, -1):
        said = data.regions[number].data
        had_some = bool(said.concepts)
        _narrow_concepts(said, config)
        if had_some and not said.concepts:
            del data.regions[number]


def _narrow_concepts(holder: resources_pb2.Data, config: resources_pb2.OutputConfig) -> None:
    wanted = {one.id or one.name for one in config.select_concepts}
    kept = [one for one in holder.concepts if one.value >= config.min_value]
    if wanted:
        kept = [one for one in kept if one.id in wanted or one.name in wanted]
    if config.max_concepts and len(kept) > config.max_concepts:
        kept = sorted(kept, key=lambda one: -one.value)[: config.max_concepts]
    if len(kept) < len(holder.concepts):
        copies = [resources_pb2.Concept.FromString(one.SerializeToString()) for one in kept]
        del holder.concepts[:]
        holder.concepts.extend(copies)


def _status_of(results: Iterable[resources_pb2.WorkflowResult]) -> status_pb2.Status:
    """That of all results together: the one of them where they are alike, else a mixed one that names the first."""
    statuses = [result.status for result in results]
    failed = [status for status in statuses if status.code != StatusCode.SUCCESS]
    if not failed:
        return _OK
    if len(statuses) == 1 or (len(failed) == len(statuses) and len({status.code for status in statuses}) == 1):
        return failed[0]
    words = f"{len(failed)} of {len(statuses)} inputs failed: {failed[0].description}"
    return to_status(ModelError(words, code=StatusCode.MIXED_STATUS))
