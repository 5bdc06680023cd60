"""YAML with the line of every value, and without what could make it grow: anchors, tags, endless nesting."""

from __future__ import annotations

import unicodedata
from typing import Any, TypeAlias

import yaml

from playground.sdk.graphs.shapes import GraphError, Problem

MAX_TEXT = 256 * 1024
MAX_DEPTH = 40
MAX_PARTS = 10_000
Path: TypeAlias = tuple[str | int, ...]
_IDS = frozenset({"id", "node_id", "model_id", "model_version_id", "user_id", "app_id", "deployment", "method"})
_VALUES = frozenset({"arguments", "params", "keep_above"})
"""Below these, a key of that name is no id."""
_TAGS = {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null"))}


class Lines:
    """Reads YAML and remembers on which line each value stands."""

    def __init__(self) -> None:
        self._by_path: dict[Path, int] = {}

    def at(self, path: Path) -> int:
        """The line of what is at ``path``, or of what it would be in; 0 where there is no text."""
        while path and path not in self._by_path:
            path = path[:-1]
        return self._by_path.get(path, 0)

    def load(self, text: str) -> Any:
        if len(text) > MAX_TEXT:
            raise GraphError([Problem(f"The text is longer than the {MAX_TEXT // 1024} kB that a workflow may have.")])
        text = unicodedata.normalize("NFC", text)  # an accent is the same whichever way it was typed
        try:
            _check_events(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except GraphError:
            raise
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise GraphError([Problem(_words_of(error), line=mark.line + 1 if mark else 0)]) from None
        except yaml.reader.ReaderError as error:
            line = 1 + text.count("\n", 0, error.position)
            raise GraphError(
                [Problem(f"The character U+{ord(text[error.position]):04X} may not be here.", line=line)]
            ) from None
        except (yaml.YAMLError, RecursionError, ValueError):
            raise GraphError([Problem("This is no YAML.", line=1)]) from None
        return self._read(root, ()) if root is not None else None

    def _read(self, node: yaml.Node, path: Path) -> Any:
        if len(path) > MAX_DEPTH:
            raise GraphError([Problem("This is nested too deep.", line=node.start_mark.line + 1)])
        self._by_path[path] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            return [self._read(item, (*path, number)) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise GraphError([Problem("A key is a word; here stands a list or more keys.", line=line)])
            key = str(key_node.value)
            if key in read:
                raise GraphError([Problem(f"{key} stands here twice.", line=line)])
            value = self._read(value_node, (*path, key))
            is_id = key in _IDS and isinstance(value, int | float) and not _VALUES.intersection(path)
            read[key] = value_node.value if is_id else value  # an id is as it was written: 007, no, 1:30
            self._by_path[(*path, key)] = line
        return read


def _check_events(text: str) -> None:
    """As they come, and no further than to the first that may not be: what is nested takes its square to read on."""
    depth = 0
    for number, event in enumerate(yaml.parse(text)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise GraphError([Problem(f"*{event.anchor} stands for something else: write it out.", line=line)])
        if (tag := getattr(event, "tag", None)) not in _TAGS:
            raise GraphError([Problem(f"The tag {tag} means nothing here: leave it out.", line=line)])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise GraphError([Problem("This is nested too deep.", line=line)])
        if number > MAX_PARTS:
            raise GraphError([Problem(f"A workflow may have {MAX_PARTS:,} keys and values; here are more.", line=line)])


def _words_of(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, in words for who does not know YAML well."""
    if "found another document" in str(error.problem):
        return "A workflow is one document; here a second one begins."
    if "'\\t'" in str(error.problem):
        return "This is no YAML: there is a tab. Indent by spaces."
    return f"This is no YAML: {error.problem}."


def _scalar(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        return node.value
    finally:
        loader.dispose()
    is_plain = value is None or isinstance(value, str | int | float | bool)
    return value if is_plain else node.value  # a date is the text it was written as
