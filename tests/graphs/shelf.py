"""Models as workflows know them: by their signatures, with calls that answer from a table."""

from __future__ import annotations

import asyncio
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import PIL.Image

from playground.protocol.errors import ModelError
from playground.protocol.signatures import MethodKind, build_signatures, kind_of
from playground.protocol.values import Concept, Image, Region
from playground.sdk import Answer
from playground.sdk.graphs import Graph, Plan, Step, make_plan, read_yaml


class Detector:
    def predict(self, image: Image, threshold: float = 0.4) -> list[Region]:
        """Boxes."""
        raise NotImplementedError

    def watch(self, image: Iterator[Image]) -> Iterator[list[Region]]:
        raise NotImplementedError


class Classifier:
    def predict(self, image: Image, top_k: int = 5) -> list[Concept]:
        raise NotImplementedError


class Writer:
    def predict(self, prompt: str) -> str:
        raise NotImplementedError

    def generate(self, prompt: str) -> Iterator[str]:
        raise NotImplementedError


class Slicer:
    def predict(self, image: Image) -> list[Image]:
        raise NotImplementedError


class Listener:
    def follow(self, image: Iterator[Image]) -> Iterator[str]:
        raise NotImplementedError


def _signatures(model: type) -> list[Any]:
    for function in filter(callable, vars(model).values()):
        vars(function)["_is_model_method"] = True
    return list(build_signatures(model, where="tests/graphs/shelf.py").values())


SHELF = {
    "nanodet": _signatures(Detector),
    "efficientnet": _signatures(Classifier),
    "smollm2": _signatures(Writer),
    "slicer": _signatures(Slicer),
    "listener": _signatures(Listener),
    "new": [],
}


def plan_of(text: str) -> Plan:
    return plan_graph(read_yaml(text))


def plan_graph(graph: Graph) -> Plan:
    models = {node.id: node.model.model_id for node in graph.nodes if node.model is not None}
    return make_plan(graph, {node: SHELF.get(model) for node, model in models.items()})


def picture(width: int = 200, height: int = 100) -> Image:
    """Red at the left, blue at the right."""
    made = PIL.Image.new("RGB", (width, height), "red")
    made.paste("blue", (width // 2, 0, width, height))
    return Image.from_pil(made)


def colour_of(image: Image) -> tuple[int, ...]:
    """That of its middle."""
    opened = PIL.Image.open(io.BytesIO(image.bytes)).convert("RGB")
    pixel = opened.getpixel((opened.width // 2, opened.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


class Calls:
    """Answers by node; what is a function is called with the arguments, what is an error is raised."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self.going_on = 0
        self.most = 0
        self.cancelled: list[str] = []

    async def __call__(self, step: Step, arguments: Mapping[str, Any]) -> AsyncIterator[Answer]:
        self.asked[step.node.id].append(arguments)
        self.going_on += 1
        self.most = max(self.most, self.going_on)
        try:
            await asyncio.sleep(0)
            value = self.answers[step.node.id]
            value = value(arguments) if callable(value) else value
            if asyncio.iscoroutine(value):
                value = await value
            if isinstance(value, Exception):
                raise value
            assert step.signature is not None
            many = kind_of(step.signature) is MethodKind.GENERATE
            for piece in value if many else [value]:
                yield Answer(piece, 1, 1, 0, None, "", None)  # type: ignore[arg-type]  # no message of the wire
        except asyncio.CancelledError:
            self.cancelled.append(step.node.id)
            raise
        finally:
            self.going_on -= 1


BROKEN = ModelError("The model failed: no luck", details="KeyError: 'luck'")
