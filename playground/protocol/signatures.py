"""The one description of a model's method: built from its type hints, sent over the wire, and read by everybody else.

A signature is the V2 message ``MethodSignature``. The form on the page, the SDK's argument check, the catalog, the
code samples and the terminal all read it with the functions here; nobody describes the same fields a second time.
"""

from __future__ import annotations

import inspect
import json
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, get_args, get_origin

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf import json_format

from playground.protocol import hints
from playground.protocol.errors import ConfigError, InputError, ServerError
from playground.protocol.fields import (
    MISSING,
    PYTHON_NAMES,
    ByIdentity,
    Field,
    FieldRules,
    Misfit,
    Types,
    check_value,
    choices_of,
    default_of,
    range_of,
    rules_of,
)
from playground.protocol.values import Text, cast, is_array_type, is_pillow_type

__all__ = [
    "MISSING",
    "Field",
    "MethodKind",
    "Param",
    "Signature",
    "Types",
    "bind",
    "build_casts",
    "build_signature",
    "build_signatures",
    "check_value",
    "choices_of",
    "default_of",
    "describe_io",
    "describe_type",
    "kind_of",
    "output_field",
    "python_signature",
    "range_of",
    "signatures_from_json",
    "signatures_to_json",
    "stream_field",
    "unwrap_params",
]

Signature: TypeAlias = resources_pb2.MethodSignature
_PARAMS = "_declared_params"
_RESERVED = frozenset({"with_proto"})
RETURN = "return"


class Param:
    """A parameter's default with what a form needs beside it: description, range, choices."""

    def __init__(
        self,
        default: Any,
        description: str | None = None,
        min_value: float | None = None,
        max_value: float | None = None,
        choices: Sequence[Any] | None = None,
        is_param: bool = True,
    ) -> None:
        self.default = default
        self.description = description
        self.min_value = min_value
        self.max_value = max_value
        self.choices = choices
        self.is_param = is_param

    def __repr__(self) -> str:
        facts = {name: value for name, value in vars(self).items() if value is not None}
        return f"Param({', '.join(f'{name}={value!r}' for name, value in facts.items())})"


class MethodKind(Enum):
    """The three ways a method can be called; the value is the name of each one's old method."""

    UNARY = "predict"
    GENERATE = "generate"
    STREAM = "stream"


_KINDS: dict[int, MethodKind] = {
    resources_pb2.UNARY_UNARY: MethodKind.UNARY,
    resources_pb2.UNARY_STREAMING: MethodKind.GENERATE,
    resources_pb2.STREAMING_STREAMING: MethodKind.STREAM,
}
_METHOD_TYPES = {kind: number for number, kind in _KINDS.items()}


def kind_of(signature: Signature) -> MethodKind:
    try:
        return _KINDS[signature.method_type]
    except KeyError:
        raise ServerError(f'the method "{signature.name}" is of a kind that is not known here') from None


def stream_field(signature: Signature) -> Field | None:
    """The input that arrives as a stream, if there is one."""
    return next((field for field in signature.input_fields if field.iterator), None)


def output_field(signature: Signature) -> Field:
    if not signature.output_fields:
        raise ServerError(f'the signature of "{signature.name}" gives no output')
    return signature.output_fields[0]


# -- from Python -----------------------------------------------------------------------------------------------------


def build_signatures(model_class: type, *, where: str) -> dict[str, Signature]:
    """The signatures of all methods marked as a model's, inherited ones first, in the order they are declared."""
    functions = {
        name: function
        for base in reversed(model_class.__mro__)
        for name, function in vars(base).items()
        if getattr(function, "_is_model_method", False)
    }
    return {name: build_signature(function, where=where) for name, function in functions.items()}


def build_signature(function: Callable[..., Any], *, where: str) -> Signature:
    """The signature of one method; raises ConfigError naming ``where`` (the file), method and parameter."""
    place = f'{where}, method "{function.__name__}"'
    signature = resources_pb2.MethodSignature(
        name=function.__name__, description=inspect.cleandoc(function.__doc__ or "")
    )
    declared = inspect.signature(function)
    for parameter in _own_parameters(function, declared):
        signature.input_fields.append(_input_field(function, parameter, place))
    if declared.return_annotation is inspect.Signature.empty:
        raise ConfigError(f"{place}: the return type is missing; supported are {hints.SUPPORTED}")
    returned = _field(function, RETURN, declared.return_annotation, f"{place}, return type")
    signature.output_fields.append(returned)
    signature.method_type = _METHOD_TYPES[_kind(signature, place)]
    return signature


def _own_parameters(function: Callable[..., Any], declared: inspect.Signature) -> list[inspect.Parameter]:
    parameters = list(declared.parameters.values())
    is_bound = getattr(function, "__self__", None) is not None
    return parameters[1:] if parameters and not is_bound and parameters[0].name in ("self", "cls") else parameters


def _input_field(function: Callable[..., Any], parameter: inspect.Parameter, place: str) -> Field:
    place = f'{place}, parameter "{parameter.name}"'
    if parameter.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
        raise ConfigError(f"{place}: arguments are passed by name, so * and / cannot be used")
    if parameter.name in _RESERVED:
        raise ConfigError(f"{place}: this name is reserved")
    if parameter.annotation is inspect.Parameter.empty:
        raise ConfigError(f"{place}: its type is missing; supported are {hints.SUPPORTED}")
    field = _field(function, parameter.name, parameter.annotation, place)
    default = getattr(function, _PARAMS, {}).get(parameter.name, parameter.default)
    _declare_default(field, default, place)
    return field


def _field(function: Callable[..., Any], name: str, annotation: Any, place: str) -> Field:
    try:
        return hints.new_field(name, _resolved(function, annotation, place))
    except hints.UnsupportedError as error:
        raise ConfigError(f"{place}: {error}; supported are {hints.SUPPORTED}") from None


def _resolved(function: Callable[..., Any], annotation: Any, place: str) -> Any:
    """A text annotation (all are, under ``from __future__ import annotations``) as what it says in its own module."""
    if not isinstance(annotation, str):
        return annotation
    names = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        return eval(annotation, names)  # what typing.get_type_hints does; tuples and dicts of types pass here too
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise ConfigError(f"{place}: the type {annotation!r} cannot be read: {error}") from None


def _declare_default(field: Field, default: Any, place: str) -> None:
    field.required = default is inspect.Parameter.empty
    if field.required:
        return
    if isinstance(default, Param):
        _declare_param(field, default, place)
        default = default.default
    field.default = _default_text(default)
    _check_declared(field, place)


def _declare_param(field: Field, param: Param, place: str) -> None:
    field.description = param.description or ""
    field.is_param = param.is_param
    for choice in param.choices or ():
        field.model_type_enum_options.add(id=str(choice))
    if param.min_value is None and param.max_value is None:
        return
    low = -math.inf if param.min_value is None else float(param.min_value)
    high = math.inf if param.max_value is None else float(param.max_value)
    if low > high:
        raise ConfigError(f"{place}: min_value {low:g} lies above max_value {high:g}")
    field.model_type_range_info.min = low
    field.model_type_range_info.max = high


def _default_text(default: Any) -> str:
    if isinstance(default, str):
        return default
    if isinstance(default, Text) and not default.url:
        return default.text
    try:
        return json.dumps(default)
    except (TypeError, ValueError):
        return str(default)


def _check_declared(field: Field, place: str) -> None:
    try:
        rules = rules_of(field)
        if field.type not in (Types.STR, Types.TEXT) and rules.make_default() is MISSING and _is_json(field.default):
            rules.fit(json.loads(field.default))
    except Misfit as error:
        raise ConfigError(f"{place}: the default {error.reason}") from None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _kind(signature: Signature, place: str) -> MethodKind:
    streams = sum(field.iterator for field in signature.input_fields)
    is_streamed = signature.output_fields[0].iterator
    if streams > 1:
        raise ConfigError(f"{place}: at most one parameter can be a stream")
    if streams and not is_streamed:
        raise ConfigError(f"{place}: a method that takes a stream returns one: -> Iterator[...]")
    if streams:
        return MethodKind.STREAM
    return MethodKind.GENERATE if is_streamed else MethodKind.UNARY


def unwrap_params(function: Callable[..., Any]) -> None:
    """Put plain defaults in place of a function's ``Param`` objects, so that its body never meets one.

    The declarations stay readable for ``build_signature``.
    """
    parameters = inspect.signature(function).parameters.values()
    declared = {parameter.name: parameter.default for parameter in parameters if isinstance(parameter.default, Param)}
    if not declared or not isinstance(function, types.FunctionType):
        return
    setattr(function, _PARAMS, declared)
    function.__defaults__ = tuple(map(_plain_default, function.__defaults__ or ())) or None
    keywords = function.__kwdefaults__ or {}
    function.__kwdefaults__ = {name: _plain_default(value) for name, value in keywords.items()}


def _plain_default(default: Any) -> Any:
    return default.default if isinstance(default, Param) else default


def build_casts(function: Callable[..., Any], *, where: str) -> dict[str, Callable[[Any], Any]]:
    """For each parameter whose author asked for PIL or numpy: how to make that of a decoded value (of an item, for
    a stream). Most methods need none."""
    place = f'{where}, method "{function.__name__}"'
    casts: dict[str, Callable[[Any], Any]] = {}
    for parameter in _own_parameters(function, inspect.signature(function)):
        wanted, _ = hints.item_type(_resolved(function, parameter.annotation, place))
        if _needs_cast(wanted):
            casts[parameter.name] = _caster(wanted)
    return casts


def _needs_cast(annotation: Any) -> bool:
    if get_origin(annotation) is list:
        return any(_needs_cast(inner) for inner in get_args(annotation))
    return is_pillow_type(annotation) and not is_array_type(annotation)


def _caster(annotation: Any) -> Callable[[Any], Any]:
    return lambda value: cast(value, annotation)


# -- arguments -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Binding:
    names: tuple[str, ...]
    rules: dict[str, FieldRules]
    streams: frozenset[str]
    required: tuple[str, ...]


def _binding(signature: Signature) -> _Binding:
    fields = list(signature.input_fields)
    return _Binding(
        names=tuple(field.name for field in fields),
        rules={field.name: rules_of(field) for field in fields},
        streams=frozenset(field.name for field in fields if field.iterator),
        required=tuple(field.name for field in fields if field.required),
    )


_binding_of: ByIdentity[_Binding] = ByIdentity(_binding)


def bind(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The given arguments by name and in their fields' own types; what was not given is not added.

    A stream's argument is passed on as it is. Raises InputError naming what is unknown, missing or does not fit.
    """
    binding = _binding_of(signature)
    names, rules = binding.names, binding.rules
    if len(args) > len(names):
        raise InputError(f'"{signature.name}" takes {_count(len(names))}, not {len(args)}')
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in given:
            raise InputError(f'argument "{name}" is given twice', argument=name)
        given[name] = value
    bound: dict[str, Any] = {}
    for name, value in given.items():
        if name not in rules:
            raise unknown_argument(signature, name)
        try:
            bound[name] = value if name in binding.streams else rules[name].check(value)
        except Misfit as error:
            raise error.as_input_error(name) from None
    for name in binding.required:
        if name not in bound:
            raise missing_argument(signature, name)
    return bound


def unknown_argument(signature: Signature, name: str) -> InputError:
    known = ", ".join(field.name for field in signature.input_fields)
    takes = f"its arguments are {known}" if known else "it takes none"
    return InputError(f'"{signature.name}" has no argument "{name}"; {takes}', argument=name)


def missing_argument(signature: Signature, name: str) -> InputError:
    return InputError(f'"{signature.name}" needs the argument "{name}"', argument=name)


def _count(number: int) -> str:
    return {0: "no arguments", 1: "one argument"}.get(number, f"at most {number} arguments")


# -- for people ------------------------------------------------------------------------------------------------------


def python_signature(signature: Signature) -> inspect.Signature:
    """The method as Python would show it in ``help()``."""
    parameters: list[inspect.Parameter] = []
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for field in signature.input_fields:
        default = inspect.Parameter.empty if field.required else default_of(field)
        if field.required and parameters and parameters[-1].default is not inspect.Parameter.empty:
            kind = inspect.Parameter.KEYWORD_ONLY  # only another's signature has a default before a required one
        shown = ... if default is MISSING else default
        annotation = hints.python_type(field)
        parameters.append(inspect.Parameter(field.name, kind, default=shown, annotation=annotation))
    return inspect.Signature(parameters, return_annotation=hints.python_type(output_field(signature)))


def describe_type(field: Field) -> str:
    """The type as an author writes it: ``str``, ``List[Region]``, ``Iterator[str]``."""
    return f"Iterator[{_describe(field)}]" if field.iterator else _describe(field)


def _describe(field: Field) -> str:
    inners = [_describe(inner) for inner in field.type_args]
    if field.type == Types.LIST:
        return f"List[{', '.join(inners)}]"
    if field.type == Types.TUPLE:
        return f"Tuple[{', '.join(inners)}]"
    if field.type == Types.NAMED_FIELDS:
        pairs = zip(field.type_args, inners, strict=True)
        return f"NamedFields({', '.join(f'{inner.name}={shown}' for inner, shown in pairs)})"
    return PYTHON_NAMES.get(field.type, "unknown")


_WORDS: dict[int, tuple[str, str]] = {
    Types.STR: ("text", "texts"),
    Types.TEXT: ("text", "texts"),
    Types.BYTES: ("bytes", "bytes"),
    Types.INT: ("number", "numbers"),
    Types.FLOAT: ("number", "numbers"),
    Types.BOOL: ("yes or no", "yes or no"),
    Types.NDARRAY: ("array", "arrays"),
    Types.JSON_DATA: ("JSON", "JSON"),
    Types.IMAGE: ("image", "images"),
    Types.AUDIO: ("audio", "audio"),
    Types.VIDEO: ("video", "videos"),
    Types.CONCEPT: ("concept", "concepts"),
    Types.REGION: ("region", "regions"),
    Types.FRAME: ("frame", "frames"),
}


def describe_io(signature: Signature) -> str:
    """What goes in and what comes out, in words: ``text → text, streamed``. Parameters are left out."""
    inputs = [field for field in signature.input_fields if not field.is_param]
    inputs = [field for field in inputs if field.required or field.iterator] or inputs[:1]
    given = " + ".join(_stream_words(field) for field in inputs) or "nothing"
    return f"{given} → {_stream_words(output_field(signature))}"


def _stream_words(field: Field) -> str:
    return f"{_words(field)}, streamed" if field.iterator else _words(field)


def _words(field: Field, *, number: int = 0) -> str:
    if field.type == Types.LIST and field.type_args:
        return _words(field.type_args[0], number=1)
    if field.type in (Types.TUPLE, Types.NAMED_FIELDS):
        return " and ".join(dict.fromkeys(_words(inner) for inner in field.type_args)) or "nothing"
    return _WORDS.get(field.type, ("something", "things"))[number]


# -- over the wire ---------------------------------------------------------------------------------------------------


def signatures_to_json(signatures: Mapping[str, Signature]) -> str:
    """The form in which ``_GET_SIGNATURES`` answers, and the catalog keeps them."""
    return json.dumps({name: json_format.MessageToDict(signature) for name, signature in signatures.items()})


def signatures_from_json(text: str) -> dict[str, Signature]:
    """Reads ``signatures_to_json``, in order; raises ServerError for anything else."""
    try:
        return {
            name: json_format.ParseDict(plain, resources_pb2.MethodSignature(), ignore_unknown_fields=True)
            for name, plain in json.loads(text).items()
        }
    except (TypeError, ValueError, AttributeError, json_format.ParseError) as error:
        raise ServerError("the model's signatures cannot be read", details=str(error)) from None
