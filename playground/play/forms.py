"""Form fields out of a method's signature: the one description of the fields is the signature itself.

A field's control holds text (or, for media, a reference). ``to_text`` puts a plain value into a control, ``to_plain``
reads it back; ``static/js/state/values.js`` reads controls in the page by the same rules.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import signatures
from playground.protocol.errors import InputError
from playground.protocol.fields import choices_of, range_of
from playground.protocol.signatures import MISSING, MethodKind
from playground.protocol.values import Text

Field: TypeAlias = resources_pb2.ModelTypeField
Types = resources_pb2.ModelTypeField.DataType

KIND_WORDS = {
    MethodKind.UNARY: "Answers once",
    MethodKind.GENERATE: "Answers piece by piece",
    MethodKind.STREAM: "Answers while you send",
}
_KINDS: dict[int, str] = {
    Types.STR: "text",
    Types.TEXT: "text",
    Types.INT: "number",
    Types.FLOAT: "number",
    Types.BOOL: "switch",
    Types.JSON_DATA: "json",
    Types.IMAGE: "image",
    Types.AUDIO: "file",
    Types.VIDEO: "file",
    Types.BYTES: "file",
}
_ACCEPT: dict[int, str] = {Types.IMAGE: "image/*", Types.AUDIO: "audio/*", Types.VIDEO: "video/*"}
_SHAPES: dict[int, str] = {value: name.lower() for name, value in Types.items()}


@dataclass(frozen=True)
class FormField:
    """One argument as the page asks for it. ``value`` is plain; MISSING leaves the control empty."""

    signature: Field
    method: str
    value: Any = MISSING
    error: str = ""

    @property
    def name(self) -> str:
        return str(self.signature.name)

    @property
    def kind(self) -> str:
        """Which control it gets: choice, text, number, switch, json, image or file."""
        if self.choices and self.signature.type != Types.LIST:
            return "choice"
        return _KINDS.get(self.signature.type, "json")

    @property
    def template(self) -> str:
        return f"play/fields/{'media' if self.kind in {'image', 'file'} else self.kind}.html"

    @property
    def type(self) -> str:
        return signatures.describe_type(self.signature)

    @property
    def hint(self) -> str:
        return str(self.signature.description)

    @property
    def is_required(self) -> bool:
        return bool(self.signature.required) or bool(self.signature.iterator)

    @property
    def default(self) -> Any:
        """The declared default as a plain value; MISSING where there is none that a page could show."""
        return _plain_default(signatures.default_of(self.signature))

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(_number_text(c) if isinstance(c, float) else str(c) for c in choices_of(self.signature))

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
    def is_on(self) -> bool:
        return self.value is True

    @property
    def accept(self) -> str:
        return _ACCEPT.get(self.signature.type, "")

    @property
    def id(self) -> str:
        return f"field-{self.method}-{self.name}"

    @property
    def described_by(self) -> str:
        """The ids of what is said about the control beside its name: its type, its hint, its error."""
        parts = ["hint" if self.hint or self.kind == "text" or self.signature.iterator else "", "error"]
        if not self.signature.is_param:
            parts.insert(0, "type")
        return " ".join(f"{self.id}-{part}" for part in parts if part)

    @property
    def spec(self) -> dict[str, Any]:
        """What the page's module needs to read and check the control."""
        default = self.default
        return {
            "name": self.name,
            "kind": self.kind,
            "type": _SHAPES.get(self.signature.type, "json_data"),
            "required": self.is_required,
            "nullable": default is None,
            "low": self.low,
            "high": self.high,
            **({} if default is MISSING else {"default": default, "defaultText": to_text(self.signature, default)}),
        }


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
    def shape(self) -> dict[str, Any]:
        """The shape of an output, for the module that draws it."""
        fields = self.signature.output_fields
        return shape_of(fields[0]) if fields else {"type": "json_data"}


def build_form(signature: resources_pb2.MethodSignature, arguments: Mapping[str, Any] | None = None) -> MethodForm:
    """The form of a method, filled with its defaults, or with the plain ``arguments`` of an earlier run."""
    name = str(signature.name)
    fields = []
    for entry in signature.input_fields:
        bare = FormField(entry, name)
        value = arguments.get(entry.name, bare.default) if arguments is not None else bare.default
        fields.append(FormField(entry, name, MISSING if entry.iterator or value is None else value))
    return MethodForm(signature, tuple(fields))


def to_text(signature: Field, value: Any) -> str:
    """A plain value as the text of its control."""
    if value is None:
        return ""
    kind = _KINDS.get(signature.type)
    if kind == "text":
        return str(value.get("text") or value.get("url") or "") if isinstance(value, dict) else str(value)
    if kind == "number":
        return _number_text(value)
    if kind == "switch":
        return "true" if value else "false"
    if kind in {"image", "file"}:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=2)


def to_plain(signature: Field, text: str) -> Any:
    """The plain value of a control's text; MISSING for an empty one that may be left out. Raises InputError."""
    name, kind = signature.name, _KINDS.get(signature.type)
    if kind == "text":
        if not text and not signature.required:
            default = signatures.default_of(signature)
            if default is MISSING or default is None:
                return MISSING
        return {"text": text} if signature.type == Types.TEXT else text
    if not text.strip():
        if signature.required:
            raise InputError(f'argument "{name}" is needed.')
        return MISSING
    if kind == "number":
        return _number(signature, text.strip())
    if kind == "switch":
        return text == "true"
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f'argument "{name}" is no JSON: {error.msg} in line {error.lineno}.') from None


def arguments_of(form: MethodForm) -> dict[str, Any]:
    """The plain arguments that the form stands for as it is; streamed items apart. Raises InputError."""
    read = {entry.name: to_plain(entry.signature, entry.text) for entry in form.fields if not entry.signature.iterator}
    return {name: value for name, value in read.items() if value is not MISSING}


def shape_of(signature: Field) -> dict[str, Any]:
    """The type of an output as a small tree: {type, of: [...], name}."""
    shape: dict[str, Any] = {"type": _SHAPES.get(signature.type, "json_data"), "name": signature.name}
    if signature.type_args:
        shape["of"] = [shape_of(inner) for inner in signature.type_args]
    return shape


def _number(signature: Field, text: str) -> Any:
    try:
        value = int(text) if signature.type == Types.INT else float(text)
    except ValueError:
        wanted = "a whole number" if signature.type == Types.INT else "a number"
        raise InputError(f'argument "{signature.name}" must be {wanted}, not {text!r}.') from None
    return value if math.isfinite(value) else {"number": _number_text(value)}


def _number_text(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("number", ""))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _plain_default(default: Any) -> Any:
    """A default in plain form, where it has one that a control can hold; MISSING for bytes, pictures and the like."""
    if isinstance(default, Text):
        return {"text": default.text}
    if isinstance(default, float) and not math.isfinite(default):
        return {"number": _number_text(default)}
    if default is None or isinstance(default, str | int | float):
        return default
    if isinstance(default, dict | list):
        try:
            json.dumps(default, allow_nan=False)
        except (TypeError, ValueError):
            return MISSING
        return default
    return MISSING
