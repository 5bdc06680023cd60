"""Workflows over the wire: get, list, make, edit, delete. ``gateway/workflows.py`` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog import workflows
from playground.catalog.access import Role, require_role
from playground.catalog.models import Model, Workflow, WorkflowVersion
from playground.compute.routing import DEFAULT_APP_ID
from playground.gateway.families import owners, small_models
from playground.gateway.families.apps import find_app
from playground.gateway.families.paging import page_of
from playground.protocol import structs
from playground.protocol.errors import ConflictError, InputError, NotFoundError
from playground.sdk.graphs import GraphError, read_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import App, User
    from playground.sdk.graphs import Graph, Node

INVALID = StatusCode.WORKFLOW_INVALID_REQUEST
YAML, NODES = "yaml", "nodes"
"""In a workflow's metadata: it as it was written, and of each node what V2's messages have no words for."""
OURS = ("method", "deployment", "keep_above", "crop", "prompt")


def get_workflow(caller: User, request: service_pb2.GetWorkflowRequest) -> service_pb2.SingleWorkflowResponse:
    row = find_workflow(caller, request.user_app_id, request.workflow_id)
    return service_pb2.SingleWorkflowResponse(workflow=workflow_message(caller, row, row.latest, in_full=True))


def list_workflows(caller: User, request: service_pb2.ListWorkflowsRequest) -> service_pb2.MultiWorkflowResponse:
    """Of everybody, where the request names nobody at all, as models are listed."""
    owner = request.user_app_id
    rows = Workflow.objects.visible_to(caller).select_related("app__owner")
    if request.HasField("user_app_id"):
        rows = rows.filter(app__owner__username=owners.user_id_of(caller, owner))
    if owner.app_id:
        rows = rows.filter(app__slug=owner.app_id)
    if text := request.id or request.search or request.query or request.search_term:
        rows = rows.filter(slug__icontains=text)
    found = [workflow_message(caller, row, row.latest) for row in page_of(caller, rows, request)]
    return service_pb2.MultiWorkflowResponse(workflows=found)


def list_versions(
    caller: User, request: service_pb2.ListWorkflowVersionsRequest
) -> service_pb2.MultiWorkflowVersionResponse:
    row = find_workflow(caller, request.user_app_id, request.workflow_id)
    versions = page_of(caller, row.versions.all(), request, newest_first=True)
    for version in versions:
        version.workflow = row
    found = [version_message(version, nodes_of(caller, version)) for version in versions]
    return service_pb2.MultiWorkflowVersionResponse(workflow_versions=found)


def post_workflows(caller: User, request: service_pb2.PostWorkflowsRequest) -> service_pb2.MultiWorkflowResponse:
    owners.require_some(request.workflows, "workflow", INVALID)
    app = find_app(caller, request.user_app_id, request.user_app_id.app_id or DEFAULT_APP_ID)
    require_role(caller, app, Role.MEMBER)
    made = []
    for message in request.workflows:
        if Workflow.objects.visible_to(caller).filter(app=app, slug=message.id).exists():
            there = f"The app {app} has a workflow {message.id} already: give another id, or edit that one."
            raise ConflictError(there, code=StatusCode.WORKFLOW_DUPLICATE)
        version = _add(caller, app, message)
        made.append(workflow_message(caller, version.workflow, version, in_full=True))
    return service_pb2.MultiWorkflowResponse(workflows=made)


def patch_workflows(caller: User, request: service_pb2.PatchWorkflowsRequest) -> service_pb2.MultiWorkflowResponse:
    """New nodes are a new version; what the message does not tell of stays as it is."""
    owners.require_some(request.workflows, "workflow", INVALID)
    owners.check_action(request.action, INVALID)
    made = []
    for message in request.workflows:
        row = find_workflow(caller, request.user_app_id, message.id)
        _add(caller, row.app, message, row.latest)
        row = find_workflow(caller, request.user_app_id, message.id)
        made.append(workflow_message(caller, row, row.latest, in_full=True))
    return service_pb2.MultiWorkflowResponse(workflows=made)


def delete_workflows(caller: User, request: service_pb2.DeleteWorkflowsRequest) -> Any:
    if request.delete_all:
        raise InputError("Workflows are deleted by id: give ids.", code=INVALID)
    owners.require_some(request.ids, "workflow", INVALID)
    for workflow_id in dict.fromkeys(request.ids):
        workflows.delete_workflow(caller, find_workflow(caller, request.user_app_id, workflow_id))
    return status_pb2.BaseResponse()


def delete_workflow(caller: User, request: service_pb2.DeleteWorkflowRequest) -> Any:
    workflows.delete_workflow(caller, find_workflow(caller, request.user_app_id, request.workflow_id))
    return status_pb2.BaseResponse()


def find_workflow(caller: User, owner: resources_pb2.UserAppIDSet, workflow_id: str) -> Workflow:
    """Raises NotFoundError in the same words for what is hidden and what is not there."""
    if not workflow_id:
        raise InputError("The call names no workflow: give workflow_id.", code=INVALID)
    try:
        user_id = owners.user_id_of(caller, owner)
        return workflows.find_workflow(caller, user_id, owner.app_id or DEFAULT_APP_ID, workflow_id)
    except NotFoundError as error:
        raise NotFoundError(error.message, code=StatusCode.WORKFLOW_DOES_NOT_EXIST) from None


# --- as messages ---------------------------------------------------------------------------------------------------


def workflow_message(
    caller: User, row: Workflow, version: WorkflowVersion | None, *, in_full: bool = False
) -> resources_pb2.Workflow:
    message = resources_pb2.Workflow(
        id=row.slug,
        user_id=row.app.owner.username,
        app_id=row.app.slug,
        description=row.description,
        visibility=resources_pb2.Visibility(gettable=row.visibility),
    )
    owners.write_time(message.created_at, row.created_at)
    owners.write_time(message.modified_at, row.modified_at)
    if version is None:
        return message
    version.workflow = row
    graph = version.read()
    message.nodes.extend(nodes_of(caller, version))
    message.version.CopyFrom(version_message(version, ()))
    ours = {node["id"]: {key: node[key] for key in OURS if key in node} for node in _plain_nodes(graph)}
    told: dict[str, Any] = {NODES: ours} if any(ours.values()) else {}
    if in_full:
        told[YAML] = version.yaml
    if told:
        structs.write_struct(message.metadata, told)
    return message


def version_message(version: WorkflowVersion, nodes: Any) -> resources_pb2.WorkflowVersion:
    app = version.workflow.app
    message = resources_pb2.WorkflowVersion(
        id=version.slug,
        workflow_id=version.workflow.slug,
        app_id=app.slug,
        user_id=app.owner.username,
        nodes=nodes,
        visibility=resources_pb2.Visibility(gettable=version.workflow.visibility),
    )
    owners.write_time(message.created_at, version.created_at)
    return message


def nodes_of(caller: User, version: WorkflowVersion) -> list[resources_pb2.WorkflowNode]:
    return [_node_message(caller, version.workflow.app, node) for node in version.read().nodes]


def model_message(caller: User, app: App, node: Node) -> resources_pb2.Model | None:
    """Its address, with the version that runs: official exports want one of every node."""
    if node.model is None:
        return small_models.message_of(app, node)
    message = resources_pb2.Model(id=node.model.model_id, user_id=node.model.user_id, app_id=node.model.app_id)
    message.model_version.id = node.model.version_id
    row = Model.objects.visible_to(caller).at(message.user_id, message.app_id, message.id).first()
    if row is not None:
        message.model_type_id = row.type_id
        if not node.model.version_id and (latest := row.latest) is not None:
            message.model_version.id = latest.slug
    return message


def _node_message(caller: User, app: App, node: Node) -> resources_pb2.WorkflowNode:
    message = resources_pb2.WorkflowNode(
        id=node.id,
        model=model_message(caller, app, node),
        node_inputs=[resources_pb2.NodeInput(node_id=name) for name in node.inputs],
        suppress_output=node.suppress_output,
    )
    if node.arguments:
        structs.write_struct(message.model.model_version.output_info.params, dict(node.arguments))
    return message


def _plain_nodes(graph: Graph) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = to_plain(graph)["workflow"]["nodes"]
    return nodes


# --- reading -------------------------------------------------------------------------------------------------------


def _add(
    caller: User, app: App, message: resources_pb2.Workflow, latest: WorkflowVersion | None = None
) -> WorkflowVersion:
    """As its text says, else as its nodes do, else as it is."""
    facts: Any = owners.given({"description": message.description, "visibility": message.visibility.gettable or None})
    text = message.metadata.fields[YAML].string_value if YAML in message.metadata.fields else ""
    if not text and not message.nodes and latest is not None:
        text = latest.yaml
    try:
        if text:
            return workflows.add_workflow(caller, app, text, workflow_id=message.id, **facts)
        return workflows.add_graph(caller, app, _graph(message), **facts)
    except InputError as error:
        is_graph = isinstance(error, GraphError)
        error.code = StatusCode.WORKFLOW_INVALID_GRAPH if is_graph else StatusCode.WORKFLOW_INVALID_ARGUMENT
        raise


def _graph(message: resources_pb2.Workflow) -> Graph:
    ours = structs.read_struct(message.metadata).get(NODES, {})
    ours = ours if isinstance(ours, dict) else {}
    nodes = [_plain_node(node, ours.get(node.id)) for node in message.nodes]
    return read_plain({"id": message.id, "description": message.description, "nodes": nodes})


def _plain_node(node: resources_pb2.WorkflowNode, ours: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {key: ours[key] for key in OURS if key in ours} if isinstance(ours, dict) else {}
    plain["id"] = node.id
    if node.HasField("model"):
        model = node.model
        ids = {"model_id": model.id, "user_id": model.user_id, "app_id": model.app_id}
        ids |= {"model_version_id": model.model_version.id, "model_type_id": model.model_type_id}
        plain["model"] = {key: value for key, value in ids.items() if value}
        params = structs.read_struct(model.model_version.output_info.params)
        params |= structs.read_struct(node.output_info_override.params)
        if params:
            plain["model"]["output_info"] = {"params": params}
    if node.node_inputs:
        plain["node_inputs"] = [{"node_id": one.node_id} for one in node.node_inputs]
    if node.suppress_output:
        plain["suppress_output"] = True
    return plain


HANDLERS: dict[str, Callable[..., object]] = {
    "GetWorkflow": get_workflow,
    "ListWorkflows": list_workflows,
    "ListWorkflowVersions": list_versions,
    "PostWorkflows": post_workflows,
    "PatchWorkflows": patch_workflows,
    "DeleteWorkflow": delete_workflow,
    "DeleteWorkflows": delete_workflows,
}
