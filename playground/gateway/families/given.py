"""What a message says of an input, as ``inputs.services`` take it; checked as far as they do not."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from inputs.models import Kind
from inputs.services import Given, Label, plain_id
from playground.media.kinds import OCTETS, TEXT, sniff
from playground.protocol import structs
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clarifai_grpc.grpc.api import resources_pb2

NAME_KEY = "filename"
"""Where a file's name stands in an input's metadata, as V2 has no other place for it."""
PLACE = "geo"
"""Among an input's facts: where on earth it is of, longitude and latitude."""
INVALID = StatusCode.INPUT_INVALID_ARGUMENT


def read_new(message: resources_pb2.Input, *, slug: str = "") -> Given:
    """Raises InputError where it is no input, several in one, or not of the kind that it is said to be."""
    data = message.data
    kinds = [kind for kind in Kind if data.HasField(kind.value)]
    if len(kinds) != 1:
        words = "it has none" if not kinds else f"it has {' and '.join(kinds)}"
        raise InputError(f"An input is an image, video, audio or text: one of them, and {words}.", code=INVALID)
    (kind,) = kinds
    medium = getattr(data, kind)
    content: bytes = b"" if kind is Kind.TEXT else medium.base64
    text: str = medium.raw if kind is Kind.TEXT else ""
    if not (content or text or medium.url):
        what = "raw text" if kind is Kind.TEXT else "base64 bytes"
        raise InputError(f"There is nothing in it: the {kind} has neither {what} nor a url.", code=INVALID)
    if medium.url and (content or text):
        raise InputError(f"The {kind} is given twice: by its url, and by its contents. Give one.", code=INVALID)
    if content:
        _check_kind(kind, content)
    metadata = read_metadata(message)
    return Given(
        slug=slug or message.id,
        data=content or None,
        text=text or None,
        url=medium.url or None,
        name=str(metadata.get(NAME_KEY, "")),
        metadata=metadata,
        concepts=read_labels(data),
        datasets=list(dict.fromkeys(message.dataset_ids)),
        on_duplicate="refuse" if medium.url and not medium.allow_duplicate_url else "keep",
        kind=kind,
        facts=read_facts(data),
    )


def read_facts(data: resources_pb2.Data) -> dict[str, Any]:
    """Raises InputError for no place on earth."""
    return {PLACE: _read_place(data)} if data.geo.HasField("geo_point") else {}


def read_metadata(message: resources_pb2.Input) -> dict[str, Any]:
    """Raises InputError for numbers that JSON does not have."""
    metadata = structs.read_struct(message.data.metadata)
    if not _is_finite(metadata):
        raise InputError("The metadata holds a number that is not finite, which JSON does not have.", code=INVALID)
    return metadata


def read_labels(data: resources_pb2.Data) -> list[Label]:
    """Its concepts, and its regions by their boxes. Raises InputError."""
    return [*read_concepts(data), *read_regions(data.regions)]


def read_concepts(data: resources_pb2.Data) -> list[Label]:
    return [_label(concept) for concept in data.concepts]


def concept_id(concept: resources_pb2.Concept) -> str:
    """Its own; where that is but its name once more, as official labels have it, one made of the name."""
    if concept.name.strip() and concept.id in ("", concept.name):
        return plain_id(concept.name)
    return str(concept.id)


def _check_kind(kind: Kind, content: bytes) -> None:
    """By the bytes. What is film and what is sound, only looking into it says."""
    looks = sniff(io.BytesIO(content))
    medium = looks.partition("/")[0]
    if (medium in Kind and medium != kind and Kind.IMAGE in (kind, medium)) or looks in (TEXT, OCTETS):
        are = "are of no kind that is known here" if looks == OCTETS else f"look like {looks}"
        words = f"It was sent as {kind}, and its bytes {are}."
        raise InputError(words, code=StatusCode.INPUT_UNSUPPORTED_FORMAT)


def read_regions(regions: Iterable[resources_pb2.Region]) -> list[Label]:
    """By their boxes, one for each of their concepts and texts. Raises InputError."""
    found = []
    for region in regions:
        edges = region.region_info.bounding_box
        if not region.region_info.HasField("bounding_box"):
            raise InputError("Regions are kept by their bounding boxes; this one has none.", code=INVALID)
        box = (edges.left_col, edges.top_row, edges.right_col, edges.bottom_row)
        labels = [_label(concept, box) for concept in region.data.concepts]
        if region.data.text.raw or not labels:
            labels.append(Label(box=box, text=region.data.text.raw))
        found += labels
    return found


def _label(concept: resources_pb2.Concept, box: tuple[float, float, float, float] | None = None) -> Label:
    slug = concept_id(concept)
    if not slug:
        raise InputError("A concept has neither id nor name.", code=INVALID)
    return Label(slug, concept.value, concept.name, box)


def _read_place(data: resources_pb2.Data) -> tuple[float, float]:
    point = data.geo.geo_point
    if not (abs(point.longitude) <= 180 and abs(point.latitude) <= 90):
        raise InputError(f"No place on earth: {point.longitude:g}, {point.latitude:g}.", code=INVALID)
    return point.longitude, point.latitude


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(one) for one in value.values())
    if isinstance(value, list):
        return all(_is_finite(one) for one in value)
    return not isinstance(value, float) or math.isfinite(value)
