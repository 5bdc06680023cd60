"""Reading a YAML file with several documents, so that whatever is wrong is told by file, document and key."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from playground.protocol.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 2**20
MAX_DOCUMENTS = 1000
MAX_VALUES = 100_000


class _Loader(yaml.SafeLoader):
    """Plain data only; a key that is there twice is refused, where YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key == "<<":
                raise yaml.constructor.ConstructorError(None, None, "<< is not read here", key_node.start_mark)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is no text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key} is there twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


@dataclass
class Section:
    """A mapping of the file, with the way to it. What was not taken by the end is refused, or noted as unused."""

    file: str
    document: int
    path: str
    data: dict[str, Any]
    notes: list[str]

    def wrong(self, key: str, why: str) -> ConfigError:
        place = ".".join(part for part in (self.path, key) if part)
        return ConfigError(f"{self.file}, document {self.document}, {place}: {why}")

    def has(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str, default: str = "") -> str:
        value = self.data.pop(key, default)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(key, f"this is no text: {value!r}. Put it in quotes.")
        return value

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise self.wrong(key, "this is missing.")
        return value

    def value(self, key: str) -> Any:
        return self.data.pop(key)

    def items(self, key: str) -> list[Any]:
        value = self.data.pop(key)
        if not isinstance(value, list):
            raise self.wrong(key, "this is no list.")
        return value

    def section(self, key: str) -> Section:
        """The mapping below ``key``; an empty one where nothing is."""
        return self._below(key, self.data.pop(key, None) or {})

    def sections(self, key: str) -> list[Section]:
        return [self._below(f"{key}[{number}]", item) for number, item in enumerate(self.items(key))]

    def end(self, unused: Iterable[str] = ()) -> None:
        """``unused`` are keys that the official command line knows, and that mean nothing here."""
        for key in self.data:
            if key not in set(unused):
                raise self.wrong(key, "there is no such key here.")
            self.notes.append(f"{self.file}, document {self.document}, {self.path}.{key}: not used here")

    def _below(self, key: str, data: Any) -> Section:
        if not isinstance(data, dict):
            raise self.wrong(key, "this is no mapping.")  # what it is may be a secret
        return Section(self.file, self.document, f"{self.path}.{key}".lstrip("."), dict(data), self.notes)


def read_documents(text: str, file: str) -> list[Section]:
    """Each document of the file. Raises ConfigError."""
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{file} is larger than {MAX_BYTES // 2**20} MiB.")
    notes: list[str] = []
    sections: list[Section] = []
    try:
        for number, data in enumerate(yaml.load_all(text, Loader=_Loader), start=1):
            if number > MAX_DOCUMENTS:
                raise ConfigError(f"{file} has more than {MAX_DOCUMENTS} documents.")
            if data is None:
                continue  # nothing between two lines of dashes
            if not isinstance(data, dict):
                raise ConfigError(f"{file}, document {number}: this is no mapping.")
            if _weight(data, {}) > MAX_VALUES:
                raise ConfigError(f"{file}, document {number}: it has more than {MAX_VALUES} values.")
            sections.append(Section(file, number, "", dict(data), notes))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file}, document {len(sections) + 1}: {_in_one_line(error)}") from None
    return sections


def _weight(data: Any, known: dict[int, int]) -> int:
    """How many values it would be, written out: aliases can make very many of a few lines. Raises ValueError."""
    if not isinstance(data, dict | list):
        return 1
    if id(data) not in known:
        known[id(data)] = 0
        inner = data.values() if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_weight(one, known) for one in inner)
    elif not known[id(data)]:
        raise ValueError("it refers to itself")
    return known[id(data)]


def _in_one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} (line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
    return " ".join(str(error).split()) or type(error).__name__
