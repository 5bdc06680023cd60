"""A model with every way to end: it answers, streams, fails, leaves, or never stops."""

import os
import time
from pathlib import Path
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass


class Echo(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        """Say it back."""
        return f"echo {text}"

    @ModelClass.method
    def generate(self, text: str, count: int = 3) -> Iterator[str]:
        """Say it back some times."""
        for number in range(count):
            yield f"{number} {text} "

    @ModelClass.method
    def stream(self, text: Iterator[str]) -> Iterator[str]:
        """Say each back as it comes."""
        for piece in text:
            yield f"echo {piece}"

    @ModelClass.method
    def fail(self, text: str) -> str:
        """Raise."""
        raise RuntimeError(f"no luck with {text}")

    @ModelClass.method
    def leave(self, text: str) -> str:
        """End the whole process."""
        os._exit(3)

    @ModelClass.method
    def leave_midway(self, text: str) -> Iterator[str]:
        """End the whole process after two pieces."""
        yield "one"
        yield "two"
        time.sleep(0.1)
        os._exit(4)

    @ModelClass.method
    def endless(self, text: str) -> Iterator[str]:
        """Never stop by itself; leaves a note in the file ``text`` once it was stopped."""
        try:
            while True:
                yield "again "
                time.sleep(0.01)
        finally:
            Path(text).write_text("stopped")

    @ModelClass.method
    def environment(self, text: str) -> str:
        """The names of the variables it sees."""
        return " ".join(sorted(os.environ))

    @ModelClass.method
    def image_size(self, picture: bytes) -> int:
        """How many bytes came."""
        return len(picture)
