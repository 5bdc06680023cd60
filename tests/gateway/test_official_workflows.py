"""The official SDK's ``Workflow`` and ``App`` with our gateway: made from YAML, listed, exported, asked, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway.asking import new_id

if TYPE_CHECKING:
    from tests.gateway.client_process import Client

PROLOGUE = """
import yaml
from clarifai.client.app import App
from clarifai.client.input import Inputs
from clarifai.client.workflow import Workflow
app = App(user_id="owner", app_id="main")
def texts(reply):
    return [[one.data.text.raw for one in result.outputs] for result in reply.results]
"""
FLOW = """
workflow:
  id: {slug}
  nodes:
    - id: first
      model:
        model_id: echo
        user_id: owner
        app_id: main
    - id: second
      model:
        model_id: echo
        user_id: owner
        app_id: main
      node_inputs:
        - node_id: first
"""

SMALL = """
workflow:
  id: {slug}
  nodes:
    - id: ask
      model:
        model_id: {slug}-prompter
        model_type_id: prompter
        description: A prompt
        output_info:
          params:
            prompt_template: 'Say {{data.text.raw}} twice'
    - id: answer
      model:
        model_id: echo
        user_id: owner
        app_id: main
      node_inputs:
        - node_id: ask
"""

OURS = """
workflow:
  id: ours
  nodes:
    - {id: ask, prompt: "Say {input} twice"}
    - {id: answer, model: {model_id: echo}, node_inputs: [{node_id: ask}]}
"""


def test_from_yaml_to_answers_and_back(official: Client) -> None:
    slug = new_id("flow")
    (official.home / "flow.yml").write_text(FLOW.format(slug=slug))
    (official.home / "ada.txt").write_text("Ada")
    told = official.told(f"""{PROLOGUE}
made = app.create_workflow("flow.yml", display=False)
told["made"] = made.id
told["again"] = raised(lambda: app.create_workflow("flow.yml", display=False))[1]
told["listed"] = [one.id for one in app.list_workflows() if one.id == {slug!r}]
flow = app.workflow(workflow_id={slug!r})
told["nodes"] = [[node.id, node.model.id, [one.node_id for one in node.node_inputs]] for node in flow.nodes]
told["bytes"] = texts(flow.predict_by_bytes(b"Ada", input_type="text"))
told["file"] = texts(Workflow("https://any.example/owner/main/workflows/{slug}").predict_by_filepath("ada.txt", "text"))
many = [Inputs.get_text_input(str(number), raw_text=f"n{{number}}") for number in range(3)]
told["many"] = texts(flow.predict(many))
reply = flow.predict_by_bytes(b"Ada", input_type="text")
told["models"] = [one.model.id for one in reply.results[0].outputs]
told["old"] = reply.results[0].outputs[0].data.string_value
told["versions"] = len(list(flow.list_versions()))
told["guess"] = texts(flow.predict_by_bytes(b"Ada"))
flow.export("out.yml")
exported = yaml.safe_load(open("out.yml"))["workflow"]
told["exported"] = [[node["id"], node["model"]["model_id"]] for node in exported["nodes"]]
app.delete_workflow({slug!r})
told["gone"] = raised(lambda: app.workflow(workflow_id={slug!r}))[1]
told["asked"] = raised(lambda: flow.predict_by_bytes(b"Ada", input_type="text"))[1:]
""")
    assert told["made"] == slug
    assert "WORKFLOW_DUPLICATE" in told["again"]
    assert told["listed"] == [slug]
    assert told["nodes"] == [["first", "echo", []], ["second", "echo", ["first"]]]
    ada = [["echo Ada", "echo echo Ada"]]
    assert told["bytes"] == told["file"] == told["guess"] == ada
    assert told["many"] == [[f"echo n{number}", f"echo echo n{number}"] for number in range(3)]
    assert (told["models"], told["old"], told["versions"]) == (["echo", "echo"], "echo Ada", 1)
    assert told["exported"] == [["first", "echo"], ["second", "echo"]]
    assert "WORKFLOW_DOES_NOT_EXIST" in told["gone"]
    assert "WORKFLOW_DOES_NOT_EXIST" in told["asked"][0]
    assert told["asked"][1] < 4


def test_a_small_model_is_made_on_the_way(official: Client) -> None:
    """The client makes a prompter, a crop or a threshold as a model first; here it is what a node does."""
    slug = new_id("flow")
    (official.home / "flow.yml").write_text(SMALL.format(slug=slug))
    (official.home / "absent.yml").write_text(FLOW.format(slug=slug).replace("echo", "nowhere"))
    told = official.told(f"""{PROLOGUE}
flow = app.create_workflow("flow.yml")
told["texts"] = texts(flow.predict_by_bytes(b"Ada", input_type="text"))
flow = app.workflow(workflow_id={slug!r})
told["nodes"] = [[node.id, node.model.id, node.model.model_type_id] for node in flow.nodes]
flow.export("out.yml")
told["exported"] = [node["id"] for node in yaml.safe_load(open("out.yml"))["workflow"]["nodes"]]
told["models"] = [one.id for one in app.list_models(only_in_app=True) if one.id.endswith("prompter")]
told["absent"] = raised(lambda: app.create_workflow("absent.yml"))[1]
app.delete_workflow({slug!r})
""")
    assert told["texts"] == [["Say Ada twice", "echo Say Ada twice"]]
    assert told["nodes"] == [["ask", "prompter", "prompter"], ["answer", "echo", "text-to-text"]]
    assert (told["exported"], told["models"]) == (["ask", "answer"], [])
    assert "no model nowhere" in told["absent"]


def test_a_small_model_that_was_exported_is_made_anew(official: Client) -> None:
    """Its export tells its version alone: what it does, the workflow that it comes from knows."""
    slug = new_id("flow")
    (official.home / "ours.yml").write_text(OURS)
    told = official.told(f"""{PROLOGUE}
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
message = resources_pb2.Workflow(id={slug!r})
message.metadata["yaml"] = open("ours.yml").read()
request = service_pb2.PostWorkflowsRequest(user_app_id=app.user_app_id, workflows=[message])
told["made"] = app._grpc_request(app.STUB.PostWorkflows, request).status.code
app.workflow(workflow_id={slug!r}).export("out.yml")
again = app.create_workflow("out.yml", generate_new_id=True, display=False)
told["texts"] = texts(again.predict_by_bytes(b"Ada", input_type="text"))
for name in (again.id, {slug!r}):
    app.delete_workflow(name)
""")
    assert (told["made"], told["texts"]) == (10000, [["Say Ada twice", "echo Say Ada twice"]])


def test_an_address_is_fetched_behind_the_fence(official: Client) -> None:
    slug = new_id("flow")
    (official.home / "flow.yml").write_text(FLOW.format(slug=slug))
    told = official.told(f"""{PROLOGUE}
flow = app.create_workflow("flow.yml", display=False)
told["url"] = raised(lambda: flow.predict_by_url("http://127.0.0.1:9/ada.txt", input_type="text"))
""")
    assert "private" in told["url"][1]
    assert told["url"][2] < 4
