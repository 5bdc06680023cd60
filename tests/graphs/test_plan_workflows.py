"""What can be known to be wrong before a workflow runs; and what it takes and gives."""

from __future__ import annotations

import pytest

from playground.protocol.signatures import describe_io
from playground.sdk.graphs import GraphError, shown_field, with_lines
from tests.graphs.shelf import plan_of

DETECT = "{id: detect, model: {model_id: nanodet}}"


def flow(*nodes: str) -> str:
    return "workflow:\n  id: w\n  nodes:\n" + "".join(f"    - {node}\n" for node in nodes)


def problems(text: str) -> list[str]:
    with pytest.raises(GraphError) as caught:
        plan_of(text)
    return [str(problem) for problem in with_lines(caught.value, text).problems]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("{id: a, model: {model_id: nothing}}", "No model models/nothing for you"),
        ("{id: a, model: {model_id: image-crop}}", "is told by model_type_id: image-crop, with output_info"),
        (
            "{id: a, model: {model_id: smollm2}, method: speak}",
            "smollm2 has no method 'speak'. It has predict, generate.",
        ),
        ("{id: a, model: {model_id: nanodet}, method: watch}", "Set method to one of predict."),
        ("{id: a, model: {model_id: listener}}", "Choose another model, or stream to this one on its own page."),
        ("{id: a, model: {model_id: nanodet}, arguments: {size: 3}}", "predict has no argument 'size'"),
        ("{id: a, model: {model_id: nanodet}, arguments: {threshold: high}}", "must be float"),
        (
            "{id: a, model: {model_id: efficientnet}, node_inputs: [detect]}",
            "detect gives List[Region], and a takes image",
        ),
        ("{id: a, model: {model_id: smollm2}, node_inputs: [detect]}", "a takes prompt (str)"),
        ("{id: a, crop: true}", "crop needs regions; it takes from no node"),
        ("{id: a, keep_above: 0.5}", "keep_above needs concepts or regions"),
        (
            "{id: a, prompt: 'So {detct}', node_inputs: [detect]}",
            "speaks of {detct}; this node knows {detect}, {input}",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(node: str, said: str) -> None:
    (found,) = problems(flow(DETECT, node))
    assert said in found
    assert found.startswith("line 5: ")


def test_regions_become_pictures_by_a_crop() -> None:
    plan = plan_of(flow(DETECT, "{id: name, model: {model_id: efficientnet}, crop: true, node_inputs: [detect]}"))
    assert describe_io(plan.signature) == "image → regions"
    assert [field.name for field in plan.signature.input_fields] == ["image"]
    assert plan.step("name").flow.is_split


def test_what_no_node_gives_the_workflow_is_asked_for() -> None:
    plan = plan_of(flow(DETECT, "{id: say, model: {model_id: smollm2}}"))
    assert [field.name for field in plan.signature.input_fields] == ["image", "text"]
    assert all(field.required and not field.is_param for field in plan.signature.input_fields)


def test_a_prompt_may_speak_of_the_input() -> None:
    plan = plan_of(flow("{id: say, model: {model_id: smollm2}, method: generate, prompt: 'Shorter: {input}'}"))
    assert [field.name for field in plan.signature.input_fields] == ["text"]
    assert plan.step("say").streams


def test_a_list_feeds_a_node_one_by_one() -> None:
    plan = plan_of(
        flow("{id: cut, model: {model_id: slicer}}", "{id: name, model: {model_id: efficientnet}, node_inputs: [cut]}")
    )
    assert plan.step("name").binds[0].how == "each"
    assert shown_field(plan.step("name").flow).type_args[0].type_args  # a list of lists: nobody knows where they lie


def test_what_is_suppressed_is_none_of_what_it_gives() -> None:
    plan = plan_of(
        flow("{id: detect, model: {model_id: nanodet}, suppress_output: true}", "{id: say, model: {model_id: smollm2}}")
    )
    assert [field.name for field in plan.signature.output_fields[0].type_args] == ["say"]


def test_a_model_that_was_never_loaded_is_not_checked() -> None:
    plan = plan_of(
        flow("{id: new, model: {model_id: new}}", "{id: name, model: {model_id: efficientnet}, node_inputs: [new]}")
    )
    assert plan.unknown == ("new",)
