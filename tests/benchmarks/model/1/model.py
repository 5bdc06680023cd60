"""The model of the benchmarks: it does nothing, so that what is measured is ours."""

import os
import time
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Image


class Bench(ModelClass):
    def load_model(self) -> None:
        """In as long as its environment says, or until the file is there that it names."""
        time.sleep(float(os.environ.get("LOAD_SECONDS", "0")))
        while (gate := os.environ.get("LOAD_UNTIL")) and not os.path.exists(gate):
            time.sleep(0.05)

    @ModelClass.method
    def predict(self, text: str) -> str:
        """The text, back."""
        return text

    @ModelClass.method
    def picture(self, image: Image) -> Image:
        """The picture, back."""
        return image

    @ModelClass.method
    def generate(self, text: str, count: int = 1000) -> Iterator[str]:
        """The text, ``count`` times, as fast as possible."""
        for _ in range(count):
            yield text

    @ModelClass.method
    def paced(self, count: int = 100, interval: float = 0.02) -> Iterator[str]:
        """``count`` readings of the monotonic clock in nanoseconds, one each ``interval`` seconds."""
        start = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, start + number * interval - time.monotonic()))
            yield f"{time.monotonic_ns()} "

    @ModelClass.method
    def clocked(self, text: str, count: int = 100, interval: float = 0.02) -> Iterator[str]:
        """The same for whoever has a text to give; it is not looked at."""
        yield from self.paced(count, interval)

    @ModelClass.method
    def stream(self, text: Iterator[str]) -> Iterator[str]:
        """Each text, back."""
        yield from text
