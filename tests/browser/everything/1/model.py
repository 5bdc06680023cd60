"""One method for each type that a form can ask for; each says what arrived, as JSON."""
# ruff: noqa: RUF013, B006 - defaults and annotations as model authors write them

from typing import Iterator

import numpy as np
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Audio, Concept, Frame, Image, NamedFields, Region, Text, Video
from clarifai.runners.utils.data_utils import Param


def facts(value):
    """What arrived, as plain JSON."""
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "sum": float(value.sum())}
    if isinstance(value, bytes):
        return {"bytes": len(value), "head": value[:4].hex()}
    if isinstance(value, Text):
        return {"text": value.text, "url": value.url or ""}
    if isinstance(value, (Image, Audio, Video)):
        return {"bytes": len(value.bytes), "head": value.bytes[:4].hex(), "url": value.url}
    if isinstance(value, Concept):
        return {"id": value.id, "name": value.name, "value": round(value.value, 4)}
    if isinstance(value, Region):
        found = {"box": [round(edge, 4) for edge in value.box], "point": list(value.point), "text": value.text}
        return {**found, "track_id": value.track_id, "concepts": facts(value.concepts), "mask": len(value.mask.bytes)}
    if isinstance(value, Frame):
        found = {"image": len(value.image.bytes), "regions": facts(value.regions)}
        return {**found, "time": value.time, "index": value.index}
    if isinstance(value, NamedFields):
        return {name: facts(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [facts(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    return value


class Everything(ModelClass):
    @ModelClass.method
    def take_str(self, value: str) -> dict:
        """A text."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_text(self, value: Text) -> dict:
        """A text, or the address of one."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_bytes(self, value: bytes) -> dict:
        """Any file."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_int(self, value: int) -> dict:
        """A whole number of at most 64 bits."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_float(self, value: float) -> dict:
        """A number."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_bool(self, value: bool) -> dict:
        """Yes or no."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_array(self, value: np.ndarray) -> dict:
        """An array of numbers."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_json(self, value: dict) -> dict:
        """Any JSON."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_image(self, value: Image) -> dict:
        """A picture."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_audio(self, value: Audio) -> dict:
        """A sound."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_video(self, value: Video) -> dict:
        """A film."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_concept(self, value: Concept) -> dict:
        """A label with a value."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_region(self, value: Region) -> dict:
        """A place in a picture."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_frame(self, value: Frame) -> dict:
        """A picture of a film."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_fields(self, value: NamedFields(name=str, size=tuple[int, float], tags=list[str])) -> dict:
        """Several values by name."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_tuple(self, value: tuple[str, int, bool]) -> dict:
        """Three values in order."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_list(self, value: list[NamedFields(label=str, points=list[tuple[float, float]])]) -> dict:
        """Lists in records in a list."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_images(self, value: list[Image]) -> dict:
        """Pictures."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_regions(self, value: list[Region]) -> dict:
        """Places in a picture."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_defaults(
        self,
        prompt: str,
        note: str = None,
        count: int = None,
        flag: bool = None,
        pair: tuple[int, int] = (1, 2),
        words: list[str] = ["a", "b"],
        extra: dict = None,
        region: Region = None,
        picture: Image = None,
        scale: float = Param(default=0.5, min_value=0.0, max_value=2.0, description="How large."),
        steps: int = Param(default=20, min_value=1, max_value=50, description="How many steps."),
        seed: int = Param(default=None, description="For the same answer again."),
        style: str = Param(default="plain", choices=["plain", "loud", "soft"], description="How it sounds."),
        parts: list[str] = Param(default=["head"], choices=["head", "body", "foot"], description="Which parts."),
        stops: list[str] = Param(default=[], description="Where it ends."),
        is_short: bool = Param(default=False, description="In a few words."),
        api_key: str = Param(default="", description="The key of the other service."),
    ) -> dict:
        """A value for each kind of default, and settings of each kind."""
        given = {"note": note, "count": count, "flag": flag, "pair": pair, "words": words, "extra": extra}
        given |= {"region": region, "picture": picture, "scale": scale, "steps": steps, "seed": seed, "style": style}
        given |= {"parts": parts, "stops": stops, "is_short": is_short, "key_length": len(api_key)}
        return {"got": {"prompt": prompt} | {name: facts(value) for name, value in given.items()}}

    @ModelClass.method
    def take_pairs(self, value: Iterator[tuple[str, int]]) -> Iterator[dict]:
        """Pairs, one after another."""
        for item in value:
            yield {"got": facts(item)}

    @ModelClass.method
    def openai_transport(self, msg: str) -> str:
        """Another protocol: no form."""
        return msg
