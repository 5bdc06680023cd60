"""Form fields out of a method's signature: the one description of the fields is the signature itself.

A field's control holds text (or, for media, a reference), or is made of parts that are fields again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2

from playground.play.forms.parts import Field, Types, parts_of
from playground.play.forms.values import KINDS, number_text, plain_default, to_plain, to_text
from playground.protocol import signatures
from playground.protocol.fields import choices_of, is_secret, range_of
from playground.protocol.shapes import TYPE_NAMES, shape_of
from playground.protocol.signatures import MISSING, MethodKind

KIND_WORDS = {
    MethodKind.UNARY: "Answers once",
    MethodKind.GENERATE: "Answers piece by piece",
    MethodKind.STREAM: "Answers while you send",
}
_ACCEPT: dict[int, str] = {
    Types.IMAGE: "image/*",
    Types.AUDIO: "audio/*",
    Types.VIDEO: "video/*",
    Types.NDARRAY: ".npy",
}
_MEDIA = frozenset({"image", "audio", "video", "file"})
_PLAIN = frozenset({"text", "line", "number", "choice", "switch"})
_SHOWN_AS_MEDIA = frozenset(
    {Types.IMAGE, Types.AUDIO, Types.VIDEO, Types.REGION, Types.FRAME, Types.NDARRAY, Types.BYTES}
)
_COMPOUND = frozenset({"group", "list", "choices", "numbers", "array"})
# How programs speak to a model in other protocols than ours: no person fills these in.
TRANSPORTS = frozenset({"openai_transport", "openai_stream_transport", "mcp_transport"})


@dataclass(frozen=True)
class FormField:
    """One argument as the page asks for it, or a part of one. ``value`` is plain; MISSING leaves the control empty."""

    signature: Field
    method: str
    value: Any = MISSING
    within: str = ""  # of a part: the id of what it is a part of
    label: str = ""
    is_inner: bool = False  # a part of the author's own type: always needed, and without a default
    is_own: bool = False  # a part of a concept, region or frame
    labels: tuple[str, ...] = ()
    is_folded: bool = False

    @property
    def name(self) -> str:
        return self.label or str(self.signature.name)

    @cached_property
    def kind(self) -> str:
        """Which control it gets; each has a template of that name, but for the kinds of media, which share one."""
        if self.labels:
            return "numbers"
        if self.choices:
            return "choices" if self.signature.type == Types.LIST else "choice"
        if is_secret(self.signature):
            return "secret"
        kind = KINDS.get(self.signature.type, "json")
        if kind == "switch" and self.default is None:
            return "choice"
        return "line" if kind == "text" and self.is_own else kind

    @property
    def is_media(self) -> bool:
        return self.kind in _MEDIA

    @property
    def can_come_from_files(self) -> bool:
        """Whether a stream of it can be read from files: each is one input, or each line of a text."""
        return self.kind in _MEDIA | {"text", "line", "number", "choice", "json", "array"}

    @property
    def template(self) -> str:
        return f"play/fields/{'media' if self.kind in _MEDIA else self.kind}.html"

    @property
    def is_group(self) -> bool:
        """Whether several controls make it up, so that its name is theirs together."""
        return self.kind in {"group", "list", "choices", "numbers"}

    @property
    def type(self) -> str:
        return signatures.describe_type(self.signature)

    @property
    def hint(self) -> str:
        return str(self.signature.description)

    @property
    def is_required(self) -> bool:
        return self.is_inner or bool(self.signature.required) or bool(self.signature.iterator)

    @cached_property
    def default(self) -> Any:
        """The declared default as a plain value; MISSING where there is none that a page could show."""
        return MISSING if self.is_inner else plain_default(self.signature)

    @property
    def can_be_left_out(self) -> bool:
        """Whether nothing at all is a value of its own: null, or a default that only the model itself can make."""
        return not self.is_required and (self.default is MISSING or self.default is None)

    @property
    def left_out_words(self) -> str:
        default = str(self.signature.default)
        return "null, the default" if default == "null" else f"Left out: the model takes {default or 'its own default'}"

    @property
    def secret_words(self) -> str:
        """What stands in an empty secret; never the default itself."""
        return "" if self.is_required else "The model's own" if self.signature.default else "None"

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """What may be chosen, as text; an author's default is among them."""
        found = [number_text(c) if isinstance(c, float) else _word(c) for c in choices_of(self.signature)]
        if not found:
            is_open = self.signature.type == Types.BOOL and not self.is_inner and self.default is None
            return ("true", "false") if is_open else ()
        extra = [self.text] if self.signature.type != Types.LIST and self.text else []
        return tuple(dict.fromkeys(found + extra))

    @property
    def low(self) -> float | None:
        return range_of(self.signature)[0]

    @property
    def high(self) -> float | None:
        return range_of(self.signature)[1]

    @property
    def is_slider(self) -> bool:
        """Both ends are known, and near enough for a hand."""
        return self.low is not None and self.high is not None and self.low < self.high

    @property
    def step(self) -> float:
        """One notch of the slider: whole numbers, or about a hundredth of the range on a round figure."""
        if self.low is None or self.high is None:
            return 1
        span = self.high - self.low
        if self.signature.type == Types.INT:
            return 1 if span <= 4096 else 2 ** int(math.log2(span / 1024))
        return float(10.0 ** math.floor(math.log10(span / 50)))

    @property
    def text(self) -> str:
        """What stands in the control."""
        return "" if self.value is MISSING else to_text(self.signature, self.value)

    @property
    def is_url(self) -> bool:
        """Whether what stands in the control is the address of a text, not the text."""
        is_text = self.signature.type == Types.TEXT and isinstance(self.value, dict)
        return is_text and bool(self.value.get("url")) and not self.value.get("text")

    @property
    def filling(self) -> str:
        """The value of a control that the page's module fills, as JSON."""
        is_filled = self.kind in _COMPOUND and self.value is not MISSING
        return json.dumps(self.value, ensure_ascii=False) if is_filled else ""

    @property
    def is_on(self) -> bool:
        return self.value is True

    @property
    def accept(self) -> str:
        return _ACCEPT.get(self.signature.type, "")

    @cached_property
    def parts(self) -> list[FormField]:
        """The fields inside: those of a record, a tuple or a message; the one kind of item of a list."""
        return [
            FormField(
                part.signature,
                self.method,
                MISSING if part.is_own is False else _known(plain_default(part.signature)),
                within=self.id,
                label=part.label,
                is_inner=not part.is_own,
                is_own=part.is_own,
                labels=part.labels,
                is_folded=part.is_folded,
            )
            for part in parts_of(self.signature)
        ]

    @property
    def open_parts(self) -> list[FormField]:
        return [part for part in self.parts if not part.is_folded]

    @property
    def folded_parts(self) -> list[FormField]:
        return [part for part in self.parts if part.is_folded]

    @property
    def id(self) -> str:
        # Two dashes, as one stands before label, type, hint and error, which a part may be called too.
        return f"{self.within}--{self.name}" if self.within else f"field-{self.method}-{self.name}"

    @property
    def described_by(self) -> str:
        """The ids of what is said about the control beside its name: its type, its hint, its error."""
        parts = ["hint" if self.hint or self.signature.iterator else "", "error"]
        if self.has_type:
            parts.insert(0, "type")
        return " ".join(f"{self.id}-{part}" for part in parts if part)

    @property
    def has_type(self) -> bool:
        """Whether its type stands beside its name: not in the settings, nor where its place says it."""
        return not self.signature.is_param and not self.is_own

    @property
    def spec(self) -> dict[str, Any]:
        """What the page's module needs to read and check the control."""
        default = self.default
        spec = {
            "name": self.name,
            "kind": self.kind,
            "type": TYPE_NAMES.get(self.signature.type, "json_data"),
            "required": self.is_required,
            "inner": self.is_inner,
            "nullable": default is None,
            "low": self.low,
            "high": self.high,
        }
        if self.labels:
            spec["labels"] = self.labels
        if self.signature.type == Types.LIST and self.kind == "choices":
            spec["of"] = TYPE_NAMES.get(self.signature.type_args[0].type)
        if default is not MISSING and self.kind != "secret":
            spec |= {"default": default, "defaultText": to_text(self.signature, default)}
        return spec


def _word(choice: Any) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _known(default: Any) -> Any:
    return MISSING if default is None else default


@dataclass(frozen=True)
class MethodForm:
    """A method as the page offers it: its fields in the order of the signature."""

    signature: resources_pb2.MethodSignature
    fields: Sequence[FormField] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        return str(self.signature.name)

    @property
    def kind(self) -> MethodKind:
        return signatures.kind_of(self.signature)

    @property
    def is_stream(self) -> bool:
        return self.kind is MethodKind.STREAM

    @property
    def words(self) -> str:
        """What it does, for the picker: how it answers, and what goes in and comes out."""
        return f"{KIND_WORDS[self.kind]} · {signatures.describe_io(self.signature)}"

    @property
    def description(self) -> str:
        """The first paragraph of what the author says about it."""
        return str(self.signature.description).strip().split("\n\n")[0]

    @property
    def streamed(self) -> FormField | None:
        """The field whose items are sent one by one."""
        return next((entry for entry in self.fields if entry.signature.iterator), None)

    @property
    def asked(self) -> list[FormField]:
        """What the form shows at once: required fields, or the first one where none is."""
        plain_fields = [entry for entry in self.fields if not entry.signature.is_param and not entry.signature.iterator]
        required = [entry for entry in plain_fields if entry.is_required]
        return required or ([] if self.streamed else plain_fields[:1])

    @property
    def optional(self) -> list[FormField]:
        shown = self.asked
        return [e for e in self.fields if not e.signature.is_param and not e.signature.iterator and e not in shown]

    @property
    def settings(self) -> list[FormField]:
        return [entry for entry in self.fields if entry.signature.is_param and not entry.signature.iterator]

    @property
    def takes_pictures(self) -> bool:
        return any(inner.type == Types.IMAGE for entry in self.fields for inner in _all_types(entry.signature))

    @property
    def has_parts(self) -> bool:
        """Whether a control is more than a plain one."""
        return any(entry.kind not in _PLAIN or entry.signature.type == Types.TEXT for entry in self.fields)

    @property
    def shows_media(self) -> bool:
        """Whether a picture, a sound, a film, a file or what lies on one may stand on the page."""
        ends = (*self.signature.input_fields, *self.signature.output_fields)
        return any(inner.type in _SHOWN_AS_MEDIA for end in ends for inner in _all_types(end))

    @property
    def shape(self) -> dict[str, Any]:
        """The shape of an output, for the module that draws it."""
        fields = self.signature.output_fields
        return shape_of(fields[0]) if fields else {"type": "json_data"}


def list_forms(
    known: Sequence[resources_pb2.MethodSignature], run_method: str = "", arguments: Mapping[str, Any] | None = None
) -> list[MethodForm]:
    """The forms of a model's methods, one of them with the arguments of an earlier run."""
    return [build_form(entry, arguments if entry.name == run_method else None) for entry in with_forms(known)]


def with_forms(known: Sequence[resources_pb2.MethodSignature]) -> list[resources_pb2.MethodSignature]:
    """The methods that a person can fill in."""
    return [entry for entry in known if entry.name not in TRANSPORTS]


def build_form(signature: resources_pb2.MethodSignature, arguments: Mapping[str, Any] | None = None) -> MethodForm:
    """The form of a method, filled with its defaults, or with the plain ``arguments`` of an earlier run."""
    name = str(signature.name)
    fields = []
    for entry in signature.input_fields:
        bare = FormField(entry, name)
        value = arguments.get(entry.name, bare.default) if arguments is not None else bare.default
        fields.append(FormField(entry, name, MISSING if entry.iterator or value is None else value))
    return MethodForm(signature, tuple(fields))


def arguments_of(form: MethodForm) -> dict[str, Any]:
    """The plain arguments that the form stands for as it is; streamed items apart. Raises InputError."""
    entries = [entry for entry in form.fields if not entry.signature.iterator]
    read = {e.name: {"url": e.text} if e.is_url else to_plain(e.signature, e.text) for e in entries}
    return {name: value for name, value in read.items() if value is not MISSING}


def _all_types(signature: Field) -> Iterator[Field]:
    """A type and those inside it; the masks and pictures of regions and frames too."""
    yield signature
    for part in parts_of(signature):
        yield from _all_types(part.signature)
