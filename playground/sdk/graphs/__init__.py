"""Workflows: graphs of models, as YAML, checked, planned and run. No network of its own: ``call`` makes the calls.

>>> graph = read_yaml(text)
>>> plan = make_plan(graph, {node.id: signatures_of(node.model) for node in graph.nodes})
>>> async for event in run_plan(plan, {"image": picture}, call_through(client)):
...     print(event.node, event.kind, event.value)
"""

from __future__ import annotations

from playground.sdk.graphs.calling import call_through
from playground.sdk.graphs.planning import Flow, Plan, Step, make_plan, shown_field
from playground.sdk.graphs.reading import read_plain, read_yaml, with_lines
from playground.sdk.graphs.running import outcome_of, run_plan
from playground.sdk.graphs.shapes import Crop, Graph, GraphError, Keep, Node, NodeModel, Problem
from playground.sdk.graphs.working import FAILED, FINISHED, OUTPUT, SKIPPED, STARTED, Call, NodeEvent
from playground.sdk.graphs.writing import small_model_of, to_plain, with_id, write_yaml

__all__ = [
    "FAILED",
    "FINISHED",
    "OUTPUT",
    "SKIPPED",
    "STARTED",
    "Call",
    "Crop",
    "Flow",
    "Graph",
    "GraphError",
    "Keep",
    "Node",
    "NodeEvent",
    "NodeModel",
    "Plan",
    "Problem",
    "Step",
    "call_through",
    "make_plan",
    "outcome_of",
    "read_plain",
    "read_yaml",
    "run_plan",
    "shown_field",
    "small_model_of",
    "to_plain",
    "with_id",
    "with_lines",
    "write_yaml",
]
