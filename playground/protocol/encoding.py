"""One value to a V2 ``Data`` message and back, by its field's type: what every argument and result is made of.

An empty Data is the type's zero value; a Data that holds another type's field is refused. ``encoder_of`` and
``decoder_of`` compile a function once for a field; ``codec`` keeps them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import structs
from playground.protocol.errors import InputError
from playground.protocol.fields import MESSAGES, Field, Misfit, Types, fields_of, fit_of
from playground.protocol.values import MessageData, NamedFields, Text, _numpy

Data: TypeAlias = resources_pb2.Data
Encode: TypeAlias = Callable[[Data, Any], None]
Decode: TypeAlias = Callable[[Data], Any]

SCALAR_NAMES: dict[int, str] = {
    Types.STR: "string_value",
    Types.BYTES: "bytes_value",
    Types.INT: "int_value",
    Types.FLOAT: "float_value",
    Types.BOOL: "bool_value",
}
SINGLE_NAMES: dict[int, str] = {
    Types.TEXT: "text",
    Types.IMAGE: "image",
    Types.AUDIO: "audio",
    Types.VIDEO: "video",
}
REPEATED_NAMES: dict[int, str] = {Types.CONCEPT: "concepts", Types.REGION: "regions", Types.FRAME: "frames"}
_ARRAY_KINDS = "biufc"


# -- one value to Data -----------------------------------------------------------------------------------------------


def encoder_of(field: Field) -> Encode:
    if field.type in SCALAR_NAMES:
        return _ENCODE_SCALAR[field.type]
    if field.type in SINGLE_NAMES:
        return _single_encoder(SINGLE_NAMES[field.type], fit_of(field))
    if field.type in REPEATED_NAMES:
        return _repeated_encoder(REPEATED_NAMES[field.type], fit_of(field))
    return _ENCODERS.get(field.type, _unknown_encoder)(field)


def _unknown_encoder(field: Field) -> NoReturn:
    raise InputError(f'the signature gives "{field.name}" a type that is not known here ({field.type})')


def _scalar_encoder(kind: int) -> Encode:
    name = SCALAR_NAMES[kind]
    fit = fit_of(resources_pb2.ModelTypeField(type=kind))

    def encode(data: Data, value: Any) -> None:
        setattr(data, name, fit(value))

    return encode


def _encode_str(data: Data, value: Any) -> None:
    try:
        data.string_value = value if type(value) is str else _FIT_STR(value)
    except UnicodeError:
        raise Misfit("must be text that UTF-8 can say (it has a lone surrogate)") from None


_FIT_STR = fit_of(resources_pb2.ModelTypeField(type=Types.STR))
_ENCODE_SCALAR: dict[int, Encode] = {kind: _scalar_encoder(kind) for kind in SCALAR_NAMES} | {Types.STR: _encode_str}


def _single_encoder(name: str, fit: Callable[[Any], MessageData]) -> Encode:
    def encode(data: Data, value: Any) -> None:
        try:
            getattr(data, name).CopyFrom(fit(value).to_proto())
        except UnicodeError:
            raise Misfit("must be text that UTF-8 can say (it has a lone surrogate)") from None

    return encode


def _repeated_encoder(name: str, fit: Callable[[Any], MessageData]) -> Encode:
    def encode(data: Data, value: Any) -> None:
        getattr(data, name).append(_repeated_proto(fit(value)))

    return encode


def _repeated_proto(value: MessageData) -> Any:
    try:
        return value.to_proto()
    except (TypeError, ValueError) as error:
        raise Misfit(f"cannot be sent: {error}") from None


def _array_encoder(field: Field) -> Encode:
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        array = fit(value)
        target = data.ndarray
        target.buffer = array.tobytes()
        target.shape.extend(array.shape)
        target.dtype = str(array.dtype)

    return encode


def _json_encoder(field: Field) -> Encode:
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        try:
            structs.write(data, fit(value))
        except (structs.NotJSONError, UnicodeError) as error:
            raise Misfit(str(error)) from None

    return encode


def _list_encoder(field: Field) -> Encode:
    fit = fit_of(field)
    inner_field = field.type_args[0]
    if inner_field.type in REPEATED_NAMES:
        name = REPEATED_NAMES[inner_field.type]

        def encode_repeated(data: Data, value: Any) -> None:
            getattr(data, name).extend([_repeated_proto(item) for item in fit(value)])

        return encode_repeated
    inner = encoder_of(inner_field)

    def encode(data: Data, value: Any) -> None:
        add = data.parts.add
        if isinstance(value, str | bytes | dict):
            fit(value)
        try:
            items = enumerate(value)
        except TypeError:
            fit(value)
            raise
        for position, item in items:
            try:
                inner(add().data, item)
            except Misfit as error:
                raise error.under(f"[{position}]") from None

    return encode


def _tuple_encoder(field: Field) -> Encode:
    inners = [encoder_of(inner) for inner in field.type_args]
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        if not isinstance(value, tuple | list) or len(value) != len(inners):
            fit(value)
        for position, (inner, item) in enumerate(zip(inners, value, strict=True)):
            try:
                inner(data.parts.add(id=str(position)).data, item)
            except Misfit as error:
                raise error.under(f"[{position}]") from None

    return encode


def _fields_encoder(field: Field) -> Encode:
    inners = {inner.name: encoder_of(inner) for inner in field.type_args}
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        given = fields_of(value)
        if given.keys() != inners.keys():
            fit(value)
        for name, inner in inners.items():
            try:
                inner(data.parts.add(id=name).data, given[name])
            except Misfit as error:
                raise error.under(f".{name}") from None

    return encode


_ENCODERS: dict[int, Callable[[Field], Encode]] = {
    Types.NDARRAY: _array_encoder,
    Types.JSON_DATA: _json_encoder,
    Types.LIST: _list_encoder,
    Types.TUPLE: _tuple_encoder,
    Types.NAMED_FIELDS: _fields_encoder,
}


# -- Data to one value -----------------------------------------------------------------------------------------------


def decoder_of(field: Field) -> Decode:
    if field.type in SCALAR_NAMES:
        return _DECODE_SCALAR[field.type]
    if field.type in SINGLE_NAMES:
        return _single_decoder(field)
    if field.type in REPEATED_NAMES:
        return _repeated_decoder(field)
    return _DECODERS.get(field.type, _unknown_encoder)(field)


def _refuse_other(data: Data, wanted: str) -> None:
    """An empty Data is a zero value; one that holds something else is of the wrong type."""
    if data.ByteSize():
        held = ", ".join(descriptor.name for descriptor, _ in data.ListFields())
        raise Misfit(f"must be sent as {wanted}, not {held}")


def _scalar_decoder(kind: int) -> Decode:
    name = SCALAR_NAMES[kind]

    def decode(data: Data) -> Any:
        value = getattr(data, name)
        if not value:
            _refuse_other(data, name)
        return value

    return decode


def _decode_str(data: Data) -> str:
    value: str = data.string_value
    if not value and data.ByteSize():
        if data.HasField("text"):
            return str(data.text.raw)
        _refuse_other(data, "string_value")
    return value


def _decode_float(data: Data) -> float:
    value: float = data.float_value
    if not value and data.ByteSize() and value == 0:
        if data.int_value:
            return float(data.int_value)
        if str(value) == "0.0":
            _refuse_other(data, "float_value")
    return value


_DECODE_SCALAR: dict[int, Decode] = {kind: _scalar_decoder(kind) for kind in SCALAR_NAMES} | {
    Types.STR: _decode_str,
    Types.FLOAT: _decode_float,
}


def _single_decoder(field: Field) -> Decode:
    name, cls = SINGLE_NAMES[field.type], MESSAGES[field.type]

    def decode(data: Data) -> Any:
        if not data.HasField(name):
            if cls is Text and data.string_value:
                return Text(data.string_value)
            _refuse_other(data, name)
        return cls.from_proto(getattr(data, name))

    return decode


def _repeated_decoder(field: Field) -> Decode:
    name, cls = REPEATED_NAMES[field.type], MESSAGES[field.type]
    make_zero = {"concepts": resources_pb2.Concept, "regions": resources_pb2.Region, "frames": resources_pb2.Frame}[
        name
    ]

    def decode(data: Data) -> Any:
        protos = getattr(data, name)
        if len(protos) == 1:
            return cls.from_proto(protos[0])
        if protos:
            raise Misfit(f"must be one {cls.__name__}, not {len(protos)}")
        _refuse_other(data, name)
        return cls.from_proto(make_zero())

    return decode


def _array_decoder(field: Field) -> Decode:
    def decode(data: Data) -> Any:
        numpy = _numpy()
        if not data.HasField("ndarray"):
            _refuse_other(data, "ndarray")
            return numpy.zeros(0)
        source = data.ndarray
        try:
            dtype = numpy.dtype(source.dtype)
            if dtype.kind not in _ARRAY_KINDS:
                raise Misfit(f"must be an array of numbers, not of {source.dtype!r}")
            if not source.buffer:
                return numpy.zeros(tuple(source.shape), dtype=dtype) if 0 in source.shape else _no_content(source)
            return numpy.frombuffer(source.buffer, dtype=dtype).reshape(tuple(source.shape))
        except (TypeError, ValueError) as error:
            raise Misfit(f"is not an array: {error}") from None

    return decode


def _no_content(source: resources_pb2.NDArray) -> NoReturn:
    raise Misfit(f"is not an array: shape {list(source.shape)} without content")


def _json_decoder(field: Field) -> Decode:
    def decode(data: Data) -> Any:
        try:
            value = structs.read(data)
        except structs.NotJSONError as error:
            raise Misfit(str(error)) from None
        if value is None and not data.string_value:
            _refuse_other(data, "struct_value")
        return value

    return decode


def _list_decoder(field: Field) -> Decode:
    if not field.type_args:
        raise InputError(f'the signature gives no type for the items of "{field.name}"')
    inner_field = field.type_args[0]
    if inner_field.type in REPEATED_NAMES:
        return _repeated_list_decoder(REPEATED_NAMES[inner_field.type], MESSAGES[inner_field.type])
    inner = decoder_of(inner_field)

    def decode(data: Data) -> list[Any]:
        if not data.parts:
            _refuse_other(data, "parts")
        return _decode_parts(data, inner)

    return decode


def _decode_parts(data: Data, inner: Decode) -> list[Any]:
    items: list[Any] = []
    for part in data.parts:
        try:
            items.append(inner(part.data))
        except Misfit as error:
            raise error.under(f"[{len(items)}]") from None
    return items


def _repeated_list_decoder(name: str, cls: type[MessageData]) -> Decode:
    def decode(data: Data) -> list[Any]:
        protos = getattr(data, name)
        if not protos:
            _refuse_other(data, name)
        return [cls.from_proto(proto) for proto in protos]

    return decode


def _tuple_decoder(field: Field) -> Decode:
    inners = [decoder_of(inner) for inner in field.type_args]

    def decode(data: Data) -> tuple[Any, ...]:
        if not data.parts:
            _refuse_other(data, "parts")
            return tuple(inner(_EMPTY) for inner in inners)
        if len(data.parts) != len(inners):
            raise Misfit(f"must have {len(inners)} items, not {len(data.parts)}")
        items: list[Any] = []
        for inner, part in zip(inners, data.parts, strict=True):
            try:
                items.append(inner(part.data))
            except Misfit as error:
                raise error.under(f"[{len(items)}]") from None
        return tuple(items)

    return decode


def _fields_decoder(field: Field) -> Decode:
    inners = {inner.name: decoder_of(inner) for inner in field.type_args}

    def decode(data: Data) -> NamedFields:
        if not data.parts:
            _refuse_other(data, "parts")
        parts = {part.id: part.data for part in data.parts}
        value = NamedFields()
        for name, inner in inners.items():
            if name not in parts and parts:
                raise Misfit(f"lacks the field {name!r}")
            try:
                value[name] = inner(parts.get(name, _EMPTY))
            except Misfit as error:
                raise error.under(f".{name}") from None
        return value

    return decode


_EMPTY = resources_pb2.Data()
_DECODERS: dict[int, Callable[[Field], Decode]] = {
    Types.NDARRAY: _array_decoder,
    Types.JSON_DATA: _json_decoder,
    Types.LIST: _list_decoder,
    Types.TUPLE: _tuple_decoder,
    Types.NAMED_FIELDS: _fields_decoder,
}
