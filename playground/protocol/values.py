"""The values that models take and return, beyond Python's own: pictures, sound, text with an address, boxes, frames.

Model folders import them as ``clarifai.runners.utils.data_types``, so names and constructors follow that module. Each
class is a thin face over its V2 message, which ``proto`` holds. numpy and PIL cost more to import than everything else
here together, so they are loaded by ``_numpy`` and ``_pillow`` alone, when a picture or an array is first opened.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import re
import struct
import sys
import uuid
from collections.abc import ItemsView, Iterable, KeysView, Sequence, ValuesView
from typing import TYPE_CHECKING, Any, Self, TypeAlias, get_args, get_origin

from clarifai_grpc.grpc.api import resources_pb2

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image as PILImage

__all__ = [
    "JSON",
    "Audio",
    "Concept",
    "Frame",
    "Image",
    "MessageData",
    "NamedFields",
    "NamedFieldsMeta",
    "Region",
    "Text",
    "Video",
    "cast",
]

Bytes: TypeAlias = bytes  # the classes below have a property of that name
_FLOAT32 = struct.Struct("<f")


def _numpy() -> Any:
    return importlib.import_module("numpy")


def _pillow() -> Any:
    return importlib.import_module("PIL.Image")


def is_array(value: object) -> bool:
    """Whether it is a numpy array, found out without loading numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_pillow(value: object) -> bool:
    """Whether it is a PIL picture, found out without loading PIL."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)


def shortest(value: float) -> float:
    """The short decimal that a float32 stands for: 0.005 instead of 0.004999999888241291, the same on the wire."""
    short = float(f"{value:.6g}")
    try:
        return short if _FLOAT32.pack(short) == _FLOAT32.pack(value) else value
    except OverflowError:
        return value


class MessageData:
    """Base of the classes that stand for one V2 message."""

    proto: Any

    def to_proto(self) -> Any:
        return self.proto

    @classmethod
    def from_proto(cls, proto: Any) -> Self:
        return cls(proto)  # type: ignore[call-arg]

    @classmethod
    def from_value(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        raise TypeError(f"{cls.__name__} cannot be made from {type(value).__name__}")

    def cast(self, python_type: Any) -> Any:
        if python_type is type(self):
            return self
        raise TypeError(f"{type(self).__name__} cannot be turned into {python_type}")

    def __eq__(self, other: object) -> bool:
        return self.to_proto() == other.to_proto() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(type(self).__name__)  # they can be changed, so nothing inside may count


class Text(MessageData):
    """A text, or the address of one; equal to the ``str`` it holds."""

    def __init__(self, text: str | None, url: str | None = None) -> None:
        self.text = text or ""
        self.url = url

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls("", url)

    def to_proto(self) -> resources_pb2.Text:
        return resources_pb2.Text(raw=self.text or "", url=self.url or "")

    @classmethod
    def from_proto(cls, proto: resources_pb2.Text) -> Self:
        return cls(proto.raw, proto.url or None)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, dict):
            return cls(value.get("text"), value.get("url"))
        return super().from_value(value)

    def cast(self, python_type: Any) -> Any:
        return self.text if python_type is str else super().cast(python_type)

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text or self.url)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.text == other
        return isinstance(other, Text) and (self.text, self.url or None) == (other.text, other.url or None)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Text(text={self.text!r}, url={self.url!r})"


class _Media(MessageData):
    """What pictures, sound and films share: an address, or the bytes themselves (``base64`` in the message is raw)."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        media = cls()
        media.url = url
        return media

    @classmethod
    def from_value(cls, value: Any) -> Self:
        if isinstance(value, bytes | bytearray | memoryview):
            media = cls()
            media.bytes = bytes(value)
            return media
        return super().from_value(value)

    @property
    def url(self) -> str:
        return str(self.proto.url)

    @url.setter
    def url(self, value: str) -> None:
        self.proto.url = value

    @property
    def bytes(self) -> Bytes:
        return self.proto.base64  # type: ignore[no-any-return]

    @bytes.setter
    def bytes(self, value: Bytes) -> None:
        self.proto.base64 = value

    def to_base64_str(self) -> str:
        if not self.bytes:
            raise ValueError(f"{type(self).__name__} has no bytes")
        return base64.b64encode(self.bytes).decode()

    def _fill(self, url: str | None, content: Bytes | None) -> None:
        if url:
            self.url = url
        if content:
            self.bytes = content

    def __repr__(self) -> str:
        facts = [f"url={self.url!r}"] if self.url else []
        facts += [f"bytes=<{len(self.bytes)} bytes>"] if self.bytes else []
        return f"{type(self).__name__}({', '.join(facts)})"


class Image(_Media):
    """A picture, as encoded bytes or an address."""

    def __init__(
        self, proto_image: resources_pb2.Image | None = None, url: str | None = None, bytes: Bytes | None = None
    ) -> None:
        self.proto = resources_pb2.Image() if proto_image is None else proto_image
        self._fill(url, bytes)

    @classmethod
    def from_pil(cls, pil_image: PILImage.Image, img_format: str = "PNG") -> Self:
        with io.BytesIO() as file:
            pil_image.save(file, format=img_format)
            return cls(bytes=file.getvalue())

    @classmethod
    def from_numpy(cls, numpy_image: np.ndarray[Any, Any], img_format: str = "PNG") -> Self:
        return cls.from_pil(_pillow().fromarray(numpy_image), img_format)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        if is_pillow(value):
            return cls.from_pil(value)
        if is_array(value):
            return cls.from_numpy(value)
        return super().from_value(value)

    def to_pil(self) -> PILImage.Image:
        if not self.bytes:
            raise ValueError("Image has no bytes")
        return _pillow().open(io.BytesIO(self.bytes))  # type: ignore[no-any-return]

    def to_numpy(self) -> np.ndarray[Any, Any]:
        return _numpy().asarray(self.to_pil())  # type: ignore[no-any-return]

    def cast(self, python_type: Any) -> Any:
        if is_pillow_type(python_type):
            return self.to_pil()
        if is_array_type(python_type):
            return self.to_numpy()
        return super().cast(python_type)


class Audio(_Media):
    """Sound, as encoded bytes or an address."""

    def __init__(
        self, proto_audio: resources_pb2.Audio | None = None, url: str | None = None, bytes: Bytes | None = None
    ) -> None:
        self.proto = resources_pb2.Audio() if proto_audio is None else proto_audio
        self._fill(url, bytes)


class Video(_Media):
    """A film, as encoded bytes or an address."""

    def __init__(
        self, proto_video: resources_pb2.Video | None = None, url: str | None = None, bytes: Bytes | None = None
    ) -> None:
        self.proto = resources_pb2.Video() if proto_video is None else proto_video
        self._fill(url, bytes)


class Concept(MessageData):
    """A label with a value, by custom a probability; the wire keeps the value as float32."""

    def __init__(self, name: str, value: float = 1.0, id: str | None = None) -> None:
        self.name = name
        self.value = value
        self.id = id or re.sub(r"[^a-zA-Z0-9\s]", "", name).replace(" ", "-")

    def to_proto(self) -> resources_pb2.Concept:
        return resources_pb2.Concept(id=self.id, name=self.name, value=self.value)

    @classmethod
    def from_proto(cls, proto: resources_pb2.Concept) -> Self:
        return cls(proto.name, shortest(proto.value), proto.id)

    def __repr__(self) -> str:
        return f"Concept(id={self.id!r}, name={self.name!r}, value={self.value})"


class Region(MessageData):
    """A place in a picture: box, mask or point (or several of them), with concepts, text, and a track it belongs to."""

    def __init__(
        self,
        proto_region: resources_pb2.Region | None = None,
        box: Sequence[float] | None = None,
        concepts: Sequence[Concept] | None = None,
        mask: Image | PILImage.Image | np.ndarray[Any, Any] | None = None,
        point: Iterable[float] | None = None,
        track_id: str | None = None,
        text: str | None = None,
        id: str | None = None,
    ) -> None:
        if proto_region is not None:
            if not isinstance(proto_region, resources_pb2.Region):
                raise TypeError(f"Region's first argument is its message; got {type(proto_region).__name__}")
            self.proto = proto_region
            return
        self.proto = resources_pb2.Region(id=uuid.uuid4().hex if id is None else id)
        given = {"box": box, "concepts": concepts, "mask": mask, "point": point, "track_id": track_id, "text": text}
        for name, value in given.items():
            if value is not None:
                setattr(self, name, value)

    @property
    def id(self) -> str:
        return str(self.proto.id)

    @id.setter
    def id(self, value: str) -> None:
        self.proto.id = value

    @property
    def box(self) -> list[float]:
        """Left, top, right, bottom; all 0.0 without a box."""
        box = self.proto.region_info.bounding_box
        return [shortest(edge) for edge in (box.left_col, box.top_row, box.right_col, box.bottom_row)]

    @box.setter
    def box(self, value: Sequence[float]) -> None:
        left, top, right, bottom = _floats(value, 4, "box")
        self.proto.region_info.bounding_box.CopyFrom(
            resources_pb2.BoundingBox(left_col=left, top_row=top, right_col=right, bottom_row=bottom)
        )

    @property
    def has_box(self) -> bool:
        return bool(self.proto.region_info.HasField("bounding_box"))

    @property
    def point(self) -> tuple[float, float, float]:
        """x, y, z; all 0.0 without a point."""
        point = self.proto.region_info.point
        return shortest(point.col), shortest(point.row), shortest(point.z)

    @point.setter
    def point(self, value: Iterable[float]) -> None:
        x, y, z = _floats(value, 3, "point")
        self.proto.region_info.point.CopyFrom(resources_pb2.Point(col=x, row=y, z=z))

    @property
    def has_point(self) -> bool:
        return bool(self.proto.region_info.HasField("point"))

    @property
    def polygon(self) -> list[tuple[float, float]]:
        """The corners as x, y; none without a polygon."""
        return [(shortest(corner.col), shortest(corner.row)) for corner in self.proto.region_info.polygon.points]

    @polygon.setter
    def polygon(self, value: Iterable[Sequence[float]]) -> None:
        corners = [_floats(corner, 2, "polygon's corner") for corner in value]
        points = [resources_pb2.Point(col=x, row=y) for x, y in corners]
        self.proto.region_info.polygon.CopyFrom(resources_pb2.Polygon(points=points))

    @property
    def mask(self) -> Image:
        """A picture; one without bytes or address when there is no mask."""
        return Image(self.proto.region_info.mask.image)

    @mask.setter
    def mask(self, value: Image | PILImage.Image | np.ndarray[Any, Any]) -> None:
        self.proto.region_info.mask.image.CopyFrom(Image.from_value(value).proto)

    @property
    def has_mask(self) -> bool:
        return bool(self.proto.region_info.HasField("mask"))

    @property
    def concepts(self) -> list[Concept]:
        return [Concept.from_proto(concept) for concept in self.proto.data.concepts]

    @concepts.setter
    def concepts(self, value: Iterable[Concept]) -> None:
        protos = [Concept.from_value(concept).to_proto() for concept in value]
        del self.proto.data.concepts[:]
        self.proto.data.concepts.extend(protos)

    @property
    def text(self) -> str:
        return str(self.proto.data.text.raw)

    @text.setter
    def text(self, value: str) -> None:
        self.proto.data.text.raw = value

    @property
    def track_id(self) -> str:
        return str(self.proto.track_id)

    @track_id.setter
    def track_id(self, value: str) -> None:
        self.proto.track_id = value

    def __repr__(self) -> str:
        facts = [f"id={self.id!r}"]
        facts += [f"box={self.box}"] if self.has_box else []
        facts += [f"point={self.point}"] if self.has_point else []
        facts += [f"polygon={self.polygon}"] if self.polygon else []
        facts += [f"mask={self.mask!r}"] if self.has_mask else []
        facts += [f"concepts={self.concepts}"] if self.proto.data.concepts else []
        facts += [f"{name}={value!r}" for name in ("text", "track_id") if (value := getattr(self, name))]
        return f"Region({', '.join(facts)})"


class Frame(MessageData):
    """One picture of a film with what was found on it; ``time`` in seconds (the wire keeps milliseconds)."""

    def __init__(
        self,
        proto_frame: resources_pb2.Frame | None = None,
        image: Image | None = None,
        regions: Sequence[Region] | None = None,
        time: float | None = None,
        index: int | None = None,
    ) -> None:
        self.proto = resources_pb2.Frame() if proto_frame is None else proto_frame
        for name, value in {"image": image, "regions": regions, "time": time, "index": index}.items():
            if value is not None:
                setattr(self, name, value)

    @property
    def time(self) -> float:
        return float(self.proto.frame_info.time / 1000.0)

    @time.setter
    def time(self, value: float) -> None:
        self.proto.frame_info.time = round(value * 1000)

    @property
    def index(self) -> int:
        return int(self.proto.frame_info.index)

    @index.setter
    def index(self, value: int) -> None:
        self.proto.frame_info.index = value

    @property
    def image(self) -> Image:
        return Image(self.proto.data.image)

    @image.setter
    def image(self, value: Image | PILImage.Image) -> None:
        self.proto.data.image.CopyFrom(Image.from_value(value).proto)

    @property
    def has_image(self) -> bool:
        return bool(self.proto.data.HasField("image"))

    @property
    def regions(self) -> list[Region]:
        return [Region(region) for region in self.proto.data.regions]

    @regions.setter
    def regions(self, value: Iterable[Region]) -> None:
        protos = [Region.from_value(region).proto for region in value]
        del self.proto.data.regions[:]
        self.proto.data.regions.extend(protos)

    def __repr__(self) -> str:
        return f"Frame(time={self.time}, index={self.index}, image={self.image!r}, regions={self.regions})"


class NamedFieldsMeta(type):
    """Lets one name be both the value ``NamedFields(a=1)`` and the type ``NamedFields(a=int)``."""

    def __call__(cls, *args: Any, **fields: Any) -> Any:
        if fields and not args and all(isinstance(kind, type) or get_origin(kind) for kind in fields.values()):
            label = ", ".join(f"{name}:{getattr(kind, '__name__', kind)}" for name, kind in fields.items())
            return NamedFieldsMeta(f"NamedFields({label})", (cls,), {"__annotations__": dict(fields)})
        return super().__call__(*args, **fields)


class NamedFields(metaclass=NamedFieldsMeta):
    """Several values under names of their own; read as attributes or items."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def items(self) -> ItemsView[str, Any]:
        return vars(self).items()

    def keys(self) -> KeysView[str]:
        return vars(self).keys()

    def values(self) -> ValuesView[Any]:
        return vars(self).values()

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]

    def __setitem__(self, name: str, value: Any) -> None:
        vars(self)[name] = value

    def __contains__(self, name: str) -> bool:
        return name in vars(self)

    def __getattr__(self, name: str) -> Any:  # asked only for what is missing; lets type checkers accept the rest
        raise AttributeError(f"there is no field {name!r} here; there are {', '.join(vars(self)) or 'none'}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedFields) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"NamedFields({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class JSON:
    """Marks a JSON object or list; a model receives the plain dict or list."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @classmethod
    def from_json(cls, json_str: str) -> Self:
        return cls(json.loads(json_str))

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(value)

    def to_json(self) -> str:
        return json.dumps(self.value)

    def cast(self, python_type: Any) -> Any:
        if not isinstance(self.value, python_type):
            raise TypeError(f"{type(self.value).__name__} cannot be turned into {python_type}")
        return self.value

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, JSON) else other))

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return f"JSON({self.value!r})"


def is_array_type(annotation: Any) -> bool:
    """Whether an annotation means numpy's array, found out without loading numpy."""
    kind = get_origin(annotation) or annotation
    return getattr(kind, "__module__", None) == "numpy" and getattr(kind, "__name__", None) == "ndarray"


def is_pillow_type(annotation: Any) -> bool:
    """Whether an annotation means PIL's picture, found out without loading PIL."""
    module, name = getattr(annotation, "__module__", None), getattr(annotation, "__name__", None)
    return module == "PIL.Image" and name == "Image"


def cast(value: Any, annotation: Any) -> Any:
    """What the model asked for by its annotation, from what the wire gave: PIL or an array instead of ``Image``."""
    if isinstance(value, MessageData):
        return value.cast(annotation)
    if get_origin(annotation) is list and isinstance(value, list):
        inner = get_args(annotation)[0]
        return [cast(item, inner) for item in value]
    return value.tolist() if is_array(value) and get_origin(annotation) is list else value


def _floats(values: Iterable[float], count: int, name: str) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != count:
        raise ValueError(f"a {name} has {count} numbers, not {len(numbers)}")
    return numbers
