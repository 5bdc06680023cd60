"""One method for each kind of value that travels: it gives back what it was given, or says what it saw."""

import time
from typing import Iterator

import numpy as np
import PIL.Image
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import (
    JSON,
    Audio,
    Concept,
    Frame,
    Image,
    NamedFields,
    Region,
    Text,
    Video,
)
from clarifai.runners.utils.data_utils import Param


class Wire(ModelClass):
    @ModelClass.method
    def predict(self, text: str = "") -> str:
        """Say it back."""
        return text

    @ModelClass.method
    def generate(self, text: str, count: int = 3) -> Iterator[str]:
        """Some times."""
        for number in range(count):
            yield f"{number}{text}"

    @ModelClass.method
    def stream(self, text: Iterator[str], mark: str = ">") -> Iterator[str]:
        """Each as it comes."""
        for piece in text:
            yield f"{mark}{piece}@{time.monotonic()}"

    @ModelClass.method
    def whole(self, number: int) -> int:
        return number

    @ModelClass.method
    def real(self, number: float) -> float:
        return number

    @ModelClass.method
    def truth(self, is_so: bool) -> bool:
        return is_so

    @ModelClass.method
    def octets(self, content: bytes) -> bytes:
        return content

    @ModelClass.method
    def array(self, values: np.ndarray) -> np.ndarray:
        return values

    @ModelClass.method
    def plain(self, value: dict) -> dict:
        return value

    @ModelClass.method
    def plain_list(self, value: list) -> list:
        return value

    @ModelClass.method
    def plain_json(self, value: JSON) -> JSON:
        return value

    @ModelClass.method
    def counts(self, value: dict[str, int]) -> dict[str, int]:
        return value

    @ModelClass.method
    def text(self, value: Text) -> Text:
        return value

    @ModelClass.method
    def picture(self, value: Image) -> Image:
        return value

    @ModelClass.method
    def drawn(self, value: PIL.Image.Image) -> PIL.Image.Image:
        return value

    @ModelClass.method
    def sound(self, value: Audio) -> Audio:
        return value

    @ModelClass.method
    def film(self, value: Video) -> Video:
        return value

    @ModelClass.method
    def concept(self, value: Concept) -> Concept:
        return value

    @ModelClass.method
    def region(self, value: Region) -> Region:
        return value

    @ModelClass.method
    def frame(self, value: Frame) -> Frame:
        return value

    @ModelClass.method
    def fields(self, value: NamedFields(name=str, size=int)) -> NamedFields(name=str, size=int):
        return value

    @ModelClass.method
    def pair(self, value: tuple[str, int]) -> tuple[str, int]:
        return value

    @ModelClass.method
    def words(self, values: list[str]) -> list[str]:
        return values

    @ModelClass.method
    def concepts(self, values: list[Concept]) -> list[Concept]:
        return values

    @ModelClass.method
    def regions(self, values: list[Region]) -> list[Region]:
        return values

    @ModelClass.method
    def nested(self, values: list[NamedFields(words=list[str])]) -> list[NamedFields(words=list[str])]:
        return values

    @ModelClass.method
    def dicts(self, values: list[dict]) -> list[dict]:
        return values

    @ModelClass.method
    def optional(self, text: str = "some", number: int = 64, names: list[str] = None) -> dict:  # noqa: RUF013
        """With defaults of each kind."""
        return {"text": text, "number": number, "names": names}

    @ModelClass.method
    def advertised(
        self,
        ratio: float = Param(default=0.7, description="How much", min_value=0, max_value=1, is_param=True),
        colour: str = Param(default="red", choices=["red", "blue"]),
    ) -> dict:
        return {"ratio": ratio, "colour": colour}

    @ModelClass.method
    def nothing(self) -> int:
        return 0

    @ModelClass.method
    def counted(self, text: str) -> str:
        self.set_output_context(prompt_tokens=3, completion_tokens=5)
        return text

    @ModelClass.method
    def fail(self, text: str) -> str:
        raise RuntimeError(f"no luck with {text}")

    @ModelClass.method
    def fail_midway(self, text: str) -> Iterator[str]:
        yield text
        raise RuntimeError("no more luck")

    @ModelClass.method
    def endless(self, path: str) -> Iterator[str]:
        """Until it is stopped; then it leaves a note."""
        try:
            while True:
                yield "again"
                time.sleep(0.01)
        finally:
            with open(path, "w") as note:
                note.write("stopped")
