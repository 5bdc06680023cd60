"""From a workflow and the signatures of its models to steps that can be run: what goes into which argument.

Everything that can be known to be wrong before anything runs is found here: methods that are not there, arguments that
do not fit, types that cannot follow each other.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.errors import InputError, PlaygroundError
from playground.protocol.fields import Field, Types
from playground.protocol.plain import from_plain
from playground.protocol.signatures import RETURN, MethodKind, Signature, describe_type, kind_of, output_field
from playground.sdk.graphs.reading import SMALL_MODELS
from playground.sdk.graphs.shapes import WORKFLOW_INPUT, Graph, GraphError, Node, Problem

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
OFFICIAL_TEXT = "data.text.raw"
_MEDIA = {Types.IMAGE: "image", Types.STR: "text", Types.TEXT: "text", Types.AUDIO: "audio", Types.VIDEO: "video"}
TEXT = Field(name="text", type=Types.STR, required=True)
IMAGE = Field(name="image", type=Types.IMAGE, required=True)


def list_of(kind: int) -> Field:
    """The field of a list of these."""
    item = Field(name="return_item", type=kind)
    return Field(name=RETURN, type=Types.LIST, type_args=[item])


@dataclass(frozen=True, slots=True)
class Flow:
    """What comes from a source: the type of one value (None: not known yet), whether several come apart from each
    other, and whether it is known which picture they are about."""

    field: Field | None
    is_split: bool = False
    is_pictured: bool = False

    def words(self) -> str:
        return describe_type(self.field) if self.field is not None else "something unknown"


@dataclass(frozen=True, slots=True)
class Bind:
    """One argument of a call: ``how`` is "same", "wrap" (as a list of one) or "each" (its items, one by one). Where its
    values are ``apart``, there is a call for each."""

    argument: str
    source: int
    how: str = "same"
    is_apart: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A node as it is run.

    Its values are what its inputs give, after its own acts, and behind them ``extras``: arguments of the workflow that
    its model takes too. ``binds`` says which of them becomes which argument; ``fixed`` stand in the node.
    """

    node: Node
    signature: Signature | None
    flow: Flow
    binds: tuple[Bind, ...] = ()
    extras: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    kept: int = 0
    """Which of its inputs the concepts are kept of that pass."""
    cropped: int = -1
    """Which of its inputs holds the regions that are cropped."""
    picture: str = ""
    """The workflow's argument that they are cropped from, where the regions do not say of which picture they are."""
    text: str = ""
    """The workflow's argument that its prompt speaks of as ``{input}``."""

    @property
    def streams(self) -> bool:
        return self.signature is not None and kind_of(self.signature) is MethodKind.GENERATE


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which they can be run, and the workflow's own signature: what it takes and gives."""

    graph: Graph
    steps: tuple[Step, ...]
    signature: Signature
    unknown: tuple[str, ...] = ()
    """Nodes of whose models no signatures are known yet: they cannot be run before these have been loaded once."""

    def step(self, node_id: str) -> Step:
        return next(step for step in self.steps if step.node.id == node_id)


def make_plan(graph: Graph, known: Mapping[str, Sequence[Signature] | None]) -> Plan:
    """The plan of a workflow. ``known`` holds each node's model's signatures: None where there is no such model, empty
    where they are not known yet. Raises GraphError with all that is wrong."""
    return _Planner(graph, known).plan()


def shown_field(flow: Flow) -> Field:
    """The type of what a node shows: values that came apart are gathered, as regions where they have a place."""
    kind = flow.field
    if kind is None:
        return Field(name=RETURN, type=Types.JSON_DATA)
    if not flow.is_split:
        return _named(kind, RETURN)
    if _is_list_of(kind, Types.REGION):
        return list_of(Types.REGION)
    if flow.is_pictured and (kind.type in (Types.STR, Types.TEXT, Types.CONCEPT) or _is_list_of(kind, Types.CONCEPT)):
        return list_of(Types.REGION)
    return Field(name=RETURN, type=Types.LIST, type_args=[_named(kind, f"{RETURN}_item")])


def fits(given: Field | None, wanted: Field) -> str:
    """How a value of one type becomes an argument of another: "same", "each", "wrap"; "" where it does not."""
    if given is None or _same(given, wanted):
        return "same"
    if given.type == Types.LIST and given.type_args and _same(given.type_args[0], wanted):
        return "each"
    if wanted.type == Types.LIST and wanted.type_args and _same(given, wanted.type_args[0]):
        return "wrap"
    return ""


_ALIKE = {(Types.STR, Types.TEXT), (Types.TEXT, Types.STR), (Types.INT, Types.FLOAT)}


def _same(given: Field, wanted: Field) -> bool:
    if (given.type, wanted.type) in _ALIKE:
        return True
    if given.type != wanted.type or len(given.type_args) != len(wanted.type_args):
        return False
    pairs = zip(given.type_args, wanted.type_args, strict=True)
    by_name = given.type == Types.NAMED_FIELDS
    return all(_same(one, other) and (not by_name or one.name == other.name) for one, other in pairs)


def _is_list_of(kind: Field | None, item: int) -> bool:
    return kind is not None and kind.type == Types.LIST and bool(kind.type_args) and kind.type_args[0].type == item


def _named(kind: Field, name: str) -> Field:
    copy = Field()
    copy.CopyFrom(kind)
    copy.name, copy.iterator = name, False
    return copy


def placeholders(template: str) -> list[str]:
    """The names in a prompt's template, in order."""
    return [found[1].strip() for found in PLACEHOLDER.finditer(template) if found[1] is not None]


class _Planner:
    def __init__(self, graph: Graph, known: Mapping[str, Sequence[Signature] | None]) -> None:
        self._graph = graph
        self._known = known
        self._problems: list[Problem] = []
        self._flows: dict[str, Flow] = {}
        self._inputs: dict[str, Field] = {}
        self._unknown: list[str] = []

    def plan(self) -> Plan:
        steps = tuple(self._step(node) for node in self._graph.in_order())
        if self._problems:
            raise GraphError(self._problems)
        return Plan(self._graph, steps, self._signature(steps), tuple(self._unknown))

    def _note(self, node: Node, message: str, key: str = "") -> None:
        self._problems.append(Problem(message, node.id, key=key))

    def _step(self, node: Node) -> Step:
        signature = self._method(node)
        flows = [self._flows.get(name, Flow(None)) for name in node.inputs]
        step = Step(node, signature, Flow(None))
        step = self._keep(step, flows)
        step, flows = self._crop(step, flows)
        step, flows = self._prompt(step, flows)
        step = self._bind(step, flows) if node.model is not None else replace(step, flow=self._result(step, flows))
        self._flows[node.id] = step.flow
        return step

    # The model's method.

    def _method(self, node: Node) -> Signature | None:
        if node.model is None:
            return None
        known = self._known.get(node.id)
        if known is None:
            which = f"{node.model}/versions/{node.model.version_id}" if node.model.version_id else str(node.model)
            words = f"No model {which} for you. It does not exist, or is not shared with you."
            if node.model.model_id in SMALL_MODELS:
                words += f" Clarifai's small one is told by model_type_id: {node.model.model_id}, with output_info."
            self._note(node, words, "model")
            return None
        if not known:
            self._unknown.append(node.id)
            return None
        callable_ones = [signature for signature in known if kind_of(signature) is not MethodKind.STREAM]
        wanted = node.method or next((entry.name for entry in callable_ones if entry.name == "predict"), "")
        found = next(
            (entry for entry in known if entry.name == wanted),
            None if wanted else callable_ones[0] if callable_ones else None,
        )
        model, names = node.model.model_id, ", ".join(str(entry.name) for entry in callable_ones)
        if not callable_ones:
            words = f"{model} has only methods that take a stream, and a workflow asks each node once. Choose another"
            self._note(node, f"{words} model, or stream to this one on its own page.", "model")
            return None
        if found is None:
            self._note(node, f"{model} has no method {wanted!r}. It has {names}.", "method")
        elif kind_of(found) is MethodKind.STREAM:
            words = f"{found.name} takes a stream, and a workflow asks each node once. Set method to one of {names}."
            self._note(node, words, "method")
            return None
        return found

    # What a node does before its model.

    def _keep(self, step: Step, flows: list[Flow]) -> Step:
        node = step.node
        if node.keep is None:
            return step
        place = next((number for number, flow in enumerate(flows) if _has_concepts(flow)), -1)
        if place < 0:
            self._note(node, f"keep_above needs concepts or regions; {self._told(node, flows)}.", "keep_above")
        return replace(step, kept=max(place, 0))

    def _crop(self, step: Step, flows: list[Flow]) -> tuple[Step, list[Flow]]:
        node = step.node
        if node.crop is None:
            return step, flows
        place = next(
            (i for i, flow in enumerate(flows) if flow.field is None or _is_list_of(flow.field, Types.REGION)), -1
        )
        if place < 0:
            self._note(node, f"crop needs regions; {self._told(node, flows)}.", "crop")
            return step, flows
        picture = "" if flows[place].is_pictured else self._take(IMAGE)
        cropped = Flow(IMAGE, is_split=True, is_pictured=True)
        return replace(step, cropped=place, picture=picture), [*flows[:place], cropped, *flows[place + 1 :]]

    def _prompt(self, step: Step, flows: list[Flow]) -> tuple[Step, list[Flow]]:
        node = step.node
        if not node.prompt:
            return step, flows
        for name in placeholders(node.prompt):
            if name not in (*node.inputs, WORKFLOW_INPUT, OFFICIAL_TEXT):
                there = ", ".join(f"{{{known}}}" for known in (*node.inputs, WORKFLOW_INPUT))
                self._note(node, f"The prompt speaks of {{{name}}}; this node knows {there}.", "prompt")
            elif name == WORKFLOW_INPUT or (name == OFFICIAL_TEXT and not node.inputs):
                step = replace(step, text=self._take(TEXT))
        kept = [flows[step.cropped]] if step.cropped >= 0 else []
        return step, [Flow(TEXT), *kept]

    def _result(self, step: Step, flows: list[Flow]) -> Flow:
        """What a node without a model gives: what its last act made."""
        node = step.node
        place = 0 if node.prompt else step.cropped if node.crop is not None else step.kept
        return flows[place] if 0 <= place < len(flows) else Flow(None)

    def _told(self, node: Node, flows: list[Flow]) -> str:
        pairs = [f"{name} gives {flow.words()}" for name, flow in zip(node.inputs, flows, strict=False)]
        return " and ".join(pairs) or "it takes from no node"

    # Its arguments.

    def _bind(self, step: Step, flows: list[Flow]) -> Step:
        node, signature = step.node, step.signature
        if signature is None:
            return replace(step, flow=Flow(None))
        step = replace(step, fixed=self._fixed(node, signature))
        free = [entry for entry in signature.input_fields if entry.name not in node.arguments]
        free.sort(key=lambda entry: (entry.is_param, not entry.required))
        binds, taken, extras = [], list(flows), []
        for number, flow in enumerate(flows):
            found = next(((entry, how) for entry in free if (how := fits(flow.field, entry))), None)
            if found is None:
                self._misfit(step, number, flow, free)
                continue
            free.remove(found[0])
            how = found[1]
            binds.append(Bind(found[0].name, number, how, is_apart=flow.is_split or how == "each"))
        for entry in [entry for entry in free if entry.required] or ([] if flows else free[:1]):
            # What no node gives comes from what the workflow itself is given.
            binds.append(Bind(entry.name, len(taken)))
            extras.append(self._take(entry))
            taken.append(Flow(entry, is_pictured=entry.type == Types.IMAGE))
        return replace(step, extras=tuple(extras), binds=tuple(binds), flow=self._out(step, binds, taken))

    def _fixed(self, node: Node, signature: Signature) -> dict[str, Any]:
        known = {entry.name: entry for entry in signature.input_fields}
        fixed: dict[str, Any] = {}
        for name, plain in node.arguments.items():
            if name not in known:
                self._note(node, f"{signature.name} has no argument {name!r}. It has {', '.join(known)}.", "arguments")
                continue
            try:
                fixed[name] = from_plain(plain, known[name], _no_files)
            except PlaygroundError as error:
                self._note(node, f"{error.message}.", "arguments")
        return fixed

    def _misfit(self, step: Step, number: int, flow: Flow, free: Sequence[Field]) -> None:
        node, signature = step.node, step.signature
        assert signature is not None
        wanted = [f"{entry.name} ({describe_type(entry)})" for entry in free if not entry.is_param]
        takes = f"takes {' and '.join(wanted)}" if wanted else "takes nothing more"
        giver = "its prompt" if node.prompt and number == 0 else node.inputs[min(number, len(node.inputs) - 1)]
        hint = " A crop makes pictures of regions." if _is_list_of(flow.field, Types.REGION) else ""
        self._note(node, f"{giver} gives {flow.words()}, and {node.id} {takes}.{hint}", "node_inputs")

    def _out(self, step: Step, binds: Sequence[Bind], flows: Sequence[Flow]) -> Flow:
        assert step.signature is not None
        bound = [(flows[bind.source], bind) for bind in binds]
        apart = [bind for bind in binds if bind.is_apart]
        if len(apart) > 1:
            words = f"{step.node.id} takes from two nodes that give several values apart; one of them can."
            self._note(step.node, words, "node_inputs")
        kind = output_field(step.signature)
        if step.streams and kind.type != Types.STR:
            kind = Field(name=RETURN, type=Types.LIST, type_args=[_named(kind, f"{RETURN}_item")])
        pictured = any(flow.field is not None and flow.field.type == Types.IMAGE for flow, _ in bound)
        pictured = pictured or (bool(bound) and bound[0][0].is_pictured)
        by_item = any(bind.how == "each" for bind in binds)  # of which nobody knows where they lie
        return Flow(_named(kind, RETURN), is_split=bool(apart), is_pictured=pictured and not by_item)

    # The workflow's own arguments.

    def _take(self, wanted: Field) -> str:
        """The name of the workflow's argument that a value of this type comes from; made when there is none yet."""
        base = _MEDIA.get(wanted.type, str(wanted.name))
        for name in itertools.chain([base], (f"{base}_{number}" for number in itertools.count(2))):
            known = self._inputs.get(name)
            if known is None:
                known = self._inputs[name] = _named(wanted, name)
                known.required, known.is_param, known.default = True, False, ""
            if fits(known, wanted) == "same":
                return name
        raise AssertionError

    def _signature(self, steps: Sequence[Step]) -> Signature:
        shown = [step for step in steps if not step.node.suppress_output]
        gives = [_named(shown_field(step.flow), step.node.id) for step in shown]
        return Signature(
            name="predict",
            method_type=resources_pb2.UNARY_UNARY,
            description=self._graph.description,
            input_fields=list(self._inputs.values()),
            output_fields=[Field(name=RETURN, type=Types.NAMED_FIELDS, type_args=gives)],
        )


def _has_concepts(flow: Flow) -> bool:
    return _has_regions(flow) or _is_list_of(flow.field, Types.CONCEPT)


def _has_regions(flow: Flow) -> bool:
    return flow.field is None or _is_list_of(flow.field, Types.REGION)


def _no_files(media_id: str) -> bytes:
    raise InputError("a workflow's own arguments hold no files")
