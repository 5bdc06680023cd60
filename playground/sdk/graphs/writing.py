"""A workflow written out: as JSON and as YAML, in the form that ``reading`` reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from playground.sdk.graphs.reading import read_yaml
from playground.sdk.graphs.shapes import Crop, Graph, GraphError, Node


def to_plain(graph: Graph) -> dict[str, Any]:
    """The workflow as JSON, in the form that is read."""
    told = {"description": graph.description} if graph.description else {}
    return {"workflow": {"id": graph.id, **told, "nodes": [_node_to_plain(node) for node in graph.nodes]}}


def _node_to_plain(node: Node) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": node.id}
    if node.model is not None:
        names = ("user_id", "app_id", "model_id", "model_version_id")
        model = node.model
        ids = zip(names, (model.user_id, model.app_id, model.model_id, model.version_id), strict=True)
        facts["model"] = {name: value for name, value in ids if value}
    facts |= {"method": node.method, "arguments": dict(node.arguments), "deployment": node.deployment}
    if node.keep is not None:
        facts["keep_above"] = dict(node.keep.concepts) or node.keep.above
    if node.crop is not None:
        facts["crop"] = True if node.crop == Crop() else {"margin": node.crop.margin, "at_most": node.crop.at_most}
    facts["prompt"] = node.prompt
    facts["node_inputs"] = [{"node_id": name} for name in node.inputs]
    facts["suppress_output"] = node.suppress_output
    return {key: value for key, value in facts.items() if value or key in {"id", "keep_above"}}


def small_model_of(node: Node) -> tuple[str, dict[str, Any]] | None:
    """A node without a model as the one of Clarifai's small models that does what it does last, and its parameters.

    What Clarifai's has no words for, it does by ours among the parameters, so that nothing is lost on the way."""
    if node.model is not None or not node.acts:
        return None
    kept = {} if node.keep is None else {"keep_above": dict(node.keep.concepts) or node.keep.above}
    crop = node.crop
    if node.prompt:
        cut = {} if crop is None else {"crop": {"margin": crop.margin, "at_most": crop.at_most}}
        return "prompter", {"prompt_template": node.prompt, **cut, **kept}
    if crop is not None:
        most = {} if crop.at_most == Crop().at_most else {"at_most": crop.at_most}
        return "image-crop", {"margin": crop.margin, **most, **kept}
    assert node.keep is not None
    if not node.keep.concepts:
        return "concept-thresholder", {"concept_threshold": node.keep.above}
    concepts = [{"id": name, "name": name, "value": value} for name, value in node.keep.concepts.items()]
    return "concept-thresholder", {"concepts": concepts}


def write_yaml(graph: Graph) -> str:
    """The workflow as YAML, in the form that is read."""
    return str(yaml.dump(to_plain(graph), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def with_id(graph: Graph, text: str, workflow_id: str) -> str:
    """The YAML ``text`` of ``graph``, with this id in place of its own: else as it was written."""
    if graph.id == workflow_id:
        return text
    twin = replace(graph, id=workflow_id)
    told = _put_id(text, workflow_id)
    try:
        return told if read_yaml(told) == twin else write_yaml(twin)
    except GraphError:
        return write_yaml(twin)


def _put_id(text: str, workflow_id: str) -> str:
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    inner = next((value for key, value in node.value if key.value == "workflow"), None)
    node = node if inner is None else inner
    word = workflow_id if isinstance(yaml.safe_load(workflow_id), str) else f'"{workflow_id}"'
    for key, value in node.value:
        if key.value == "id":
            start, end = value.start_mark.index, value.end_mark.index
            quoted = f'"{workflow_id}"' if value.style == '"' else word
            return f"{text[:start]}{quoted if end > start else f' {word}'}{text[end:]}"
    first = node.value[0][0].start_mark
    gap = ", " if node.flow_style else "\n" + " " * first.column
    return f"{text[: first.index]}id: {word}{gap}{text[first.index :]}"


class _Dumper(yaml.SafeDumper):
    """Lists stand in from their key, and longer texts in lines of their own."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)
