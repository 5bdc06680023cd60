"""What to ask about workflows and how to read the answers, touching no network: one function an act."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol.errors import InputError, ModelError, PlaygroundError
from playground.sdk.asks import Ask, ask, message_of, nothing, whose
from playground.sdk.calls import Data, ModelAddress, Selector, check
from playground.sdk.new_inputs import NewInput, kind_of
from playground.sdk.oldform import check_medium, from_bytes, from_url
from playground.sdk.resources import Visibility, read_visibility, write_visibility

Results: TypeAlias = service_pb2.PostWorkflowResultsResponse
OutputConfig = Mapping[str, Any] | None
Deployments = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class WorkflowAddress:
    """Which workflow. An empty user is the token's owner, an empty version the latest."""

    workflow_id: str
    user_id: str = ""
    app_id: str = "main"
    version_id: str = ""


ACTS = ("prompter", "image-crop", "concept-thresholder")
"""A node without a model is told on the wire as one of Clarifai's small ones, which do what it does."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A step: which model it calls, if one, and which nodes it takes from."""

    id: str
    model: ModelAddress | None
    inputs: tuple[str, ...]
    suppress_output: bool


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """A workflow as the catalog has it; ``yaml`` is told by ``get`` alone."""

    id: str
    user_id: str
    app_id: str
    description: str
    visibility: Visibility
    version_id: str
    nodes: tuple[NodeInfo, ...]
    yaml: str
    created_at: datetime

    @property
    def reference(self) -> str:
        return f"{self.user_id}/{self.app_id}/workflows/{self.id}"


class MixedError(ModelError):
    """Some nodes or inputs failed; ``reply`` has what the others gave."""

    reply: Results


def parse_workflow(text: str) -> WorkflowAddress:
    """``WORKFLOW``, ``APP/WORKFLOW``, ``USER/APP/workflows/WORKFLOW[/versions/VERSION]``, or such a page's address."""
    path = urlsplit(text).path if "://" in text else text.partition("?")[0]
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 4 and parts[-2] == "workflows":
        return WorkflowAddress(parts[-1], user_id=parts[-4], app_id=parts[-3])
    if len(parts) >= 6 and parts[-4] == "workflows":
        return WorkflowAddress(parts[-3], user_id=parts[-6], app_id=parts[-5], version_id=parts[-1])
    if "://" not in text and len(parts) == 1:
        return WorkflowAddress(parts[0])
    if "://" not in text and len(parts) == 2:
        return WorkflowAddress(parts[1], app_id=parts[0])
    raise InputError(f"{text!r} names no workflow: give it like people-pose or owner/main/workflows/people-pose.")


def find_workflow(url: str | None, workflow_id: str, user_id: str, app_id: str, version_id: str) -> WorkflowAddress:
    """From one of its two names. Raises InputError."""
    if bool(url) == bool(workflow_id):
        raise InputError("Name the workflow either by url or by workflow_id.")
    if not url:
        return WorkflowAddress(workflow_id, user_id, app_id or "main", version_id)
    if user_id or app_id:
        raise InputError("The url says whose workflow it is: leave user_id and app_id out.")
    at = parse_workflow(url)
    return WorkflowAddress(at.workflow_id, at.user_id, at.app_id, version_id or at.version_id)


# --- the catalog ---------------------------------------------------------------------------------------------------


def list_workflows(user_id: str, app_id: str) -> Ask[list[WorkflowInfo]]:
    where = whose(user_id, app_id)
    return ask("ListWorkflows", lambda reply: [read_workflow(one) for one in reply.workflows], user_app_id=where)


def get_workflow(reference: str) -> Ask[WorkflowInfo]:
    at = parse_workflow(reference)
    where = whose(at.user_id, at.app_id)
    return ask(
        "GetWorkflow",
        lambda reply: read_workflow(reply.workflow),
        user_app_id=where,
        workflow_id=at.workflow_id,
    )


def create_workflow(
    workflow_id: str, yaml: str, app_id: str, user_id: str, description: str | None, visibility: Visibility | None
) -> Ask[WorkflowInfo]:
    return ask(
        "PostWorkflows",
        lambda reply: read_workflow(reply.workflows[0]),
        user_app_id=whose(user_id, app_id),
        workflows=[_workflow(workflow_id, yaml, description, visibility)],
    )


def edit_workflow(
    reference: str, yaml: str | None, description: str | None, visibility: Visibility | None
) -> Ask[WorkflowInfo]:
    at = parse_workflow(reference)
    return ask(
        "PatchWorkflows",
        lambda reply: read_workflow(reply.workflows[0]),
        user_app_id=whose(at.user_id, at.app_id),
        workflows=[_workflow(at.workflow_id, yaml, description, visibility)],
        action="overwrite",
    )


def delete_workflow(reference: str) -> Ask[None]:
    at = parse_workflow(reference)
    return ask("DeleteWorkflows", nothing, user_app_id=whose(at.user_id, at.app_id), ids=[at.workflow_id])


def _workflow(
    workflow_id: str, yaml: str | None, description: str | None, visibility: Visibility | None
) -> resources_pb2.Workflow:
    facts = {"description": description, "visibility": write_visibility(visibility)}
    message: resources_pb2.Workflow = message_of(resources_pb2.Workflow, id=workflow_id, **facts)
    if yaml is not None:
        message.metadata["yaml"] = yaml
    return message


def read_workflow(message: resources_pb2.Workflow) -> WorkflowInfo:
    yaml = message.metadata.fields.get("yaml")
    return WorkflowInfo(
        id=message.id,
        user_id=message.user_id,
        app_id=message.app_id,
        description=message.description,
        visibility=read_visibility(message),
        version_id=message.version.id,
        nodes=tuple(_node(node) for node in message.nodes),
        yaml="" if yaml is None else yaml.string_value,
        created_at=message.created_at.ToDatetime(tzinfo=UTC),
    )


def _node(message: resources_pb2.WorkflowNode) -> NodeInfo:
    model = message.model
    address = ModelAddress(model.id, model.user_id, model.app_id, model.model_version.id)
    inputs = tuple(one.node_id for one in message.node_inputs)
    calls_one = model.id and model.model_type_id not in ACTS
    return NodeInfo(message.id, address if calls_one else None, inputs, message.suppress_output)


# --- predictions ---------------------------------------------------------------------------------------------------


def predict(
    at: WorkflowAddress,
    inputs: Sequence[resources_pb2.Input | NewInput | Data],
    output_config: OutputConfig,
    deployments: Deployments,
) -> Ask[Results]:
    """Runs it on each of the inputs. ``deployments`` send nodes, by their ids, elsewhere than the workflow says."""
    try:
        config = resources_pb2.OutputConfig(**(output_config or {}))
    except (ValueError, TypeError) as error:
        raise InputError(f"output_config cannot be sent: {error}", argument="output_config") from None
    return ask(
        "PostWorkflowResults",
        lambda reply: reply,
        check=_check_results,
        user_app_id=resources_pb2.UserAppIDSet(user_id=at.user_id or "me", app_id=at.app_id),
        workflow_id=at.workflow_id,
        version_id=at.version_id,
        inputs=[_input(one) for one in inputs],
        output_config=config,
        node_runner_selectors={name: _selector(one) for name, one in (deployments or {}).items()},
    )


def by_bytes(content: bytes, input_type: str | None) -> Data:
    if not isinstance(content, bytes | bytearray | memoryview):
        raise InputError(f"The input is {type(content).__name__}, not bytes.")
    return from_bytes(check_medium(input_type) if input_type else kind_of(bytes(content)), bytes(content))


def by_url(url: str, input_type: str | None) -> Data:
    """Without an ``input_type``, its ending says what it leads to."""
    if input_type is None and isinstance(url, str):
        input_type = (mimetypes.guess_type(urlsplit(url).path)[0] or "").partition("/")[0]
        if not input_type:
            raise InputError("The address does not say what it leads to: give input_type.", argument="input_type")
    return from_url(check_medium(input_type or ""), url)


def _input(given: resources_pb2.Input | NewInput | Data) -> resources_pb2.Input:
    if isinstance(given, NewInput):
        return given.to_proto()
    return given if isinstance(given, resources_pb2.Input) else resources_pb2.Input(data=given)


def _selector(deployment: str) -> resources_pb2.RunnerSelector | None:
    owner, _, name = deployment.rpartition("/")
    return Selector(deployment_id=name, deployment_user_id=owner).check().to_proto()


def _check_results(reply: Any) -> None:
    try:
        check(reply)
    except PlaygroundError as error:
        if error.code != StatusCode.MIXED_STATUS:
            raise
        mixed = MixedError(error.message, code=error.code, call_id=error.call_id, details=error.details)
        mixed.reply = reply
        raise mixed from None
