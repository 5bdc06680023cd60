"""A model in every kind of trouble: it fails, hangs, leaves, and never stops talking."""

import asyncio
import os
import sys
import time
from typing import AsyncIterator, Iterator

import PIL.Image
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Image
from clarifai.runners.utils.data_utils import Param


class Troubled(ModelClass):
    @ModelClass.method
    def predict(
        self,
        text: str,
        count: int = Param(default=1, min_value=1, max_value=10, description="How often"),
        mood: str = Param(default="calm", choices=["calm", "cross"], description="How"),
        weights: list[float] = [],  # noqa: B006 - as authors write it
    ) -> str:
        """Say it back."""
        return f"{mood}: " + " ".join([text] * count)

    @ModelClass.method
    def generate(self, text: str, count: int = 5, pause: float = 0.0) -> Iterator[str]:
        """Say it back, slowly."""
        for number in range(count):
            yield f"{number} {text} "
            time.sleep(pause)

    @ModelClass.method
    def stream(self, text: Iterator[str]) -> Iterator[str]:
        """Say each back as it comes."""
        for piece in text:
            yield f"{piece} "

    @ModelClass.method
    def look(self, image: Image) -> str:
        """The picture's size, once it is decoded."""
        picture = image.to_pil()
        picture.load()
        return f"{picture.width} x {picture.height}"

    @ModelClass.method
    def decoded(self, image: PIL.Image.Image) -> str:
        """The picture's size: it comes decoded."""
        return f"{image.width} x {image.height}"

    @ModelClass.method
    def fail(self, text: str) -> str:
        """Raise."""
        raise LookupError(f"no luck with {text}")

    @ModelClass.method
    def fail_midway(self, text: str) -> Iterator[str]:
        """Raise after two pieces."""
        yield "one "
        yield "two "
        raise LookupError(f"no luck with {text}")

    @ModelClass.method
    def fail_oddly(self, text: str) -> str:
        """Raise what cannot be said: half a character, a megabyte of it."""
        raise ValueError("\ud800" * 1_000_000)

    @ModelClass.method
    def fail_silently(self, text: str) -> Iterator[str]:
        """Raise what fails again when it is asked what it is."""

        class SilentError(Exception):
            def __str__(self) -> str:
                raise ValueError("no words")

        yield "one "
        raise SilentError

    @ModelClass.method
    def answer_wrongly(self, text: str) -> str:
        """Return what was not promised."""
        return {"not": "text"}

    @ModelClass.method
    def quit(self, text: str) -> str:
        """Ask Python to end."""
        sys.exit(text)

    @ModelClass.method
    def leave(self, text: str) -> str:
        """End the whole process."""
        os._exit(3)

    @ModelClass.method
    def hang(self, text: str) -> str:
        """Never answer."""
        time.sleep(3600)

    @ModelClass.method
    def hang_midway(self, text: str) -> Iterator[str]:
        """Never answer after the first piece."""
        yield "one "
        time.sleep(3600)

    @ModelClass.method
    async def hang_asynchronously(self, text: str) -> AsyncIterator[str]:
        """Never answer after the first piece, on the runner's own loop."""
        yield "one "
        await asyncio.Event().wait()

    @ModelClass.method
    async def fail_asynchronously(self, text: str) -> AsyncIterator[str]:
        """Raise after one piece, on the runner's own loop."""
        yield "one "
        raise LookupError(f"no luck with {text}")

    @ModelClass.method
    def shout(self, text: str) -> Iterator[str]:
        """Print without end, and say so now and then."""
        while True:
            for _ in range(1000):
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
            yield "."

    @ModelClass.method
    def mutter(self, text: str) -> Iterator[str]:
        """Print one line without end."""
        while True:
            os.write(1, text.encode() * 1000)
            yield "."

    @ModelClass.method
    def flood(self, megabytes: int) -> str:
        """One answer of that size."""
        return "x" * (megabytes * 2**20)

    @ModelClass.method
    def process_id(self) -> int:
        """Whom to kill."""
        return os.getpid()
