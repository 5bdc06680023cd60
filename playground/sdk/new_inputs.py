"""What is to be uploaded: inputs by bytes, text, address or file, told as messages and put into batches. No network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypedDict

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import structs
from playground.protocol.errors import InputError
from playground.protocol.plain import content_type_of
from playground.protocol.values import Concept, Region
from playground.sdk.oldform import MEDIA, read_file
from playground.sdk.resources import texts

Kind = Literal["image", "video", "audio", "text"]
MOST_IN_A_BATCH = 128
BATCH_BYTES = 24 * 2**20
NAME_KEY = "filename"
"""Where a name stands in an input's metadata: the wire has no other place for it."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class InputFacts(TypedDict, total=False):
    """What can be said of a new input. Without an ``id`` it is given one; concepts may be names alone."""

    id: str
    name: str
    metadata: Mapping[str, Any]
    concepts: Iterable[str | Concept]
    regions: Iterable[Region]
    datasets: Iterable[str]
    allow_duplicate_url: bool


@dataclass(frozen=True, slots=True)
class NewInput:
    """One of many to upload: just one of content, text, path and url, and what is said of it.

    ``kind`` is found out from the bytes where it is not said; an ``url`` is of a picture unless it is.
    """

    content: bytes | None = None
    text: str | None = None
    path: str | Path | None = None
    url: str | None = None
    kind: Kind | None = None
    facts: InputFacts = field(default_factory=lambda: InputFacts())

    @property
    def size(self) -> int:
        """About how many bytes it takes to send."""
        if self.path is not None:
            try:
                return os.stat(self.path).st_size
            except OSError:
                return 0  # reading it will say why
        return len(self.content or self.text or "")

    def to_proto(self) -> resources_pb2.Input:
        """The message, its file read. Raises InputError."""
        given = [name for name in ("content", "text", "path", "url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError(f"An input is given by content, text, path or url: one of them, not {len(given)}.")
        if self.kind is not None and self.kind not in MEDIA:
            raise InputError(f"kind is one of {', '.join(MEDIA)}; not {self.kind!r}.", argument="kind")
        message = resources_pb2.Input(data=self._source())
        _say(message, self.facts if self.path is None else {"name": Path(self.path).name, **self.facts})
        return message

    def _source(self) -> resources_pb2.Data:
        if self.url is not None:
            told = {"url": _text(self.url, "url"), "allow_duplicate_url": self.facts.get("allow_duplicate_url", False)}
            return resources_pb2.Data(**{self.kind or "image": told})
        if self.text is not None:
            return resources_pb2.Data(text=resources_pb2.Text(raw=_text(self.text, "text")))
        content = read_file(self.path) if self.path is not None else self.content
        if not isinstance(content, bytes):
            raise InputError(f"content is {type(content).__name__}, not bytes.", argument="content")
        kind = self.kind or kind_of(content)
        if kind == "text":
            return resources_pb2.Data(text=resources_pb2.Text(raw=_decoded(content)))
        return resources_pb2.Data(**{kind: {"base64": content}})


def kind_of(content: bytes) -> Kind:
    """What some bytes are, by how they begin. Raises InputError for what is no kind of input."""
    if not content:
        raise InputError("There are no bytes in it.", argument="content")
    medium = content_type_of(content).partition("/")[0]
    for kind in ("image", "video", "audio"):
        if medium == kind:
            return kind
    _decoded(content)
    return "text"


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError("The bytes are no picture, film, sound or text in UTF-8.", argument="content")
    return text


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{name} is {type(value).__name__ if value else 'empty'}: give a text.", argument=name)
    return value


def _say(message: resources_pb2.Input, facts: InputFacts) -> None:
    unknown = set(facts) - set(InputFacts.__annotations__)
    if unknown:
        raise InputError(f"Nothing such can be said of an input: {', '.join(sorted(unknown))}.")
    message.id = facts.get("id", "")
    message.dataset_ids.extend(texts(facts.get("datasets", ()), "datasets"))
    message.data.concepts.extend(concept_messages(facts.get("concepts", ())))
    message.data.regions.extend(region.to_proto() for region in facts.get("regions", ()))
    write_metadata(message.data, facts.get("metadata", _NOTHING), facts.get("name", ""))


def concept_messages(concepts: Iterable[str | Concept]) -> list[resources_pb2.Concept]:
    if isinstance(concepts, str):
        raise InputError(f"concepts is a list; this is one text: {concepts!r}.", argument="concepts")
    return [
        resources_pb2.Concept(id=one, name=one, value=1.0) if isinstance(one, str) else one.to_proto()
        for one in concepts
    ]


def write_metadata(data: resources_pb2.Data, metadata: Mapping[str, Any], name: str = "") -> None:
    told = {**metadata, NAME_KEY: name} if name else dict(metadata)
    if not told:
        return
    try:
        structs.write_struct(data.metadata, told)
    except structs.NotJSONError as error:
        raise InputError(f"metadata {error}.", argument="metadata") from None


def batches(inputs: Iterable[NewInput]) -> Iterator[list[NewInput]]:
    """As many in each as one call takes, by number and by size; one that is larger than that goes alone."""
    batch: list[NewInput] = []
    size = 0
    for one in inputs:
        if batch and (len(batch) == MOST_IN_A_BATCH or size + one.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def files_of(folder: str | Path, kind: Kind | None, facts: InputFacts) -> Iterator[NewInput]:
    """The files in a folder and its folders by name, hidden ones left out. Raises InputError for what is no folder."""
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{folder} is no folder.", argument="folder")
    if "id" in facts:
        raise InputError("Many inputs cannot have one id: leave it out.", argument="id")
    kept: Any = {name: list(value) if isinstance(value, Iterator) else value for name, value in facts.items()}
    return (
        NewInput(path=path, kind=kind, facts=_named(kept, path.relative_to(root).as_posix())) for path in _walk(root)
    )


def _named(facts: InputFacts, name: str) -> InputFacts:
    named = facts.copy()
    named["name"] = name
    return named


def _walk(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        elif path.is_file():
            yield path
