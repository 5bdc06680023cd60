"""Workflows run: side by side what is independent, each node apart, and what a failure leaves standing."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from typing import Any

import PIL.Image
import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol.errors import DeployingError, InputError, ModelError, NotFoundError, PlaygroundError
from playground.protocol.values import Concept, Image, Region
from playground.sdk.graphs import FAILED, FINISHED, OUTPUT, SKIPPED, NodeEvent, Plan, outcome_of, run_plan
from playground.sdk.graphs.working import AT_ONCE
from tests.graphs.shelf import BROKEN, Calls, colour_of, picture, plan_of

PEOPLE = """
workflow:
  id: people
  nodes:
    - id: detect
      model: {model_id: nanodet}
    - id: crop
      keep_above: {person: 0.5}
      crop: {margin: 1.0, at_most: 2}
      node_inputs: [{node_id: detect}]
    - id: name
      model: {model_id: efficientnet}
      node_inputs: [{node_id: crop}]
    - id: inside
      model: {model_id: nanodet}
      node_inputs: [{node_id: crop}]
    - id: say
      model: {model_id: smollm2}
      method: generate
      prompt: "{{So}}: {name}; {detect}."
      node_inputs: [{node_id: name}, {node_id: detect}]
"""
LEFT, RIGHT = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]
FOUND = [
    Region(box=RIGHT, concepts=[Concept("person", 0.7)]),
    Region(box=LEFT, concepts=[Concept("person", 0.9), Concept("dog", 0.8)]),
    Region(box=LEFT, concepts=[Concept("person", 0.4)]),
    Region(point=(0.1, 0.1, 0.0), concepts=[Concept("person", 0.99)]),
    Region(box=LEFT, concepts=[Concept("dog", 0.95)]),
]


def named(arguments: Any) -> list[Concept]:
    return [Concept("red" if colour_of(arguments["image"])[0] > 128 else "blue", 0.9)]


ANSWERS = {
    "detect": FOUND,
    "name": named,
    "inside": [Region(box=[0.5, 0.5, 1.0, 1.0]), Region(point=(0.5, 0.5, 0.0)), Region(text="whole")],
    "say": ["red ", "and ", "blue"],
}


async def run(plan: Plan, calls: Calls, **arguments: Any) -> list[NodeEvent]:
    async with aclosing(run_plan(plan, arguments, calls)) as news:
        return [event async for event in news]


def outputs(events: list[NodeEvent], node: str) -> list[Any]:
    return [event.value for event in events if event.node == node and event.kind == OUTPUT]


def kinds(events: list[NodeEvent]) -> dict[str, str]:
    return {event.node: event.kind for event in events if event.kind in (FINISHED, FAILED, SKIPPED)}


def failures(events: list[NodeEvent]) -> dict[str, PlaygroundError]:
    return {event.node: event.error for event in events if event.error is not None}


async def test_people_are_cut_out_and_what_is_found_lies_where_they_were() -> None:
    plan, calls = plan_of(PEOPLE), Calls(ANSWERS)
    events = await run(plan, calls, image=picture())
    (crops,) = outputs(events, "crop")
    assert [colour_of(crop)[0] > 128 for crop in crops] == [True, False]  # the surest first: red, at the left
    regions = [region for part in outputs(events, "name") for region in part]
    assert [(region.box, region.concepts[0].name) for region in regions] == [(LEFT, "red"), (RIGHT, "blue")]
    inside = [region for part in outputs(events, "inside") for region in part]
    assert [region.box for region in inside if region.has_box] == [
        [0.25, 0.5, 0.5, 1.0],
        LEFT,
        [0.75, 0.5, 1.0, 1.0],
        RIGHT,
    ]
    assert [region.point[:2] for region in inside if region.has_point] == [(0.25, 0.5), (0.75, 0.5)]
    assert {region.track_id for region in inside} == {"1", "2"}
    assert outcome_of(plan, failures(events)) is None


async def test_a_prompt_is_filled_in_words_and_its_answer_streams() -> None:
    plan, calls = plan_of(PEOPLE), Calls(ANSWERS)
    events = await run(plan, calls, image=picture())
    assert calls.asked["say"][0]["prompt"] == "{So}: red, blue; 4 x person, dog."
    assert outputs(events, "say") == ["red ", "and ", "blue"]


async def test_nothing_to_cut_out_is_no_failure() -> None:
    calls = Calls(ANSWERS | {"detect": []})
    events = await run(plan_of(PEOPLE), calls, image=picture())
    assert set(kinds(events).values()) == {FINISHED}
    assert outputs(events, "name") == [[]]
    assert calls.asked["name"] == []
    assert calls.asked["say"][0]["prompt"] == "{So}: nothing; nothing."


async def test_independent_nodes_run_at_the_same_time_and_no_node_takes_too_many_at_once() -> None:
    nodes = "".join(f"    - {{id: n{number}, model: {{model_id: efficientnet}}}}\n" for number in range(6))
    plan = plan_of(f"workflow:\n  id: w\n  nodes:\n{nodes}")
    gate = asyncio.Barrier(6)

    async def together() -> list[Concept]:
        await asyncio.wait_for(gate.wait(), 5)
        return []

    calls = Calls({f"n{number}": lambda _: together() for number in range(6)})
    assert set(kinds(await run(plan, calls, image=picture())).values()) == {FINISHED}
    assert calls.most == 6
    many = Calls(ANSWERS | {"detect": [Region(box=LEFT, concepts=[Concept("person", 0.9)])] * 12})
    plan = plan_of(PEOPLE.replace("at_most: 2", "at_most: 12"))
    await run(plan, many, image=picture())
    assert len(many.asked["name"]) == 12
    assert many.most <= 2 * AT_ONCE


async def test_one_failed_node_fails_what_hangs_on_it_only() -> None:
    plan = plan_of(PEOPLE)
    events = await run(plan, Calls(ANSWERS | {"name": BROKEN}), image=picture())
    assert kinds(events) == {"detect": FINISHED, "crop": FINISHED, "inside": FINISHED, "name": FAILED, "say": SKIPPED}
    assert next(event.after for event in events if event.kind == SKIPPED) == "name"
    error = outcome_of(plan, failures(events))
    assert isinstance(error, ModelError)
    assert error.code == StatusCode.MIXED_STATUS
    assert error.message.startswith("3 of 5 nodes answered. name failed: The model failed: no luck")
    assert "no luck. say hung on that" in error.message
    assert error.details == "KeyError: 'luck'"


async def test_a_refused_node_says_what_ran_before_it() -> None:
    def refusals() -> dict[str, NotFoundError]:
        return {name: NotFoundError("No model. Nothing was run. There is cup.") for name in ("detect", "name")}

    plan = plan_of(PEOPLE)
    events = await run(plan, Calls(ANSWERS | {"name": refusals()["name"]}), image=picture())
    assert failures(events)["name"].message == "No model. crop was run, name was not. There is cup."
    events = await run(plan, Calls(ANSWERS | {"detect": refusals()["detect"]}), image=picture())
    assert failures(events)["detect"].message == "No model. detect was not run. There is cup."


async def test_where_nothing_answered_it_is_that_failure() -> None:
    plan = plan_of(PEOPLE)
    events = await run(plan, Calls(ANSWERS | {"detect": BROKEN}), image=picture())
    error = outcome_of(plan, failures(events))
    assert isinstance(error, ModelError)
    assert error.code == BROKEN.code


async def test_an_error_of_ours_ends_its_node_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    plan = plan_of("workflow: {id: w, nodes: [{id: a, model: {model_id: efficientnet}}]}")
    events = await run(plan, Calls({"a": KeyError("x")}), image=picture())
    assert "Something failed inside the server at a" in str(events[-1].error)
    assert "The node a broke" in caplog.text


@pytest.mark.parametrize("content", [b"", b"no picture", picture().bytes[:60]])
async def test_a_picture_that_cannot_be_opened_is_told(content: bytes) -> None:
    calls = Calls(ANSWERS)
    events = await run(plan_of(PEOPLE), calls, image=Image(bytes=content, url="http://x/" if not content else None))
    assert kinds(events)["crop"] == FAILED
    assert isinstance(failures(events)["crop"], InputError)


async def test_a_picture_lies_as_its_exif_says() -> None:
    turned = PIL.Image.new("RGB", (200, 100), "red")
    turned.paste("blue", (100, 0, 200, 100))
    exif = turned.getexif()
    exif[0x0112] = 6  # shown turned to the right: red above, blue below
    image = Image()
    with io.BytesIO() as file:
        turned.save(file, "JPEG", exif=exif)
        image.bytes = file.getvalue()
    above = [Region(box=[0.0, 0.0, 1.0, 0.5], concepts=[Concept("person", 1.0)])]
    events = await run(plan_of(PEOPLE), Calls(ANSWERS | {"detect": above}), image=image)
    assert colour_of(outputs(events, "crop")[0][0])[0] > 128


async def test_leaving_cancels_what_goes_on() -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    plan, calls = plan_of(PEOPLE), Calls(ANSWERS | {"name": lambda _: never()})
    async with aclosing(run_plan(plan, {"image": picture()}, calls)) as news:
        async for event in news:
            if event.node == "inside" and event.kind == FINISHED:
                break
    assert calls.cancelled == ["name", "name"]
    assert calls.going_on == 0


async def test_arguments_are_checked_before_anything_runs() -> None:
    calls = Calls(ANSWERS)
    with pytest.raises(InputError, match="image"):
        await run(plan_of(PEOPLE), calls)
    with pytest.raises(DeployingError, match="new"):
        await run(plan_of("workflow: {id: w, nodes: [{id: a, model: {model_id: new}}]}"), calls)
    assert not calls.asked
