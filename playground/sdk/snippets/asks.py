"""What a snippet is made from: the call, with an example where an argument is still missing."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from playground.protocol import plain as plain_values
from playground.protocol.errors import InputError
from playground.protocol.fields import MISSING, Field, Types, choices_of, default_of, is_secret, range_of
from playground.protocol.signatures import MethodKind, Signature, kind_of
from playground.sdk.calls import ModelAddress, Selector

NameOf = Callable[[str], str]
EXAMPLE_FILE = {Types.IMAGE: "picture.jpg", Types.AUDIO: "sound.wav", Types.VIDEO: "film.mp4"}


class UnsayableError(ValueError):
    """This language has no way to say it; the message tells what."""


@dataclass(frozen=True)
class Ask:
    """One call: of which model and method, with what, where, through which gateway.

    ``arguments`` are plain; ``name_of`` gives the name of stored content by its id. ``place_user_id`` is whose the
    deployment or nodepool is: the official client looks it up under a name.
    """

    address: ModelAddress
    signature: Signature
    arguments: Mapping[str, Any]
    base_url: str
    selector: Selector = field(default_factory=Selector)
    place_user_id: str = ""
    name_of: NameOf = str


@dataclass(frozen=True)
class Argument:
    """A field with its plain value; ``plain`` of a stream's field is the list of its inputs."""

    field: Field
    plain: Any

    @property
    def name(self) -> str:
        return str(self.field.name)


@dataclass(frozen=True)
class Call:
    """An ask made ready: what is sent, what stands there as an example only, what the model's own defaults do."""

    ask: Ask
    arguments: tuple[Argument, ...]
    examples: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Names by id of the stored files that must lie beside the program."""

    @property
    def method(self) -> str:
        return str(self.ask.signature.name)

    @property
    def kind(self) -> MethodKind:
        return kind_of(self.ask.signature)

    @property
    def reference(self) -> str:
        """The model as the SDK and the terminal name it."""
        address = self.ask.address
        version = f"/versions/{address.version_id}" if address.version_id else ""
        return f"{address.user_id}/{address.app_id}/models/{address.model_id}{version}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The environment variables that hold its secrets."""
        return tuple(dict.fromkeys(variable_of(inner) for one in self.arguments for inner in _secrets_in(one.field)))


@dataclass(frozen=True)
class Snippet:
    """Code in one language, with what makes it ready once: installing, and variables. ``refusal`` instead of code."""

    code: str = ""
    install: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    note: str = ""
    refusal: str = ""
    slug: str = ""
    title: str = ""
    language: str = ""

    def named(self, slug: str, title: str, language: str) -> Snippet:
        return replace(self, slug=slug, title=title, language=language)

    @property
    def setup(self) -> str:
        """What is done once, in a terminal."""
        return "\n".join([self.install, *(f"export {name}={value}" for name, value in self.variables)]).strip()


def prepare(ask: Ask) -> Call:
    """The call ready to be written. What does not fit its field is told in ``wrong``; an example takes its place."""
    known = {one.name: one for one in ask.signature.input_fields}
    arguments: list[Argument] = []
    examples, defaults = [], []
    files = _Files(ask.name_of)
    wrong = [name[:60].encode(errors="replace").decode() for name in ask.arguments if name not in known]
    for name, one in known.items():
        given = ask.arguments.get(name, MISSING)
        if is_secret(one):
            given = MISSING if given is MISSING and not one.required else ""
        if given is not MISSING and not _fits(one, given):
            wrong.append(name)
            given = MISSING
        if given is MISSING or _is_default(one, given):
            if not (one.required or one.iterator):
                defaults.append(name)
                continue
            examples.append(name)
            given = [example_of(one)] if one.iterator else example_of(one)
        arguments.append(Argument(one, given))
        files.collect(one, given)
    return Call(ask, tuple(arguments), tuple(examples), tuple(wrong), tuple(defaults), files.names)


def variable_of(secret: Field) -> str:
    """The environment variable that a secret comes from."""
    return re.sub(r"\W+", "_", str(secret.name)).upper()


def _secrets_in(one: Field) -> Iterator[Field]:
    if is_secret(one):
        yield one
    for inner in one.type_args:
        yield from _secrets_in(inner)


def is_name(text: str) -> bool:
    """Whether it can stand as a keyword argument."""
    return text.isidentifier() and not keyword.iskeyword(text)


# What all stored content is taken for, where only the form of a value is looked at.
_SOME_ARRAY = (
    b"\x93NUMPY\x01\x00F\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(69)
    + b"\n"
    + bytes(8)
)


def _fits(one: Field, given: Any) -> bool:
    """Whether the plain value has the form of its field; what stored content holds is not looked at."""
    try:
        items = given if one.iterator else [given]
        if one.iterator and not (isinstance(given, list) and given):
            return False
        for item in items:
            plain_values.from_plain(item, one, lambda _: _SOME_ARRAY)
    except (InputError, TypeError, ValueError, AttributeError, KeyError, RecursionError):
        return False
    return True


def _is_default(one: Field, given: Any) -> bool:
    if one.required or one.iterator or is_secret(one):
        return False
    default = default_of(one)
    if default is MISSING or default is None:
        return default is None and given is None
    if one.type == Types.NDARRAY:
        return bool(default.tolist() == given)
    try:
        return bool(plain_values.to_plain(default, one, _keep_none) == given)
    except LookupError:
        return False


def _keep_none(content: bytes, content_type: str) -> str:
    raise LookupError


def example_of(one: Field) -> Any:
    """A plain value that the field would take, for where nothing was given yet."""
    if is_secret(one):
        return ""
    kind = one.type
    if choices := choices_of(one):
        return [choices[0]] if kind == Types.LIST else choices[0]
    if kind in (Types.INT, Types.FLOAT):
        low, high = range_of(one)
        number = low if low is not None else min(1, high) if high is not None else 1
        return int(number) if kind == Types.INT else float(number)
    if kind in (Types.LIST, Types.TUPLE):
        items = [example_of(inner) for inner in one.type_args]
        return items if kind == Types.LIST else {"tuple": items}
    if kind == Types.NAMED_FIELDS:
        return {"fields": {inner.name: example_of(inner) for inner in one.type_args}}
    if kind in EXAMPLE_FILE:
        return {"media": "", "name": EXAMPLE_FILE[kind]}
    return _EXAMPLES.get(kind)


_EXAMPLES: dict[int, Any] = {
    Types.STR: "Hello",
    Types.TEXT: {"text": "Hello"},
    Types.BOOL: True,
    Types.BYTES: {"media": "", "name": "file.bin"},
    Types.JSON_DATA: {"hello": "world"},
    Types.NDARRAY: [[0.0, 1.0], [2.0, 3.0]],
    Types.CONCEPT: {"concept": {"name": "cat", "value": 1.0}},
    Types.REGION: {"region": {"box": [0.1, 0.1, 0.9, 0.9]}},
    Types.FRAME: {"frame": {"image": {"media": "", "name": "picture.jpg"}, "time": 0.5, "index": 1}},
}


def file_name(text: str) -> str:
    """A name that is safe in any folder and in any shell."""
    last = PurePath(text.replace("\\", "/")).name
    clean = re.sub(r"[^\w.-]+", "-", last, flags=re.ASCII).strip("-.")
    return clean[-80:].lstrip("-.") or "file"


class _Files:
    """The stored files that a call needs, each with a name of its own."""

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self.names: dict[str, str] = {}

    def collect(self, one: Field, given: Any) -> None:
        for name in _media_in(one, given):
            if name and name not in self.names:
                self.names[name] = self._fresh(file_name(self._name_of(name)))

    def _fresh(self, name: str) -> str:
        taken, number, wanted = set(self.names.values()), 1, name
        while wanted in taken:
            number += 1
            path = PurePath(name)
            wanted = f"{path.stem}-{number}{path.suffix}"
        return wanted


_WITH_MEDIA = frozenset({Types.IMAGE, Types.AUDIO, Types.VIDEO, Types.BYTES, Types.NDARRAY, Types.REGION, Types.FRAME})


def _media_in(one: Field, given: Any) -> Iterator[str]:
    """The ids of stored content in a plain value; an object of JSON that merely looks like one is none."""
    if one.iterator and isinstance(given, list):
        for item in given:
            yield from _media_below(one, item)
    else:
        yield from _media_below(one, given)


def _media_below(one: Field, given: Any) -> Iterator[str]:
    if one.type in _WITH_MEDIA:
        yield from _named_in(given)
    elif one.type in (Types.LIST, Types.TUPLE, Types.NAMED_FIELDS):
        for inner, item in parts_of(one, given):
            yield from _media_below(inner, item)


def _named_in(given: Any) -> Iterator[str]:
    if isinstance(given, dict):
        if isinstance(given.get("media"), str):
            yield given["media"]
        for item in given.values():
            yield from _named_in(item)
    elif isinstance(given, list):
        for item in given:
            yield from _named_in(item)


def parts_of(one: Field, given: Any) -> list[tuple[Field, Any]]:
    """The parts of a list, tuple or record, each with its field."""
    if given is None:
        return []
    if one.type == Types.NAMED_FIELDS:
        facts = fields_in(one, given)
        return [(inner, facts[inner.name]) for inner in one.type_args]
    if one.type == Types.LIST:
        return [(one.type_args[0], item) for item in given]
    items = given if isinstance(given, list) else given["tuple"]
    return list(zip(one.type_args, items, strict=True))


def fields_in(one: Field, given: Any) -> dict[str, Any]:
    """The values of a record by name, in either of its plain forms."""
    names = {inner.name for inner in one.type_args}
    return dict(given.get("fields", given) if given.keys() != names else given)
