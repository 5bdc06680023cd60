"""A model that shows each weakness of a runner that checks nothing."""

import os
import threading
import time
from pathlib import Path
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Image, Text
from clarifai.runners.utils.data_utils import Param


class Weak(ModelClass):
    @ModelClass.method
    def predict(self, text: str = "nobody", count: int = Param(default=1, min_value=1, max_value=3)) -> str:
        """Say it back so many times."""
        return " ".join([text] * int(count))

    @ModelClass.method
    def generate(self, text: str, count: int = 3) -> Iterator[str]:
        """Say it back in pieces."""
        for number in range(count):
            yield f"{number} {text} "

    @ModelClass.method
    def stream(self, text: Iterator[str]) -> Iterator[str]:
        """Say each back."""
        for piece in text:
            yield f"weak {piece}"

    @ModelClass.method
    def warm(self, temperature: float = 0.7, text: str = "") -> float:
        """A first argument of which the absence is misread."""
        return temperature

    @ModelClass.method
    def words(self, stop: list[str] = ["end"], text: str = "", more: str = "") -> str:  # noqa: B006
        """The same of a list."""
        return repr(stop)

    @ModelClass.method
    def unset(self, stop: list[str] = None, text: str = "") -> str:  # noqa: RUF013
        """The same of a list that is null."""
        return repr(stop or None)

    @ModelClass.method
    def pair(self, size: tuple[int, int] = (2, 3), text: str = "") -> str:
        """The same of a tuple."""
        return repr(size)

    @ModelClass.method
    def zero(self) -> int:
        """Without arguments."""
        return 0

    @ModelClass.method
    def tone(self, tone: str = Param(default="low", choices=["low", "high"])) -> str:
        """One of two."""
        return str(tone)

    @ModelClass.method
    def half(self, number: float) -> float:
        """A number."""
        return number / 2

    @ModelClass.method
    def size(self, picture: Image) -> int:
        """How many bytes the picture has."""
        return len(picture.bytes)

    @ModelClass.method
    def read(self, text: Text) -> str:
        """The text."""
        return text.text

    @ModelClass.method
    def nothing(self, text: str = "") -> str:
        """No result, in spite of what it promises."""
        return None

    @ModelClass.method
    def none_as_json(self, text: str = "") -> dict:
        """No result, as JSON."""
        return None

    @ModelClass.method
    def silent(self, text: str = "") -> Iterator[str]:
        """A stream of nothing."""
        yield from ()

    @ModelClass.method
    def fail(self, text: str = "") -> str:
        """Raise."""
        raise RuntimeError(f"no luck with {text}")

    @ModelClass.method
    def fail_midway(self, text: str = "") -> Iterator[str]:
        """Raise after a piece."""
        yield "one"
        raise RuntimeError("no luck at two")

    @ModelClass.method
    def wait(self, seconds: float) -> int:
        """Take a while; how many threads there are."""
        time.sleep(seconds)
        return threading.active_count()

    @ModelClass.method
    def endless(self, text: str) -> Iterator[str]:
        """Never stop by itself; leave a note in the file ``text`` once it was stopped."""
        try:
            while True:
                yield "again "
                time.sleep(0.01)
        finally:
            Path(text).write_text("stopped")

    @ModelClass.method
    def leave(self, text: str = "") -> str:
        """End the whole process."""
        os._exit(3)
