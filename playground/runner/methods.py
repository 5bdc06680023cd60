"""A loaded model's methods, ready to be called with what the wire brings: addresses fetched, pictures checked, values
in the types that the author asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from playground.protocol import codec
from playground.protocol.errors import ConfigError, InputError
from playground.protocol.signatures import (
    MISSING,
    Field,
    MethodKind,
    Signature,
    Types,
    build_casts,
    build_signatures,
    kind_of,
    stream_field,
)
from playground.runner import pictures
from playground.runner.model import ModelClass

_MEDIA_TYPES = frozenset({Types.TEXT, Types.IMAGE, Types.AUDIO, Types.VIDEO, Types.FRAME, Types.REGION})
_PICTURE_TYPES = frozenset({Types.IMAGE, Types.FRAME})


class Fetch(Protocol):
    def __call__(self, url: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a loaded model. ``has_media`` says that preparing its arguments may block."""

    signature: Signature
    kind: MethodKind
    function: Callable[..., Any]
    is_async: bool
    has_media: bool
    stream: str | None
    pictures: tuple[str, ...]
    casts: dict[str, Callable[[Any], Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.signature.name)

    def arguments(self, data: codec.Data, fetch: Fetch) -> dict[str, Any]:
        """What the model is called with, the stream left out. Raises InputError naming the argument."""
        if self.has_media or not data.parts:
            fill_addresses(data, fetch)
        arguments = codec.decode_arguments(self.signature, data)
        for name in self.pictures:
            if name in arguments:
                pictures.check(arguments[name], name)
        for name in self.casts:
            if name in arguments:
                arguments[name] = self._cast(name, arguments[name])
        return arguments

    def item(self, data: codec.Data, fetch: Fetch) -> Any:
        """The stream's next item, MISSING where the message has none. Raises InputError."""
        assert self.stream is not None
        if self.has_media or not data.parts:
            fill_addresses(data, fetch)
        item = codec.decode_stream_item(self.signature, data)
        if item is MISSING:
            return item
        if self.stream in self.pictures:
            pictures.check(item, self.stream)
        return self._cast(self.stream, item) if self.stream in self.casts else item

    def _cast(self, name: str, value: Any) -> Any:
        with pictures.named(name):
            value = self.casts[name](value)
            pictures.load(value)
        return value


def find_methods(model: ModelClass, *, where: str) -> dict[str, Method]:
    """The model's methods in the order they are declared. Raises ConfigError naming file, method and parameter."""
    signatures = build_signatures(type(model), where=where)
    if not signatures:
        raise ConfigError(f"{where}: {type(model).__name__} has no method marked with @ModelClass.method")
    return {name: _method(getattr(model, name), signature, where) for name, signature in signatures.items()}


def _method(function: Callable[..., Any], signature: Signature, where: str) -> Method:
    fields = list(signature.input_fields)
    stream = stream_field(signature)
    kind = kind_of(signature)
    is_generator = inspect.isasyncgenfunction(function)
    if is_generator and kind is MethodKind.UNARY:
        raise ConfigError(f'{where}, method "{signature.name}": a generator returns Iterator[...]')
    return Method(
        signature=signature,
        kind=kind,
        function=function,
        is_async=is_generator or inspect.iscoroutinefunction(function),
        has_media=any(_holds(field, _MEDIA_TYPES) for field in fields),
        stream=stream.name if stream else None,
        pictures=tuple(field.name for field in fields if _holds(field, _PICTURE_TYPES)),
        casts=build_casts(function, where=where),
    )


def _holds(field: Field, types: Iterable[int]) -> bool:
    return field.type in types or any(_holds(inner, types) for inner in field.type_args)


def fill_addresses(data: codec.Data, fetch: Fetch) -> None:
    """Fetch what a request only gives the address of, at any depth, in place. Raises InputError."""
    for part in data.parts:
        for media in codec.remote_media(part.data):
            _fill(media, fetch, part.id)
    if not data.parts:
        for media in codec.remote_media(data):
            _fill(media, fetch, "")


def _fill(media: Any, fetch: Fetch, argument: str) -> None:
    try:
        content = fetch(media.url)
        if hasattr(media, "base64"):
            media.base64 = content
        else:
            media.raw = content.decode()
    except UnicodeDecodeError:
        raise InputError(f'argument "{argument}": {media.url} is not UTF-8 text', argument=argument) from None
    except InputError as error:
        place = f'argument "{argument}": ' if argument else ""
        raise InputError(f"{place}{error.message}", argument=argument) from None


def fenced_fetch(allow: Iterable[str]) -> Fetch:
    """Fetching behind the fence, whose HTTP client is imported when the first address comes."""
    fences: list[Any] = []

    def fetch(url: str) -> bytes:
        if not fences:
            ipaddress = importlib.import_module("ipaddress")
            module = importlib.import_module("playground.protocol.fetch")
            fences.append(module.Fence(allow=tuple(ipaddress.ip_network(network) for network in allow)))
        content: bytes = fences[0].fetch(url).content
        return content

    return fetch
