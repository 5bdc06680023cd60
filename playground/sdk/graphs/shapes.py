"""What a workflow is: what each node takes, does first and calls, and what can be wrong with it. Pure values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.protocol.errors import InputError

MAX_NODES = 20
MOST_CROPS = 20
WORKFLOW_INPUT = "input"
"""By this name a prompt's template speaks of what the workflow itself was given: no node may have it."""


@dataclass(frozen=True, slots=True)
class NodeModel:
    """Which model a node calls. No user or app: those of the workflow. No version: the newest, or the deployment's."""

    model_id: str
    user_id: str = ""
    app_id: str = ""
    version_id: str = ""

    def within(self, user_id: str, app_id: str) -> NodeModel:
        """The same, with the workflow's own user and app where it names none."""
        return NodeModel(self.model_id, self.user_id or user_id, self.app_id or app_id, self.version_id)

    def __str__(self) -> str:
        return "/".join(filter(None, (self.user_id, self.app_id, "models", self.model_id)))


@dataclass(frozen=True, slots=True)
class Keep:
    """Which concepts, or regions by their concepts, pass: all above ``above``, or those of ``concepts`` (by name or
    id, in small letters), each above its own."""

    above: float = 0.0
    concepts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Crop:
    """Regions become pictures: each box, ``margin`` times as large, at most ``at_most`` of them, the surest first."""

    margin: float = 1.0
    at_most: int = MOST_CROPS


@dataclass(frozen=True, slots=True)
class Node:
    """One step: it keeps, crops, or fills a prompt with what its inputs give, then calls its model, if it has one.

    ``inputs`` are other nodes; none means what the workflow is given. ``deployment`` is where it is called: an id, or
    ``user/id`` of another's; empty is the shared one.
    """

    id: str
    model: NodeModel | None = None
    method: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    suppress_output: bool = False
    deployment: str = ""
    keep: Keep | None = None
    crop: Crop | None = None
    prompt: str = ""

    @property
    def acts(self) -> tuple[str, ...]:
        """What it does before its model, in words for people, in order."""
        kept = ("keep",) if self.keep is not None else ()
        cropped = ("crop",) if self.crop is not None else ()
        return (*kept, *cropped, *(("prompt",) if self.prompt else ()))

    @property
    def selector(self) -> dict[str, str]:
        """Where it is called, by the names that ``Client.model`` takes."""
        owner, _, name = self.deployment.rpartition("/")
        if not name:
            return {}
        return {"deployment_id": name} | ({"deployment_user_id": owner} if owner else {})


@dataclass(frozen=True, slots=True)
class Graph:
    """A workflow: its nodes, in the order in which they were written."""

    id: str
    nodes: tuple[Node, ...]
    description: str = ""

    def node(self, node_id: str) -> Node:
        return next(node for node in self.nodes if node.id == node_id)

    @property
    def stages(self) -> list[list[Node]]:
        """The nodes by when they can begin: those of a stage wait for nothing but earlier stages."""
        depth: dict[str, int] = {}
        for node in self.in_order():
            depth[node.id] = 1 + max((depth[name] for name in node.inputs), default=-1)
        stages: list[list[Node]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
        for node in self.nodes:
            stages[depth[node.id]].append(node)
        return stages

    def in_order(self) -> list[Node]:
        """The nodes, each behind those that it takes from; of a graph that has no cycle."""
        ordered: dict[str, Node] = {}
        waiting = list(self.nodes)
        while waiting:
            ready = [node for node in waiting if all(name in ordered for name in node.inputs)]
            if not ready:
                raise GraphError([Problem("The nodes take from each other in a circle.")])
            ordered.update((node.id, node) for node in ready)
            waiting = [node for node in waiting if node.id not in ordered]
        return list(ordered.values())


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a workflow; ``line`` counts from 1, and is 0 where there is no text."""

    message: str
    node: str = ""
    line: int = 0
    key: str = ""  # which part of the node it is

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class GraphError(InputError):
    """A workflow that cannot be: with everything that was found wrong, in the order of the lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        first = str(self.problems[0])
        super().__init__(f"The workflow cannot be used: {first}" if len(self.problems) == 1 else self._several())

    def _several(self) -> str:
        return "\n".join([f"The workflow cannot be used: {len(self.problems)} problems.", *map(str, self.problems)])

    @property
    def name(self) -> str:
        """It travels as an InputError."""
        return InputError.__name__
