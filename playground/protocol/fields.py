"""What one field of a signature means: which values fit, its default, its range and its choices.

The rules are compiled once for each field or signature message and kept by the message's identity, so a call costs a
look-up and plain Python. A message is taken as finished from its first use here on; do not change it afterwards.
"""

from __future__ import annotations

import ast
import copy
import json
import math
import operator
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeAlias, TypeVar

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.errors import InputError
from playground.protocol.values import (
    JSON,
    Audio,
    Concept,
    Frame,
    Image,
    MessageData,
    NamedFields,
    Region,
    Text,
    Video,
    _numpy,
    is_array,
    shortest,
)

Field: TypeAlias = resources_pb2.ModelTypeField
Types = resources_pb2.ModelTypeField.DataType
Check: TypeAlias = Callable[[Any], Any]


class _Missing(Enum):
    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing.MISSING

MESSAGES: dict[int, type[MessageData]] = {
    Types.TEXT: Text,
    Types.IMAGE: Image,
    Types.CONCEPT: Concept,
    Types.REGION: Region,
    Types.FRAME: Frame,
    Types.AUDIO: Audio,
    Types.VIDEO: Video,
}
PYTHON_NAMES: dict[int, str] = {
    Types.STR: "str",
    Types.BYTES: "bytes",
    Types.INT: "int",
    Types.FLOAT: "float",
    Types.BOOL: "bool",
    Types.NDARRAY: "np.ndarray",
    Types.JSON_DATA: "dict or list",
    **{kind: cls.__name__ for kind, cls in MESSAGES.items()},
}
_SCALARS = frozenset({Types.STR, Types.BYTES, Types.INT, Types.FLOAT, Types.BOOL})
_INT64 = range(-(2**63), 2**63)
_MESSAGE_PROTOS: dict[type[MessageData], Any] = {cls: getattr(resources_pb2, cls.__name__) for cls in MESSAGES.values()}


class Misfit(Exception):
    """A value does not fit, at ``path`` below the field; an InputError or ModelError once the name is known."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def under(self, step: str) -> Misfit:
        return Misfit(self.reason, step + self.path)

    def as_input_error(self, name: str) -> InputError:
        return InputError(f'argument "{name}"{self.path} {self.reason}', argument=name)


Made = TypeVar("Made")


class ByIdentity(Generic[Made]):
    """Keeps what ``build`` made of a message for as long as it remembers the message itself."""

    LIMIT: Final = 2048

    def __init__(self, build: Callable[[Any], Made]) -> None:
        self._build = build
        self._made: dict[int, tuple[Any, Made]] = {}

    def __call__(self, message: Any) -> Made:
        entry = self._made.get(id(message))
        if entry is not None and entry[0] is message:  # an id alone may have been used again
            return entry[1]
        made = self._build(message)
        if len(self._made) >= self.LIMIT:
            self._made.clear()
        self._made[id(message)] = (message, made)
        return made


# -- which values fit ------------------------------------------------------------------------------------------------


def _misfit(expected: str, value: object) -> Misfit:
    return Misfit(f"must be {expected}, not {type(value).__name__}")


def _fit_str(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Text) and not value.url:
        return value.text
    raise _misfit("str", value)


def _fit_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise _misfit("bytes", value)


def _fit_int(value: Any) -> int:
    if isinstance(value, bool) or is_array(value):
        raise _misfit("int", value)
    try:
        number = operator.index(value)
    except TypeError:
        raise _misfit("int", value) from None
    if number not in _INT64:
        raise Misfit("must be an int of at most 64 bits")
    return number


def _fit_float(value: Any) -> float:
    if type(value) is float:
        return value
    if isinstance(value, bool | str | bytes) or is_array(value) or not hasattr(value, "__float__"):
        raise _misfit("float", value)
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        raise _misfit("float", value) from None


def _fit_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise _misfit("bool", value)


def _fit_array(value: Any) -> Any:
    if not is_array(value) and not hasattr(value, "__array__") and not isinstance(value, list | tuple | int | float):
        raise _misfit("a numpy array of numbers", value)
    try:
        array = _numpy().asarray(value)
    except ValueError as error:
        raise Misfit(f"must be an array of numbers: {error}") from None
    if array.dtype.kind not in "biufc":
        raise Misfit(f"must be an array of numbers, not of {array.dtype}")
    return array


def _fit_json(value: Any) -> Any:
    if isinstance(value, JSON):
        value = value.value
    if value is None or isinstance(value, dict | list):
        return value
    if isinstance(value, tuple):
        return list(value)
    raise _misfit("a dict or a list", value)


def _fit_message(cls: type[MessageData]) -> Check:
    def fit(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        proto = value.to_proto() if hasattr(value, "to_proto") else value
        if isinstance(proto, _MESSAGE_PROTOS[cls]):  # from another library that speaks this protocol
            return cls.from_proto(proto)
        try:
            return cls.from_value(value)
        except TypeError:
            raise _misfit(cls.__name__, value) from None

    return fit


def _fit_list(field: Field) -> Check:
    if not field.type_args:
        raise InputError(f'the signature gives no type for the items of "{field.name}"')
    inner = fit_of(field.type_args[0])

    def fit(value: Any) -> list[Any]:
        if isinstance(value, str | bytes | dict) or not isinstance(value, Iterable):
            raise _misfit("a list", value)
        items = []
        for position, item in enumerate(value):
            try:
                items.append(inner(item))
            except Misfit as error:
                raise error.under(f"[{position}]") from None
        return items

    return fit


def _fit_tuple(field: Field) -> Check:
    inners = [fit_of(inner) for inner in field.type_args]

    def fit(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple | list):
            raise _misfit("a tuple", value)
        if len(value) != len(inners):
            raise Misfit(f"must have {len(inners)} items, not {len(value)}")
        items = []
        for position, (inner, item) in enumerate(zip(inners, value, strict=True)):
            try:
                items.append(inner(item))
            except Misfit as error:
                raise error.under(f"[{position}]") from None
        return tuple(items)

    return fit


def fields_of(value: Any) -> dict[str, Any]:
    """The named fields of a NamedFields, a dict, or any object with attributes."""
    if isinstance(value, NamedFields):
        return vars(value)
    if isinstance(value, dict):
        return value
    if isinstance(value, str | bytes | int | float | list | tuple) or not hasattr(value, "__dict__"):
        raise _misfit("NamedFields or a dict", value)
    return dict(vars(value))


def _fit_fields(field: Field) -> Check:
    inners = {inner.name: fit_of(inner) for inner in field.type_args}

    def fit(value: Any) -> NamedFields:
        given = fields_of(value)
        if unknown := sorted(str(name) for name in given.keys() - inners.keys()):
            raise Misfit(f"has no field {unknown[0]!r}; its fields are {', '.join(inners)}")
        made = NamedFields()
        for name, inner in inners.items():
            if name not in given:
                raise Misfit(f"lacks the field {name!r}")
            try:
                made[name] = inner(given[name])
            except Misfit as error:
                raise error.under(f".{name}") from None
        return made

    return fit


_FITS: dict[int, Check] = {
    Types.STR: _fit_str,
    Types.BYTES: _fit_bytes,
    Types.INT: _fit_int,
    Types.FLOAT: _fit_float,
    Types.BOOL: _fit_bool,
    Types.NDARRAY: _fit_array,
    Types.JSON_DATA: _fit_json,
    **{kind: _fit_message(cls) for kind, cls in MESSAGES.items()},
}
_CONTAINER_FITS: dict[int, Callable[[Field], Check]] = {
    Types.LIST: _fit_list,
    Types.TUPLE: _fit_tuple,
    Types.NAMED_FIELDS: _fit_fields,
}


def fit_of(field: Field) -> Check:
    """A function that gives a value in the field's own Python type, or raises Misfit; looks at no range or choice."""
    if field.type in _CONTAINER_FITS:
        return _CONTAINER_FITS[field.type](field)
    try:
        return _FITS[field.type]
    except KeyError:
        raise InputError(f'the signature gives "{field.name}" a type that is not known here ({field.type})') from None


# -- defaults, ranges, choices ---------------------------------------------------------------------------------------


def _parse_default(field: Field) -> Any:
    text = field.default
    if text == "null":
        return None
    if field.type in (Types.STR, Types.TEXT):
        return text if field.type == Types.STR else Text(text)
    try:
        plain = json.loads(text) if field.type != Types.BYTES else ast.literal_eval(text)
        return fit_of(field)(plain)
    except (ValueError, SyntaxError, MemoryError, RecursionError, Misfit):
        return MISSING  # the printed form of some object: only the model itself knows it


def _default_maker(field: Field) -> Callable[[], Any]:
    default = MISSING if field.required or field.iterator else _parse_default(field)
    if isinstance(default, str | bytes | int | float | _Missing | None):
        return lambda: default
    return lambda: copy.deepcopy(default)  # a fresh one each time: the model may change it


def default_of(field: Field) -> Any:
    """The declared default, or MISSING when there is none or only the model itself can make it."""
    return _default_maker(field)()


def range_of(field: Field) -> tuple[float | None, float | None]:
    """Least and greatest value allowed, None where open.

    The wire has no way to leave one bound out, so ours says infinity; a foreign one leaves 0, which counts as given
    unless it would lie below the other bound.
    """
    if field.type not in (Types.INT, Types.FLOAT) or not field.HasField("model_type_range_info"):
        return None, None
    low, high = shortest(field.model_type_range_info.min), shortest(field.model_type_range_info.max)
    if high < low or (low == high == 0):
        high = math.inf
    return _bound(field, low), _bound(field, high)


def _bound(field: Field, bound: float) -> float | None:
    if not math.isfinite(bound):
        return None
    return int(bound) if field.type == Types.INT and bound.is_integer() else bound


def choices_of(field: Field) -> tuple[Any, ...]:
    """The allowed values in the field's own type; of a list's items, for a list."""
    kind = field.type_args[0].type if field.type == Types.LIST and field.type_args else field.type
    return tuple(_choice(kind, option.id) for option in field.model_type_enum_options)


def _choice(kind: int, text: str) -> Any:
    try:
        if kind == Types.BOOL:
            return text.lower() == "true"
        return {Types.INT: int, Types.FLOAT: float}.get(kind, str)(text)
    except ValueError:
        return text


_SECRET_NAMES = re.compile(
    r"(^|.*_)(password|passwd|passphrase|secret|credentials?|api_?key|(access|private|secret|auth)_key"
    r"|(api|access|auth|bearer|refresh|hf|id|session)_token)$|^token$",
    re.IGNORECASE,
)


def is_secret(field: Field) -> bool:
    """Whether its text is nobody's to see: declared so, or by a name that says it (``api_key``, ``password``)."""
    if field.type not in (Types.STR, Types.TEXT):
        return False
    encrypted = resources_pb2.ModelTypeField.ModelTypeFieldType.ENCRYPTED_STRING
    return field.field_type == encrypted or _SECRET_NAMES.match(field.name) is not None


def holds_secret(field: Field) -> bool:
    """Whether it, or a part of it, is a secret."""
    return is_secret(field) or any(map(holds_secret, field.type_args))


def _as_float32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _check_range(field: Field) -> Check | None:
    low, high = range_of(field)
    if low is None and high is None:
        return None
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    if low is not None and high is not None:
        wanted = f"must be between {low} and {high}"
    else:
        wanted = f"must be at least {low}" if high is None else f"must be at most {high}"

    def check(value: Any) -> Any:
        # Bounds travel as float32: a value equal to one by that measure is inside.
        if least <= value <= most or (value == value and least <= shortest(_as_float32(value)) <= most):
            return value
        raise Misfit(f"{wanted}, not {value}")

    return check


def _check_choice(field: Field) -> Check | None:
    choices = choices_of(field)
    if not choices:
        return None
    is_list = field.type == Types.LIST

    def check(value: Any) -> Any:
        for item in value if is_list else (value.text if isinstance(value, Text) else value,):
            if item not in choices:
                raise Misfit(f"must be one of {', '.join(map(str, choices))}, not {item!r}")
        return value

    return check


@dataclass(frozen=True, slots=True)
class FieldRules:
    """All that is known of one field, ready to be asked."""

    field: Field
    name: str
    fit: Check
    limit: Check | None
    is_nullable: bool
    make_default: Callable[[], Any]

    def check(self, value: Any) -> Any:
        """The value in the field's own type; raises Misfit."""
        if value is None and self.is_nullable:
            return None
        value = self.fit(value)
        return value if self.limit is None else self.limit(value)


def _rules(field: Field) -> FieldRules:
    make_default = _default_maker(field)
    ranged, chosen = _check_range(field), _check_choice(field)
    limit = ranged if chosen is None else chosen if ranged is None else (lambda value: chosen(ranged(value)))
    return FieldRules(
        field=field,
        name=field.name,
        fit=fit_of(field),
        limit=limit and _or_default(limit, make_default),
        is_nullable=make_default() is None,
        make_default=make_default,
    )


def _or_default(limit: Check, make_default: Callable[[], Any]) -> Check:
    """An author's default passes, even one outside the author's own limits (0 or "" for "none", say)."""

    def check(value: Any) -> Any:
        try:
            return limit(value)
        except Misfit:
            if value == make_default():
                return value
            raise

    return check


rules_of: ByIdentity[FieldRules] = ByIdentity(_rules)


def check_value(field: Field, value: Any) -> Any:
    """The value as the field has it (a str as Text, PIL as Image, …); raises InputError naming the argument."""
    try:
        return rules_of(field).check(value)
    except Misfit as error:
        raise error.as_input_error(field.name) from None
