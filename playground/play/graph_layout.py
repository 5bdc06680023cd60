"""Where a workflow's graph is drawn: columns by when nodes can begin, and lanes past the nodes that lie between.

``along`` is the way from the input on, ``across`` the other; which of them is sideways, the drawing decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from playground.sdk.graphs import Graph

INPUT = "input"
AHEAD, BESIDE, LANE = 32, 16, 4
Point: TypeAlias = tuple[int, int]
"""Along and across."""
Slot: TypeAlias = tuple[str, bool]
"""A node's id, and whether this is the node itself; else a lane of what it gives to later columns."""
Column: TypeAlias = Sequence[Slot]


@dataclass(frozen=True)
class Layout:
    """The start corner of each node, the points of each edge (from a node, in and out of lanes, to a node), and how
    large all of it is."""

    places: Mapping[str, Point]
    ways: Sequence[Sequence[Point]]
    along: int
    across: int


def lay_out(graph: Graph, *, deep: int, broad: int, window: int) -> Layout:
    """Of boxes ``deep`` along and ``broad`` across. Columns stand amid each other, but where that is more than the
    ``window`` that one sees at once: there they begin at its edge, where one looks first."""
    columns = list(_columns(graph))
    sizes = [_extent(column, broad) for column in columns]
    across = max(sizes)
    spots: dict[tuple[int, Slot], Point] = {}
    for number, (column, size) in enumerate(zip(columns, sizes, strict=True)):
        at = (across - size) // 2 if across <= window else 0
        for slot in column:
            spots[number, slot] = (number * (deep + AHEAD), at)
            at += _size(slot, broad) + BESIDE
    places = {slot[0]: spot for (_, slot), spot in spots.items() if slot[1]}
    ways = [_way(spots, edge, deep, broad) for edge in _edges(graph)]
    return Layout(places, ways, len(columns) * (deep + AHEAD) - AHEAD, across)


def _edges(graph: Graph) -> Iterator[tuple[str, str, int, int]]:
    """Who gives, who takes, and the columns of both."""
    at = _column_of(graph)
    for node in graph.nodes:
        for name in node.inputs or (INPUT,):
            yield name, node.id, at[name], at[node.id]


def _column_of(graph: Graph) -> dict[str, int]:
    stages = enumerate(graph.stages, start=1)
    return {INPUT: 0} | {node.id: number for number, stage in stages for node in stage}


def _columns(graph: Graph) -> Iterator[Column]:
    """Nodes and lanes, each beside what it takes from, else in the order in which they were written."""
    before: list[Slot] = [(INPUT, True)]
    yield before
    for number, stage in enumerate(graph.stages, start=1):
        passing = dict.fromkeys(one for one, _, start, end in _edges(graph) if start < number < end)
        parents: dict[Slot, Sequence[str]] = {(node.id, True): node.inputs or (INPUT,) for node in stage}
        parents |= {(name, False): (name,) for name in passing}
        rows = {name: row for row, (name, _) in enumerate(before)}
        before = sorted(parents, key=lambda slot: fmean(rows[name] for name in parents[slot]))
        yield before


def _size(slot: Slot, broad: int) -> int:
    return broad if slot[1] else LANE


def _extent(column: Column, broad: int) -> int:
    return sum(_size(slot, broad) for slot in column) + BESIDE * (len(column) - 1)


def _way(
    spots: Mapping[tuple[int, Slot], Point], edge: tuple[str, str, int, int], deep: int, broad: int
) -> Sequence[Point]:
    one, other, start, end = edge
    along, across = spots[start, (one, True)]
    points = [(along + deep, across + broad // 2)]
    for number in range(start + 1, end):
        along, across = spots[number, (one, False)]
        points += [(along, across + LANE // 2), (along + deep, across + LANE // 2)]
    along, across = spots[end, (other, True)]
    return [*points, (along, across + broad // 2)]
