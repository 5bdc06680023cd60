"""A model with a method of every kind: blocking and async, once and in pieces, well-behaved and not."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import numpy as np
import PIL.Image

from playground.protocol.signatures import Param
from playground.protocol.values import Image, NamedFields, Text
from playground.runner.model import ModelClass

EVENTS: list[str] = []  # what happened to methods that were left early
GATE = threading.Event()


def wait_for(event: str, patience: float = 10) -> None:
    end = time.monotonic() + patience
    while event not in EVENTS:
        assert time.monotonic() < end, f"{event!r} did not happen, only {EVENTS}"
        time.sleep(0.01)


class Kinds(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        """Upper case."""
        return text.upper()

    @ModelClass.method
    async def predict_async(self, text: str) -> str:
        await asyncio.sleep(0.001)
        return text.upper()

    @ModelClass.method
    def limited(
        self,
        ratio: float = Param(default=0.7, min_value=0, max_value=1),
        colour: str = Param(default="red", choices=["red", "blue"]),
        names: list[str] = None,  # noqa: RUF013 - as authors for the official package write it
        numbers: dict = Param(default={"a": 1}),  # noqa: B008 - a description, see Param
    ) -> dict:
        return {"ratio": ratio, "colour": colour, "names": names, "numbers": numbers}

    @ModelClass.method
    def nothing(self) -> int:
        return 0

    @ModelClass.method
    def generate(self, text: str, count: int = 3) -> Iterator[str]:
        for number in range(count):
            yield f"{text}{number}"

    @ModelClass.method
    async def generate_async(self, text: str, count: int = 3) -> AsyncIterator[str]:
        for number in range(count):
            await asyncio.sleep(0)
            yield f"{text}{number}"

    @ModelClass.method
    async def generate_awaited(self, text: str) -> Iterator[str]:
        await asyncio.sleep(0)
        return iter([text, text])

    @ModelClass.method
    def stream(self, text: Iterator[str], prefix: str = "") -> Iterator[str]:
        try:
            for item in text:
                yield prefix + item.upper()
        finally:
            EVENTS.append("stream closed")

    @ModelClass.method
    async def stream_async(self, text: AsyncIterator[str], prefix: str = "") -> AsyncIterator[str]:
        try:
            async for item in text:
                yield prefix + item.upper()
        finally:
            EVENTS.append("stream_async closed")

    @ModelClass.method
    def greet_then_stream(self, text: Iterator[str]) -> Iterator[str]:
        yield "ready"
        yield from text

    @ModelClass.method
    def endless(self, size: int = 10) -> Iterator[str]:
        made = 0
        try:
            while True:
                made += 1
                yield "x" * size
        finally:
            EVENTS.append(f"endless closed after {made}")
            EVENTS.append("endless closed")

    @ModelClass.method
    async def endless_async(self) -> AsyncIterator[str]:
        try:
            while True:
                await asyncio.sleep(0.005)
                yield "x"
        finally:
            EVENTS.append("endless_async closed")

    @ModelClass.method
    def count_tokens(self, prompt: int, is_failing: bool = False) -> str:
        self.set_output_context(prompt_tokens=prompt, completion_tokens=2 * prompt, cached_tokens=1)
        if is_failing:
            raise ValueError("after counting")
        return "counted"

    @ModelClass.method
    def count_pieces(self, start: int) -> Iterator[str]:
        for number in range(start, start + 20):
            self.set_output_context(prompt_tokens=start, completion_tokens=number)
            time.sleep(0.001)
            yield "piece"

    @ModelClass.method
    async def count_async(self, prompt: int) -> str:
        self.set_output_context(prompt_tokens=prompt)
        await asyncio.sleep(0.01)
        return "counted"

    @ModelClass.method
    def fail(self, text: str) -> str:
        raise KeyError(text)

    @ModelClass.method
    def quit(self) -> str:
        raise SystemExit(3)

    @ModelClass.method
    def fail_midway(self) -> Iterator[str]:
        yield "one"
        raise RuntimeError("out of words")

    @ModelClass.method
    def lie(self) -> int:
        return "not a number"

    @ModelClass.method
    def wait(self) -> str:
        GATE.wait(20)
        return "waited"

    @ModelClass.method
    def notice(self) -> str:
        EVENTS.append("notice started")
        while not self.is_cancelled():
            time.sleep(0.005)
        EVENTS.append("cancel noticed")
        return ""

    @ModelClass.method
    def measure(self, image: PIL.Image.Image) -> list[int]:
        return list(image.size)

    @ModelClass.method
    def weigh(self, image: Image) -> int:
        return len(image.bytes)

    @ModelClass.method
    def weigh_all(self, images: list[Image]) -> list[int]:
        return [len(image.bytes) for image in images]

    @ModelClass.method
    def weigh_pair(self, pair: NamedFields(image=Image, note=Text)) -> str:
        return f"{len(pair.image.bytes)} {pair.note.text}"

    @ModelClass.method
    async def measure_async(self, image: PIL.Image.Image) -> list[int]:
        return list(image.size)

    @ModelClass.method
    def measure_each(self, image: Iterator[PIL.Image.Image]) -> Iterator[int]:
        for item in image:
            yield item.width

    @ModelClass.method
    def read(self, text: Text) -> str:
        return text.text

    @ModelClass.method
    def double(self, array: np.ndarray) -> np.ndarray:
        return array * 2
