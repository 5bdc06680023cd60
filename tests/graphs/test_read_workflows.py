"""Workflows as YAML, both ways, with the line of everything that is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from clarifai.workflows.validate import validate

from playground import catalog
from playground.sdk.graphs import (
    Crop,
    GraphError,
    Keep,
    NodeModel,
    read_plain,
    read_yaml,
    small_model_of,
    to_plain,
    with_id,
    write_yaml,
)
from playground.sdk.graphs.shapes import MAX_NODES

READY_MADE = sorted((Path(catalog.__file__).parent / "examples").glob("*.yaml"))

PLAIN = """\
workflow:
  id: two
  nodes:
    - id: detect
      model:
        user_id: owner
        app_id: main
        model_id: nanodet
        model_version_id: 0123456789abcdef0123456789abcdef
    - id: again
      model:
        model_id: nanodet
      node_inputs:
        - node_id: detect
"""
OFFICIAL = """\
workflow:
  id: faces
  nodes:
    - id: detector
      model:
        model_id: face-detection
        user_id: clarifai
        app_id: main
        output_info:
          params:
            threshold: 0.2
    - id: keeper
      model:
        model_id: keeper
        model_type_id: concept-thresholder
        output_info: {params: {concepts: [{id: Face, value: 0.6}]}}
      node_inputs: [{node_id: detector}]
    - id: cropper
      model: {model_id: margin, model_type_id: image-crop, output_info: {params: {margin: 1.3}}}
      node_inputs: [{node_id: keeper}]
    - id: asks
      model:
        model_id: asks
        model_type_id: prompter
        output_info: {params: {prompt_template: "Who is this? {data.text.raw}"}}
      node_inputs: [{node_id: cropper}]
"""


def test_what_is_written_is_read_again() -> None:
    for text in (PLAIN, OFFICIAL, *(file.read_text() for file in READY_MADE)):
        graph = read_yaml(text)
        assert read_yaml(write_yaml(graph)) == graph
        assert read_plain(to_plain(graph)) == graph


def test_the_readme_shows_one_that_can_be_read() -> None:
    readme = (Path(catalog.__file__).parents[2] / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(workflow:.*?)```", readme, re.DOTALL)
    assert [node.id for node in read_yaml(text).nodes] == ["detect", "pose", "tell"]


def test_a_graph_of_models_is_written_as_the_official_client_reads_it() -> None:
    written = yaml.safe_load(write_yaml(read_yaml(PLAIN)))
    assert validate(written) == yaml.safe_load(PLAIN)


def test_the_official_small_models_are_read_as_what_they_do() -> None:
    graph = read_yaml(OFFICIAL)
    assert graph.node("detector").model == NodeModel("face-detection", "clarifai", "main")
    assert graph.node("detector").arguments == {"threshold": 0.2}
    assert graph.node("keeper").keep == Keep(concepts={"face": 0.6})
    assert graph.node("cropper").crop == Crop(margin=1.3)
    assert graph.node("asks").prompt == "Who is this? {data.text.raw}"
    assert all(graph.node(name).model is None for name in ("keeper", "cropper", "asks"))


@pytest.mark.parametrize(
    "acts",
    [
        "keep_above: {cat: 0.5}, crop: {margin: 1.5, at_most: 3}",
        "crop: true",
        "keep_above: 0.5, crop: {margin: 1.0, at_most: 3}, prompt: 'Say {find}'",
        "keep_above: {cat: 0.5}",
    ],
    ids=["cut", "crop", "ask", "keep"],
)
def test_a_small_model_does_all_that_its_node_does(acts: str) -> None:
    text = (
        f"workflow: {{id: w, nodes: [{{id: find, model: {{model_id: m}}}}, {{id: act, {acts}, node_inputs: [find]}}]}}"
    )
    graph = read_yaml(text)
    found = small_model_of(graph.node("act"))
    assert found is not None
    kind, params = found
    plain = to_plain(graph)
    model = {"model_id": kind, "model_type_id": kind, "output_info": {"params": params}}
    plain["workflow"]["nodes"][1] = {"id": "act", "model": model, "node_inputs": ["find"]}
    assert read_plain(plain) == graph


def test_nodes_stand_in_stages() -> None:
    graph = read_yaml(
        "workflow: {id: w, nodes: [{id: c, prompt: '{a} {b}', node_inputs: [a, {node_id: b}]},"
        " {id: a, model: {model_id: m}}, {id: b, model: {model_id: m}}]}"
    )
    assert [[node.id for node in stage] for stage in graph.stages] == [["a", "b"], ["c"]]
    assert [node.id for node in graph.in_order()] == ["a", "b", "c"]


def problems(text: str) -> list[str]:
    with pytest.raises(GraphError) as caught:
        read_yaml(text)
    return [str(problem) for problem in caught.value.problems]


HEAD = "workflow:\n  id: w\n  nodes:\n"


WRONG = [
    ("", "line 1: A workflow is needed"),
    ("- a\n- b\n", "line 1: A workflow is needed"),
    ("workflow:\n  id: w\n", "line 1: nodes: a list"),
    ("workflow:\n  id: w\n  nodes: []\n", "line 3: nodes: a list"),
    ("workflow: [\n", "line 2: This is no YAML"),
    ("workflow:\n\tid: w\n", "line 2: This is no YAML"),
    ("workflow:\n  id: w\n  id: v\n", "line 3: id stands here twice"),
    ("a: &a [1]\nb: *a\n", "line 2: *a stands for something else"),
    (f"{HEAD}    - 3\n", "line 4: A node needs an `id`"),
    (f"{HEAD}    - id: a\n", "line 4: a does nothing"),
    (f"{HEAD}    - id: input\n      prompt: x\n", "line 4: 'input' means what the workflow is given"),
    (f"{HEAD}    - id: a\n      prompt: x\n      color: red\n", "line 6: A node has no key 'color'"),
    (f"{HEAD}    - id: a\n      model: nanodet\n", "line 5: model: `model_id` is needed"),
    (f"{HEAD}    - id: a\n      model: {{user_id: x}}\n", "line 5: model: `model_id` is needed"),
    (f"{HEAD}    - id: a\n      model: {{model_id: x, size: 3}}\n", "line 5: A model has no key 'size'"),
    (f"{HEAD}    - id: a\n      model: {{model_id: x}}\n      arguments: 3\n", "line 6: arguments: values by name"),
    (f"{HEAD}    - id: a\n      crop: 3\n", "line 5: crop: `true`"),
    (f"{HEAD}    - id: a\n      crop: {{margin: 0}}\n", "line 5: margin"),
    (f"{HEAD}    - id: a\n      keep_above: 2\n", "line 5: keep_above: a number from 0 to 1"),
    (f"{HEAD}    - id: a\n      prompt: x\n      method: predict\n", "line 4: a has no model"),
    (f"{HEAD}    - id: a\n      prompt: x\n    - id: a\n      prompt: y\n", "line 6: Two nodes have the id a"),
    (f"{HEAD}    - id: a\n      prompt: x\n      node_inputs:\n        - node_id: b\n", "line 7: a takes from b"),
    (f"{HEAD}    - id: a\n      prompt: x\n      suppress_output: 7\n", "line 6: suppress_output must be true"),
    (f"{HEAD}    - {{id: a, prompt: x}}\n" + "    - {id: b, prompt: x}\n" * MAX_NODES, "at most 20 nodes"),
    ("workflow:\n  id: w\n  color: red\n  nodes: [{id: a, prompt: x}]\n", "line 3: A workflow has no key 'color'"),
    ("workflow: {id: w, nodes: [{id: a, prompt: x}]}\nextra: 1\n", "line 2: Beside a workflow there is no key 'extra'"),
    ("workflow: " + "[" * 100_000, "line 1: This is nested too deep"),
    ("workflow: [" + "a," * 11_000 + "]", "line 1: A workflow may have 10,000 keys"),
    ("workflow:\n  id: w\n---\nworkflow:\n  id: v\n", "line 3: A workflow is one document"),
    ("Workflow:\n  id: w\n", "line 1: A workflow is needed"),
    ("workflow:\n  id: w\n  ? [a, b]\n  : c\n", "line 3: A key is a word"),
    ("workflow:\n  id: w\n  nodes: !!set {a}\n", "line 3: The tag tag:yaml.org,2002:set means nothing"),
    ("workflow:\n  id: w\0\n", "line 2: The character U+0000 may not be here"),
    ('workflow:\n  id: w\n  description: "\\ud800"\n  nodes: []\n', "line 3: There is a character here that no text"),
    (f'{HEAD}    - id: "a\\nb"\n      prompt: x\n', "line 4: A node needs an id"),
    (f"{HEAD}    - id: a\n      crop: true\n      node_inputs: [input]\n", "line 6: Without node_inputs, a takes what"),
    ("x" * 300_000, "longer than the 256 kB"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[case[1] for case in WRONG])
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    assert said in problems(text)[0]


def test_ids_are_what_was_written() -> None:
    """Not what YAML makes of them: numbers, truths, times; and an accent is the same whichever way it was typed."""
    given = ("007", "no", "1:30", "1e3", "e\u0301", "\U0001f469\u200d\U0001f52c cut")
    text = HEAD + "    - {id: 1, prompt: x}\n"
    for before, after in zip(("1", *given), given, strict=False):
        text += f"    - {{id: {after}, prompt: x, node_inputs: [{{node_id: {before}}}]}}\n"
    graph = read_yaml(text)
    assert [node.id for node in graph.nodes] == ["1", *given[:4], "\u00e9", given[5]]
    assert read_yaml(write_yaml(graph)) == graph
    assert read_yaml(f"{HEAD}    - {{id: a, model: {{model_id: m}}, arguments: {{id: 7}}}}\n").node("a").arguments == {
        "id": 7
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workflow:\n  id: old # why\n  nodes:", "workflow:\n  id: new # why\n  nodes:"),
        ("workflow:\n  id:\n  nodes:", "workflow:\n  id: new\n  nodes:"),
        ("# first\nnodes:", "# first\nid: new\nnodes:"),
        ("workflow:\n  id: |\n    old\n  nodes:", "workflow:\n  id: new\n  nodes:"),
    ],
    ids=["in its place", "empty", "none yet", "in lines"],
)
def test_another_id_leaves_the_rest_as_it_was_written(text: str, told: str) -> None:
    text += " [{id: a, model: {model_id: m}}]\n"
    graph = read_yaml(text)
    made = with_id(graph, text, "new")
    assert made.startswith(told)
    assert read_yaml(made) == replace(graph, id="new")


def test_every_problem_is_told() -> None:
    text = f"{HEAD}    - id: a\n      crop: 3\n    - id: b\n      prompt: x\n      node_inputs: [{{node_id: c}}]\n"
    assert [line.partition(":")[0] for line in problems(text)] == ["line 5", "line 8"]


def test_a_circle_is_drawn() -> None:
    node = "    - id: {0}\n      prompt: x\n      node_inputs: [{{node_id: {1}}}]\n"
    text = HEAD + node.format("a", "b") + node.format("b", "c") + node.format("c", "a")
    assert problems(text) == ["line 6: The nodes take from each other in a circle: a → b → c → a."]
