"""A workflow as YAML and as JSON, both ways: Clarifai's form, with our own keys beside it. Every problem has its line.

    workflow:
      id: people-pose
      nodes:
        - id: detect
          model: {user_id: owner, app_id: main, model_id: nanodet}
        - id: pose
          model: {model_id: movenet}
          keep_above: {person: 0.5}
          crop: {margin: 1.2}
          node_inputs: [{node_id: detect}]

Our keys of a node: ``method``, ``arguments``, ``deployment``, ``keep_above``, ``crop``, ``prompt``, and Clarifai's
``suppress_output``. Its own small models ``image-crop``, ``concept-thresholder`` and ``prompter`` are read as those.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from playground.sdk.graphs.lines import Lines, Path
from playground.sdk.graphs.shapes import (
    MAX_NODES,
    WORKFLOW_INPUT,
    Crop,
    Graph,
    GraphError,
    Keep,
    Node,
    NodeModel,
    Problem,
)

_KEYS = ("id", "description", "nodes")
_UNUSED_KEYS = ("user_id", "app_id", "version", "visibility", "metadata", "notes", "created_at", "modified_at")
_NODE_KEYS = (
    *("id", "model", "node_inputs", "suppress_output"),
    *("method", "arguments", "deployment", "keep_above", "crop", "prompt"),
)
_MODEL_KEYS = ("model_id", "model_version_id", "user_id", "app_id", "model_type_id", "description", "output_info")
_MOST_ID = 64
Kind = TypeVar("Kind")


def read_yaml(text: str) -> Graph:
    """The workflow that ``text`` is. Raises GraphError with every problem and its line."""
    lines = Lines()
    return _Reader(lines).graph(lines.load(text))


def read_plain(plain: Any) -> Graph:
    """The same from JSON: the workflow alone, or under the key ``workflow``. Raises GraphError."""
    return _Reader(Lines()).graph(plain)


def with_lines(error: GraphError, text: str) -> GraphError:
    """The same problems, each with the line of ``text`` on which its node, or the part of it, stands."""
    lines = Lines()
    plain = lines.load(text)
    base: Path = ("workflow",) if isinstance(plain, dict) and isinstance(plain.get("workflow"), dict) else ()
    nodes = (plain["workflow"] if base else plain)["nodes"]
    numbers = {str(node.get("id")): number for number, node in enumerate(nodes)}
    found = []
    for problem in error.problems:
        inside = ("nodes", numbers[problem.node]) if problem.node in numbers else ()
        line = problem.line or lines.at((*base, *inside, *((problem.key,) if problem.key else ())))
        found.append(replace(problem, line=line))
    return GraphError(found)


class _Reader:
    """Checks what was read, noting every problem before it gives up."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._problems: list[Problem] = []
        self._base: Path = ()

    def graph(self, plain: Any) -> Graph:
        if isinstance(plain, dict) and "workflow" in plain:
            self._check_keys(plain, ("workflow",), "Beside a workflow there is no")
            self._base, plain = ("workflow",), plain["workflow"]
        if not isinstance(plain, dict) or not plain.keys() & {"id", "nodes"}:
            line = self._lines.at(self._base)
            raise GraphError([Problem("A workflow is needed: `workflow:` with an `id` and `nodes`.", line=line or 1)])
        self._check_characters(plain, ())
        self._check_keys(plain, (*_KEYS, *_UNUSED_KEYS), "A workflow has no")
        given_id = self._get(plain, "id", str, "", self._base)
        description = self._get(plain, "description", str, "", self._base)
        nodes = self._nodes(plain.get("nodes"))
        self._check_inputs(nodes)
        if not self._problems:
            self._check_cycles(nodes)
        if self._problems:
            raise GraphError(self._problems)
        return Graph(given_id, tuple(nodes), description)

    def _check_keys(self, plain: Mapping[str, Any], known: tuple[str, ...], words: str) -> None:
        for key in plain.keys() - set(known):
            self._note(f"{words} key {key!r}. It has {', '.join(_KEYS)}.", (key,))

    def _check_characters(self, plain: Any, path: Path) -> None:
        """No text may hold what no database keeps: zero bytes, and halves of characters."""
        if isinstance(plain, str) and any(one == "\0" or "\ud800" <= one <= "\udfff" for one in plain):
            self._note("There is a character here that no text can have: U+0000, or half of one.", path)
        for key, value in plain.items() if isinstance(plain, dict) else ():
            self._check_characters(key, path)
            self._check_characters(value, (*path, key))
        for number, value in enumerate(plain) if isinstance(plain, list) else ():
            self._check_characters(value, (*path, number))

    def _note(self, message: str, path: Path, node: str = "") -> None:
        self._problems.append(Problem(message, node, self._lines.at((*self._base, *path))))

    def _get(self, plain: Mapping[str, Any], key: str, kind: type[Kind], default: Kind, path: Path) -> Kind:
        value = plain.get(key)
        if value is None:
            return default
        if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)  # type: ignore[return-value]  # an id of digits alone
        if not isinstance(value, kind):
            self._problems.append(Problem(f"{key} must be {_WORDS[kind]}.", line=self._lines.at((*path, key))))
            return default
        return value

    def _nodes(self, plain: Any) -> list[Node]:
        if not isinstance(plain, list) or not plain:
            self._note("nodes: a list with at least one node is needed.", ("nodes",))
            return []
        if len(plain) > MAX_NODES:
            self._note(f"A workflow has at most {MAX_NODES} nodes; this one has {len(plain)}.", ("nodes",))
            return []
        nodes = [self._node(node, ("nodes", number)) for number, node in enumerate(plain)]
        seen: set[str] = set()
        for number, node in enumerate(nodes):
            if node.id in seen:
                self._note(f"Two nodes have the id {node.id}.", ("nodes", number, "id"), node.id)
            seen.add(node.id)
        return nodes

    def _node(self, plain: Any, path: Path) -> Node:
        if not isinstance(plain, dict):
            self._note("A node needs an `id`, and a `model` or what it does: `crop`, `keep_above`, `prompt`.", path)
            return Node("")
        node_id = self._text(plain, "id", path)
        if not _is_node_id(node_id):
            words = (
                f"A node needs an id of 1 to {_MOST_ID} characters, without braces, line breaks, or spaces around it."
            )
            self._note(words, (*path, "id"))
        if node_id == WORKFLOW_INPUT:
            self._note(f"{WORKFLOW_INPUT!r} means what the workflow is given: name the node otherwise.", (*path, "id"))
        for key in plain.keys() - set(_NODE_KEYS):
            self._note(f"A node has no key {key!r}. It has {', '.join(_NODE_KEYS)}.", (*path, key), node_id)
        plain = self._with_own_words(plain)
        node = Node(
            node_id,
            model=self._model(plain, path, node_id),
            method=self._text(plain, "method", path),
            arguments=self._arguments(plain, path, node_id),
            inputs=self._inputs(plain.get("node_inputs"), (*path, "node_inputs"), node_id),
            suppress_output=self._flag(plain, "suppress_output", path),
            deployment=self._text(plain, "deployment", path),
            keep=self._keep(plain.get("keep_above"), (*path, "keep_above"), node_id),
            crop=self._crop(plain.get("crop"), (*path, "crop"), node_id),
            prompt=self._text(plain, "prompt", path),
        )
        if node.model is None and not node.acts and not self._problems:
            self._note(f"{node_id} does nothing: give it a model, crop, keep_above or prompt.", path, node_id)
        if node.model is None and (node.method or node.arguments or node.deployment):
            self._note(f"{node_id} has no model that could take a method, arguments or a deployment.", path, node_id)
        return node

    def _with_own_words(self, plain: dict[str, Any]) -> dict[str, Any]:
        """A node with one of Clarifai's small models, as what that does."""
        model = plain.get("model")
        act = SMALL_MODELS.get(str(model.get("model_type_id", ""))) if isinstance(model, dict) else None
        if act is None or not isinstance(model, dict):
            return plain
        info = model.get("output_info")
        params = info.get("params") if isinstance(info, dict) else None
        params = params if isinstance(params, dict) else {}
        key, value = act(params)
        told = {name: params[name] for name in ("keep_above", "crop") if name in params} | {key: value}
        return {name: item for name, item in (told | plain).items() if name != "model"}

    def _text(self, plain: Mapping[str, Any], key: str, path: Path) -> str:
        return self._get(plain, key, str, "", (*self._base, *path))

    def _flag(self, plain: Mapping[str, Any], key: str, path: Path) -> bool:
        return self._get(plain, key, bool, False, (*self._base, *path))

    def _model(self, plain: Mapping[str, Any], path: Path, node_id: str) -> NodeModel | None:
        model, path = plain.get("model"), (*path, "model")
        if model is None:
            return None
        if not isinstance(model, dict):
            self._note("model: `model_id` is needed, with `user_id` and `app_id` where it is another's.", path, node_id)
            return None
        for key in model.keys() - set(_MODEL_KEYS):
            self._note(f"A model has no key {key!r} here. It has {', '.join(_MODEL_KEYS)}.", (*path, key), node_id)
        read = NodeModel(
            self._text(model, "model_id", path),
            self._text(model, "user_id", path),
            self._text(model, "app_id", path),
            self._text(model, "model_version_id", path),
        )
        if not read.model_id:
            self._note("model: `model_id` is needed.", path, node_id)
        return read

    def _arguments(self, plain: Mapping[str, Any], path: Path, node_id: str) -> dict[str, Any]:
        """What is set for the model: our ``arguments``, over Clarifai's ``output_info.params``."""
        model = plain.get("model")
        info = model.get("output_info") if isinstance(model, dict) else None
        params = info.get("params") if isinstance(info, dict) else None
        given = plain.get("arguments")
        if given is not None and not isinstance(given, dict):
            self._note("arguments: values by name are needed.", (*path, "arguments"), node_id)
            given = None
        return {**(params if isinstance(params, dict) else {}), **(given or {})}

    def _inputs(self, plain: Any, path: Path, node_id: str) -> tuple[str, ...]:
        if plain is None:
            return ()
        names = (
            [item.get("node_id") if isinstance(item, dict) else item for item in plain]
            if isinstance(plain, list)
            else []
        )
        names = [str(name) if _is_number(name) else name for name in names]
        if not isinstance(plain, list) or not all(isinstance(name, str) and name for name in names):
            self._note("node_inputs: a list of `node_id: …` is needed.", path, node_id)
            return ()
        return tuple(dict.fromkeys(str(name) for name in names))

    def _keep(self, plain: Any, path: Path, node_id: str) -> Keep | None:
        if plain is None:
            return None
        if _is_share(plain):
            return Keep(above=float(plain))
        if isinstance(plain, dict) and plain and all(_is_share(value) for value in plain.values()):
            return Keep(concepts={name.casefold(): float(value) for name, value in plain.items()})
        self._note("keep_above: a number from 0 to 1, or one for each concept, is needed.", path, node_id)
        return None

    def _crop(self, plain: Any, path: Path, node_id: str) -> Crop | None:
        if plain is None or plain is False:
            return None
        facts = {} if plain is True else plain
        if not isinstance(facts, dict) or facts.keys() - {"margin", "at_most"}:
            self._note("crop: `true`, or `margin` and `at_most`, is needed.", path, node_id)
            return None
        margin, most = facts.get("margin", _CROP.margin), facts.get("at_most", _CROP.at_most)
        if not _is_number(margin) or not 0.1 <= margin <= 10:
            self._note("margin: how many times as large as its box a picture is, from 0.1 to 10.", (*path, "margin"))
            return None
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= 100:
            self._note("at_most: a whole number from 1 to 100 is needed.", (*path, "at_most"), node_id)
            return None
        return Crop(float(margin), most)

    def _check_inputs(self, nodes: list[Node]) -> None:
        known = {node.id for node in nodes}
        for number, node in enumerate(nodes):
            for place, name in enumerate(node.inputs):
                if name not in known:
                    has = ", ".join(sorted(known - {node.id}))
                    message = f"{node.id} takes from {name}, which is no node. There are: {has or 'no others'}."
                    if name == WORKFLOW_INPUT:
                        message = f"Without node_inputs, {node.id} takes what the workflow is given: leave {name} out."
                    self._note(message, ("nodes", number, "node_inputs", place), node.id)

    def _check_cycles(self, nodes: list[Node]) -> None:
        for circle in find_circles({node.id: node.inputs for node in nodes}):
            number = next(number for number, node in enumerate(nodes) if node.id == circle[0])
            way = " → ".join([*circle, circle[0]])
            self._note(
                f"The nodes take from each other in a circle: {way}.", ("nodes", number, "node_inputs"), circle[0]
            )


_CROP = Crop()
_WORDS: dict[type, str] = {str: "text", bool: "true or false"}


def _is_node_id(text: str) -> bool:
    return 0 < len(text) <= _MOST_ID and text == text.strip() and not any(map(_is_no_letter, text))


def _is_no_letter(character: str) -> bool:
    """A brace, a line break and the like, or what turns the direction of the words around it."""
    turns = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return turns or character in "{}" or unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _crop_words(params: dict[str, Any]) -> tuple[str, Any]:
    return "crop", {name: params[name] for name in ("margin", "at_most") if name in params} or True


def _keep_words(params: dict[str, Any]) -> tuple[str, Any]:
    concepts = params.get("concepts")
    if isinstance(concepts, list):
        named = [concept for concept in concepts if isinstance(concept, dict)]
        return "keep_above", {str(item.get("name") or item.get("id")): item.get("value", 0) for item in named}
    return "keep_above", params.get("concept_threshold", params.get("threshold", 0.5))


def _prompt_words(params: dict[str, Any]) -> tuple[str, Any]:
    return "prompt", params.get("prompt_template", "{data.text.raw}")


SMALL_MODELS: dict[str, Callable[[dict[str, Any]], tuple[str, Any]]] = {
    "image-crop": _crop_words,
    "concept-thresholder": _keep_words,
    "concept-threshold": _keep_words,
    "region-thresholder": _keep_words,
    "prompter": _prompt_words,
}


def find_circles(inputs: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """The circles among nodes, each once, from its first node on in the order of taking."""
    found: list[list[str]] = []
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> None:
        if name in way:
            found.append(way[way.index(name) :])
        elif name not in done:
            for other in inputs.get(name, ()):
                follow(other, [*way, name])
            done.add(name)

    for name in inputs:
        follow(name, [])
    return found
