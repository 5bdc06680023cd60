"""What somebody gives to be kept as an input, and what may be said of one: checked before anything is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, TypeAlias

import orjson
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.core.exceptions import ValidationError

from inputs.models import MAX_ID, MAX_NAME, Input, Kind, validate_input_id
from playground.media.models import Reference, Upload
from playground.protocol.errors import ConflictError, InputError

INVALID = StatusCode.INPUT_INVALID_ARGUMENT
MAX_METADATA_BYTES = 100_000
MAX_DEPTH = 20  # more than anybody needs, and less than what the wire can carry
MAX_LABELS = 1000
MAX_LABEL_TEXT = 10_000

OnDuplicate = Literal["refuse", "offer", "keep"]
Box: TypeAlias = tuple[float, float, float, float]


class DuplicateError(ConflictError):
    """The app has these very bytes, or this id, already: ``existing`` is the input that has them."""

    v2_code = StatusCode.INPUT_DUPLICATE

    def __init__(self, message: str, existing: Input | None = None) -> None:
        super().__init__(message)
        self.existing = existing

    @property
    def name(self) -> str:
        return ConflictError.__name__  # on the wire it is one of those


@dataclass(frozen=True, slots=True)
class Label:
    """Something to say of an input: a concept of the whole, or with a box (left, top, right, bottom as shares)."""

    concept: str = ""
    value: float = 1.0
    name: str = ""
    box: Box | None = None
    text: str = ""


Said: TypeAlias = "Label | tuple[str, float] | str"


@dataclass(frozen=True, kw_only=True)
class Given:
    """One thing to be kept: exactly one of ``data``, ``upload``, ``reference``, ``text`` and ``url``.

    ``on_duplicate`` says what to do where the app has the same bytes: refuse, offer the one that is there instead of a
    second, or keep both. ``kind`` is what a ``url`` is said to lead to, until its bytes say it. ``facts`` are kept
    beside those that its bytes tell.
    """

    slug: str = ""
    data: bytes | BinaryIO | None = None
    upload: Upload | None = None
    reference: Reference | None = None
    text: str | None = None
    url: str | None = None
    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    concepts: Sequence[Said] = ()
    datasets: Sequence[str] = ()
    on_duplicate: OnDuplicate = "refuse"
    kind: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def check(given: Given) -> None:
    """Raises InputError that says what of it does not fit, before a byte of it is read."""
    sources = (given.data, given.upload, given.reference, given.text, given.url)
    if sum(source is not None for source in sources) != 1:
        raise InputError("An input needs one of: bytes, an upload, a stored file, a text, an address.", code=INVALID)
    if given.slug:
        check_id(given.slug, "An input's id")
    if given.kind and given.kind not in Kind.values:
        raise InputError(f"kind: one of {', '.join(Kind.values)}, not {given.kind[:40]!r}.", code=INVALID)
    check_metadata(given.metadata)
    labels_of(given.concepts)
    for slug in given.datasets:
        check_id(slug, "A dataset's id")


def check_id(slug: str, what: str) -> str:
    """Raises InputError."""
    try:
        validate_input_id(slug)
    except ValidationError as error:
        raise InputError(f"{what}: {error.messages[0]}", code=INVALID) from None
    return slug


def check_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """As it will be kept: plain JSON. Raises InputError where it is none, or too much."""
    try:
        content = orjson.dumps(dict(metadata))
        kept = orjson.loads(content.replace(b"\\u0000", b""))
    except (TypeError, ValueError):
        raise InputError("Metadata is a JSON object.", code=INVALID, argument="metadata") from None
    if len(content) > MAX_METADATA_BYTES:
        words = f"Metadata may have {MAX_METADATA_BYTES:,} bytes as JSON; this has {len(content):,}."
        raise InputError(words, code=INVALID, argument="metadata")
    if _depth(kept) > MAX_DEPTH:
        words = f"Metadata may be nested {MAX_DEPTH} levels deep."
        raise InputError(words, code=INVALID, argument="metadata")
    assert isinstance(kept, dict)
    return kept


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(one) for one in inner if isinstance(one, dict | list)), default=0)


def labels_of(said: Sequence[Said]) -> list[Label]:
    """Each as a label, checked. Raises InputError."""
    if len(said) > MAX_LABELS:
        raise InputError(f"At most {MAX_LABELS:,} concepts and regions can be said of an input at once.", code=INVALID)
    return [check_label(_label(one)) for one in said]


def _label(said: Said) -> Label:
    if isinstance(said, Label):
        return said
    return Label(said) if isinstance(said, str) else Label(said[0], said[1])


def check_label(label: Label) -> Label:
    """With its box put into the picture. Raises InputError for one that says nothing, or no number."""
    if label.concept:
        check_id(label.concept, "A concept's id")
    elif not label.text.strip() and label.box is None:
        raise InputError("A label needs a concept, a box or a text.", code=INVALID)
    if not (math.isfinite(label.value) and 0 <= label.value <= 1):
        raise InputError("A concept's value is a number from 0 to 1.", code=INVALID, argument="value")
    if len(label.text) > MAX_LABEL_TEXT:
        raise InputError(f"A region's text may have {MAX_LABEL_TEXT:,} characters.", code=INVALID, argument="text")
    box = check_box(label.box) if label.box is not None else None
    text = label.text.replace("\0", "")
    return Label(label.concept, float(label.value), label.name[:MAX_NAME].replace("\0", ""), box, text)


def check_box(edges: Sequence[float]) -> Box:
    """Left, top, right, bottom, cut to the picture. Raises InputError where nothing of it is left."""
    if len(edges) != 4 or not all(isinstance(edge, int | float) and math.isfinite(edge) for edge in edges):
        raise InputError("A box is four numbers: left, top, right, bottom.", code=INVALID, argument="box")
    left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in edges)
    if left >= right or top >= bottom:
        words = "A box has its left before its right, its top above its bottom, and lies in the picture (0 to 1)."
        raise InputError(words, code=INVALID, argument="box")
    return left, top, right, bottom


def plain_id(text: str) -> str:
    """A text as an id: for concepts that a person names."""
    kept = "".join(letter if letter.isprintable() and letter != "/" else "-" for letter in text.strip())
    return kept[:MAX_ID].strip() or "-"
