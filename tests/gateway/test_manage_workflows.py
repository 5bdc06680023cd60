"""Workflows over the wire: made, got, listed, edited, deleted; run on inputs, and what came of each node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway.asking import fine, new_id, refused
from tests.gateway.inputs_wire import OWNER, image, picture, region, text
from tests.gateway.inputs_wire import post as post_inputs
from tests.gateway.live import V2, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.live import Live

TWICE = """
workflow:
  id: twice
  nodes:
    - id: first
      model: {model_id: echo, app_id: main}
    - id: second
      model: {model_id: echo}
      method: predict
      node_inputs: [{node_id: first}]
    - id: beside
      model: {model_id: wire}
      method: generate
      arguments: {count: 2}
      node_inputs: [{node_id: first}]
    - id: hidden
      prompt: "Said: {first}, of {input}"
      node_inputs: [{node_id: first}]
      suppress_output: true
    - id: told
      model: {model_id: echo}
      node_inputs: [{node_id: hidden}]
"""


def post(gateway: Live, message: Any, *, user: str = "owner") -> Any:
    request = service_pb2.PostWorkflowsRequest(user_app_id=OWNER, workflows=[message])
    return gateway.call("PostWorkflows", request, user=user)


def written(slug: str, yaml: str = TWICE, **facts: Any) -> resources_pb2.Workflow:
    message = resources_pb2.Workflow(id=slug, **facts)
    message.metadata["yaml"] = yaml
    return message


def made(gateway: Live, yaml: str = TWICE, **facts: Any) -> str:
    slug = new_id("wf")
    fine(post(gateway, written(slug, yaml, **facts)))
    return slug


def get(gateway: Live, slug: str, *, user: str = "owner") -> Any:
    request = service_pb2.GetWorkflowRequest(user_app_id=OWNER, workflow_id=slug)
    return gateway.call("GetWorkflow", request, user=user)


def patch(gateway: Live, message: Any, *, user: str = "owner") -> Any:
    request = service_pb2.PatchWorkflowsRequest(user_app_id=OWNER, workflows=[message], action="overwrite")
    return gateway.call("PatchWorkflows", request, user=user)


def delete(gateway: Live, *slugs: str, user: str = "owner") -> Any:
    request = service_pb2.DeleteWorkflowsRequest(user_app_id=OWNER, ids=slugs)
    return gateway.call("DeleteWorkflows", request, user=user)


def run(gateway: Live, slug: str, *inputs: Any, user: str = "owner", **fields: Any) -> Any:
    request = service_pb2.PostWorkflowResultsRequest(user_app_id=OWNER, workflow_id=slug, inputs=inputs, **fields)
    return gateway.call("PostWorkflowResults", request, user=user)


def test_from_post_to_delete(official_gateway: Live) -> None:
    gateway, slug = official_gateway, new_id("wf")
    told = fine(post(gateway, written(slug, description="Twice."))).workflows[0]
    assert (told.id, told.user_id, told.app_id, told.description) == (slug, "owner", "main", "Twice.")
    got = fine(get(gateway, slug)).workflow
    assert got == told
    assert got.metadata["yaml"] == TWICE.replace("id: twice", f"id: {slug}")
    assert [node.id for node in got.nodes] == ["first", "second", "beside", "hidden", "told"]
    first, second, beside, hidden, _ = got.nodes
    assert (first.model.id, first.model.user_id, first.model.app_id) == ("echo", "owner", "main")
    assert first.model.model_version.id
    assert [one.node_id for one in second.node_inputs] == ["first"]
    assert beside.model.model_version.output_info.params["count"] == 2
    assert (hidden.suppress_output, hidden.model.model_type_id) == (True, "prompter")
    listed = service_pb2.ListWorkflowsRequest(user_app_id=OWNER)
    entry = next(one for one in fine(gateway.call("ListWorkflows", listed)).workflows if one.id == slug)
    assert "yaml" not in entry.metadata
    listed.page = 9
    assert [field.name for field, _ in fine(gateway.call("ListWorkflows", listed)).ListFields()] == ["status"]
    assert slug in refused(post(gateway, written(slug)), StatusCode.WORKFLOW_DUPLICATE)
    edited = fine(patch(gateway, resources_pb2.Workflow(id=slug, description="Again."))).workflows[0]
    assert (edited.description, edited.version.id) == ("Again.", got.version.id)
    edited = fine(patch(gateway, written(slug, TWICE.replace("count: 2", "count: 1")))).workflows[0]
    assert edited.version.id != got.version.id
    versions = service_pb2.ListWorkflowVersionsRequest(user_app_id=OWNER, workflow_id=slug)
    found = fine(gateway.call("ListWorkflowVersions", versions)).workflow_versions
    assert [one.id for one in found] == [edited.version.id, got.version.id]
    fine(delete(gateway, slug))
    refused(get(gateway, slug), StatusCode.WORKFLOW_DOES_NOT_EXIST)
    refused(delete(gateway, slug), StatusCode.WORKFLOW_DOES_NOT_EXIST)
    refused(delete(gateway), StatusCode.WORKFLOW_INVALID_REQUEST)


@pytest.mark.parametrize("slug", ["", "no/id"], ids=["none", "slash"])
def test_ids_that_cannot_be(official_gateway: Live, slug: str) -> None:
    only = resources_pb2.WorkflowNode(id="only", model=resources_pb2.Model(id="echo"))
    flow = resources_pb2.Workflow(id=slug, nodes=[only])
    assert "cannot be an id" in refused(post(official_gateway, flow), StatusCode.WORKFLOW_INVALID_ARGUMENT)


def test_nodes_alone_are_told_of_a_deployment_that_is_not_there(official_gateway: Live) -> None:
    got = fine(get(official_gateway, made(official_gateway))).workflow
    again = resources_pb2.Workflow(id=new_id("wf"), nodes=got.nodes, metadata=got.metadata)
    del again.metadata.fields["yaml"]
    again.metadata["nodes"]["first"] = {"deployment": "nowhere"}
    assert "No deployment nowhere" in refused(post(official_gateway, again), StatusCode.WORKFLOW_INVALID_GRAPH)


def test_what_is_got_can_be_posted(official_gateway: Live) -> None:
    """Nodes alone, as official programs post them, with what is ours in the metadata."""
    gateway = official_gateway
    got = fine(get(gateway, made(gateway))).workflow
    again = resources_pb2.Workflow(id=new_id("wf"), nodes=got.nodes, metadata=got.metadata)
    del again.metadata.fields["yaml"]
    told = fine(post(gateway, again)).workflows[0]
    assert list(told.nodes) == list(got.nodes)
    outputs = [
        [(one.id, one.data.text.raw) for one in fine(run(gateway, slug, text("Ada"))).results[0].outputs]
        for slug in (got.id, again.id)
    ]
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        (TWICE.replace("node_id: first", "node_id: third"), "line 10"),
        (TWICE.replace("model_id: wire", "model_id: absent"), "absent"),
        (TWICE.replace("method: predict", "method: nothing"), "nothing"),
        (TWICE.replace("method: predict", "deployment: nowhere"), "line 9: No deployment nowhere for you."),
        ("workflow: [", "line 1"),
        ("", "workflow"),
    ],
    ids=["edge", "model", "method", "deployment", "yaml", "empty"],
)
def test_what_is_wrong_is_told_by_lines(official_gateway: Live, yaml: str, words: str) -> None:
    slug = new_id("wf")
    reply = post(official_gateway, written(slug, yaml))
    assert reply.status.code == StatusCode.WORKFLOW_INVALID_GRAPH, reply.status
    assert words in reply.status.description
    refused(get(official_gateway, slug), StatusCode.WORKFLOW_DOES_NOT_EXIST)


def test_each_nodes_output_stands_apart(official_gateway: Live) -> None:
    slug = made(official_gateway)
    reply = fine(run(official_gateway, slug, text("Ada"), text("Bob", "second")))
    assert reply.workflow.id == slug
    first, second = reply.results
    assert (first.status.code, second.input.id) == (StatusCode.SUCCESS, "second")
    assert [(one.id, one.data.text.raw) for one in first.outputs] == [
        ("first", "echo Ada"),
        ("second", "echo echo Ada"),
        ("beside", "0echo Ada1echo Ada"),
        ("told", "echo Said: echo Ada, of Ada"),
    ]
    assert first.outputs[0].model.id == "echo"
    assert second.outputs[0].data.string_value == "echo Bob"


PICTURES = """
workflow:
  id: pictures
  nodes:
    - {id: same, model: {model_id: wire}, method: picture}
    - {id: drawn, model: {model_id: wire}, method: drawn, node_inputs: [{node_id: same}]}
"""


def test_pictures_go_through_as_bytes(official_gateway: Live) -> None:
    content = picture()
    same, drawn = fine(run(official_gateway, made(official_gateway, PICTURES), image(content))).results[0].outputs
    assert same.data.image.base64 == content
    assert drawn.data.image.base64.startswith(b"\x89PNG")


ENDLESS = """
workflow:
  id: endless
  nodes:
    - {id: only, model: {model_id: echo}, method: endless}
"""


def test_what_nobody_waits_for_stops(official_gateway: Live, tmp_path: Path) -> None:
    note = tmp_path / "note"
    slug = made(official_gateway, ENDLESS)
    request = service_pb2.PostWorkflowResultsRequest(user_app_id=OWNER, workflow_id=slug, inputs=[text(str(note))])
    with grpc.insecure_channel(official_gateway.address) as channel:
        ask = channel.unary_unary(
            V2 + "PostWorkflowResults",
            service_pb2.PostWorkflowResultsRequest.SerializeToString,
            service_pb2.PostWorkflowResultsResponse.FromString,
        )
        with pytest.raises(grpc.RpcError):
            ask(request, metadata=official_gateway.metadata(), timeout=2)
    wait_for(note.exists, "the model to be stopped")


MIXED = """
workflow:
  id: mixed
  nodes:
    - {id: good, model: {model_id: echo}}
    - {id: bad, model: {model_id: echo}, method: fail}
    - {id: after, model: {model_id: echo}, node_inputs: [{node_id: bad}]}
"""


def test_one_failed_node_fails_what_hangs_on_it(official_gateway: Live) -> None:
    reply = run(official_gateway, made(official_gateway, MIXED), text("Ada"))
    assert reply.status.code == StatusCode.MIXED_STATUS
    assert "no luck with Ada" in reply.status.description
    good, bad, after = reply.results[0].outputs
    assert (good.status.code, good.data.text.raw) == (StatusCode.SUCCESS, "echo Ada")
    assert bad.status.code == StatusCode.FAILURE
    assert "no luck with Ada" in bad.status.description
    assert "bad" in after.status.description


REGIONS = """
workflow:
  id: kept
  nodes:
    - {id: regions, model: {model_id: wire}, method: regions}
"""
CONCEPTS = REGIONS.replace("regions", "concepts")


def test_fewer_concepts_where_the_call_asks_for_fewer(official_gateway: Live) -> None:
    slug = made(official_gateway, CONCEPTS)
    given = [resources_pb2.Concept(id=name, name=name, value=value) for name, value in (("a", 0.9), ("b", 0.5))]
    one = resources_pb2.Input(data=resources_pb2.Data(concepts=given))

    def names(**config: Any) -> list[str]:
        told = fine(run(official_gateway, slug, one, output_config=resources_pb2.OutputConfig(**config)))
        return [concept.id for concept in told.results[0].outputs[0].data.concepts]

    assert names(min_value=0) == ["a", "b"]
    assert names(min_value=0.6) == ["a"]
    assert names(max_concepts=1) == ["a"]
    assert names(select_concepts=[resources_pb2.Concept(id="b")]) == ["b"]


def test_a_region_goes_with_the_last_of_its_concepts(official_gateway: Live) -> None:
    slug = made(official_gateway, REGIONS)
    given = [region("a", 0, 0, 1, 1), region("b", 0, 0, 1, 1)]
    given[1].data.concepts[0].value = 0.5
    one = resources_pb2.Input(data=resources_pb2.Data(regions=given))
    told = fine(run(official_gateway, slug, one, output_config=resources_pb2.OutputConfig(min_value=0.6)))
    assert [kept.data.concepts[0].id for kept in told.results[0].outputs[0].data.regions] == ["a"]


def test_inputs_are_named_by_their_ids(official_gateway: Live) -> None:
    slug, kept = made(official_gateway, MIXED.replace("method: fail", "method: predict")), new_id("kept")
    fine(post_inputs(official_gateway, text("Ada", kept)))
    named = resources_pb2.Input(id=kept)
    assert fine(run(official_gateway, slug, named)).results[0].outputs[0].data.text.raw == "echo Ada"
    reply = run(official_gateway, slug, named, resources_pb2.Input(id="absent"))
    assert [one.status.code for one in reply.results] == [StatusCode.SUCCESS, StatusCode.INPUT_DOES_NOT_EXIST]
    fine(run(official_gateway, slug, named, user="viewer"))


def test_nodes_go_where_the_call_sends_them(official_gateway: Live) -> None:
    slug = made(official_gateway, MIXED.replace("method: fail", "method: predict"))
    here = resources_pb2.RunnerSelector(deployment=resources_pb2.Deployment(id="shared-echo"))
    nowhere = resources_pb2.RunnerSelector(deployment=resources_pb2.Deployment(id="nowhere"))
    fine(run(official_gateway, slug, text("Ada"), node_runner_selectors={"good": here}))
    reply = run(official_gateway, slug, text("Ada"), node_runner_selectors={"bad": nowhere})
    assert reply.status.code == StatusCode.MIXED_STATUS
    assert "nowhere" in reply.results[0].outputs[1].status.description
    reply = run(official_gateway, slug, text("Ada"), node_runner_selectors={"absent": here})
    assert "absent" in refused(reply, StatusCode.WORKFLOW_INVALID_ARGUMENT)


def test_calls_that_cannot_be(official_gateway: Live) -> None:
    gateway, slug = official_gateway, made(official_gateway)
    refused(run(gateway, slug), StatusCode.WORKFLOW_INVALID_REQUEST)
    assert "32" in refused(run(gateway, slug, *[text("x")] * 33), StatusCode.WORKFLOW_INVALID_REQUEST)
    refused(run(gateway, "absent", text("x")), StatusCode.WORKFLOW_DOES_NOT_EXIST)
    refused(run(gateway, slug, text("x"), version_id="absent"), StatusCode.CONN_DOES_NOT_EXIST)
    reply = run(gateway, slug, image())
    assert reply.status.code == StatusCode.MODEL_INVALID_ARGUMENT
    assert "text" in reply.status.description


def test_who_sees_and_runs(official_gateway: Live) -> None:
    gateway, slug = official_gateway, made(official_gateway)
    assert fine(get(gateway, slug, user="viewer")).workflow.id == slug
    fine(run(gateway, slug, text("Ada"), user="viewer"))
    refused(post(gateway, written(new_id("wf")), user="viewer"), StatusCode.CONN_INSUFFICIENT_SCOPES)
    refused(patch(gateway, written(slug), user="viewer"), StatusCode.CONN_INSUFFICIENT_SCOPES)
    refused(delete(gateway, slug, user="member"), StatusCode.CONN_INSUFFICIENT_SCOPES)
    for call in (get, delete):
        refused(call(gateway, slug, user="stranger"), StatusCode.WORKFLOW_DOES_NOT_EXIST)
    refused(run(gateway, slug, text("Ada"), user="stranger"), StatusCode.WORKFLOW_DOES_NOT_EXIST)
    public = resources_pb2.Workflow(id=slug, visibility=resources_pb2.Visibility(gettable=50))
    refused(patch(gateway, public, user="member"), StatusCode.CONN_INSUFFICIENT_SCOPES)
    fine(patch(gateway, public))
    assert fine(get(gateway, slug, user="stranger")).workflow.id == slug
    closed = run(gateway, slug, text("Ada"), user="stranger")  # it opens no model that is closed
    assert closed.status.code != StatusCode.SUCCESS
    assert "echo" in closed.status.description
