"""YAML with the line of every value, and without what could make it grow: anchors, tags, endless nesting."""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml

from playground.sdk.graphs.shapes import GraphError, Problem

MAX_TEXT = 256 * 1024
MAX_DEPTH = 40
MAX_PARTS = 10_000
Path: TypeAlias = tuple[str | int, ...]


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
        try:
            _check_events(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except GraphError:
            raise
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise GraphError(
                [Problem(f"This is no YAML: {error.problem}.", line=mark.line + 1 if mark else 0)]
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
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in read:
                raise GraphError([Problem(f"{key} stands here twice.", line=line)])
            read[key] = self._read(value_node, (*path, key))
            self._by_path[(*path, key)] = line
        return read


def _check_events(text: str) -> None:
    """As they come, and no further than to the first that may not be: what is nested takes its square to read on."""
    depth = 0
    for number, event in enumerate(yaml.parse(text)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise GraphError([Problem(f"*{event.anchor} stands for something else: write it out.", line=line)])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise GraphError([Problem("This is nested too deep.", line=line)])
        if number > MAX_PARTS:
            raise GraphError([Problem(f"A workflow may have {MAX_PARTS:,} keys and values; here are more.", line=line)])


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
