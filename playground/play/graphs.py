"""A workflow's graph as SVG: the input, then the nodes by when they can begin. A page's module marks their states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from playground.play.graph_layout import INPUT, Point, lay_out
from playground.sdk.graphs import Graph, Node, Plan

WIDTH, HEIGHT = 196, 60
BELOW, ABREAST = 380, 420  # how much of it is in view, across
_MOST_NAME, _MOST_WORDS = 14, 27
_LAST = 4
_MOST_ALONE = 22  # of a name beside which no time will stand


@dataclass(frozen=True)
class Place:
    """Where a node is drawn, by its upper left corner."""

    x: int
    y: int


def words_of(node: Node) -> str:
    """What a node does, in a few words."""
    if node.model is not None:
        return " · ".join([*node.acts, node.model.model_id, *([node.method] if node.method else [])])
    kept = ", ".join(node.keep.concepts) if node.keep is not None else ""
    acts = [f"keep {kept}" if act == "keep" and kept else act for act in node.acts]
    return " · ".join(acts)


def describe(graph: Graph) -> str:
    """The graph in one sentence, for who does not see it."""
    stages = [" beside ".join(f"{node.id} ({words_of(node)})" for node in stage) for stage in graph.stages]
    return f"The input goes through {', then '.join(stages)}."


def chain(graph: Graph) -> str:
    """``detect → crop → pose``; nodes that run at the same time stand together."""
    return " → ".join(" + ".join(node.id for node in stage) for stage in graph.stages)


def draw(graph: Graph, plan: Plan | None, *, is_upright: bool = False) -> SafeString:
    """From left to right, or from top to bottom."""
    if is_upright:
        layout = lay_out(graph, deep=HEIGHT, broad=WIDTH, window=ABREAST)
    else:
        layout = lay_out(graph, deep=WIDTH, broad=HEIGHT, window=BELOW)
    width, height = _turn((layout.along, layout.across), is_upright)
    places = {name: Place(*_turn(point, is_upright)) for name, point in layout.places.items()}
    edges = format_html_join(
        "", '<path class="graph__edge" d="{}"/>', ((_curve(way, is_upright),) for way in layout.ways)
    )
    given = _input_words(plan)
    nodes = format_html_join("", "{}", ((_node(node, places[node.id]),) for node in graph.nodes))
    return format_html(
        '<svg class="graph{}" viewBox="-2 -2 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}{}{}</svg>',
        " graph--upright" if is_upright else "",
        width + 4,
        height + 4,
        width + 4,
        height + 4,
        describe(graph),
        edges,
        _box("graph__node graph__node--input", INPUT, given, places[INPUT]),
        nodes,
    )


def _turn(point: Point, is_upright: bool) -> Point:
    return (point[1], point[0]) if is_upright else point


def _curve(way: Sequence[Point], is_upright: bool) -> str:
    """Bent from column to column, straight along lanes, with a tip at its end."""

    def at(along: int, across: int) -> str:
        return "{} {}".format(*_turn((along, across), is_upright))

    *way, (end, across) = way
    points = [*way, (end - 2, across)]
    path = f"M{at(*points[0])}"
    for (one, at_one), (other, at_other) in pairwise(points):
        is_lane = at_one == at_other
        middle = (one + other) // 2
        path += (
            f"L{at(other, at_other)}"
            if is_lane
            else f"C{at(middle, at_one)} {at(middle, at_other)} {at(other, at_other)}"
        )
    return f"{path}M{at(end - 6, across - 4)}L{at(end - 2, across)}L{at(end - 6, across + 4)}"


def _node(node: Node, place: Place) -> SafeString:
    kind = "graph__node" if node.model is not None else "graph__node graph__node--act"
    return _box(kind, node.id, words_of(node), place, is_marked=True)


def _box(kind: str, name: str, words: str, place: Place, *, is_marked: bool = False) -> SafeString:
    mark: SafeString | str = ""
    if is_marked:
        mark = format_html(
            '<circle class="graph__mark" cx="{}" cy="{}" r="5"/>'
            '<text class="graph__time" x="{}" y="{}" data-time></text>',
            place.x + WIDTH - 16,
            place.y + 20,
            place.x + WIDTH - 28,
            place.y + 24,
        )
    return format_html(
        '<g class="{}" data-graph-node="{}"><title>{}: {}</title>'
        '<rect class="graph__box" x="{}" y="{}" width="{}" height="{}" rx="10"/>'
        '<text class="graph__name" x="{}" y="{}">{}</text><text class="graph__words" x="{}" y="{}">{}</text>{}</g>',
        kind,
        name,
        name,
        words,
        place.x,
        place.y,
        WIDTH,
        HEIGHT,
        place.x + 12,
        place.y + 25,
        _short(name, _MOST_NAME, _LAST) if is_marked else _short(name, _MOST_ALONE),
        place.x + 12,
        place.y + 46,
        _short(words, _MOST_WORDS),
        mark,
    )


def _short(text: str, most: int, last: int = 0) -> str:
    """With its ``last`` letters, which tell apart what begins alike."""
    return text if len(text) <= most else f"{text[: most - last - 1]}…{text[len(text) - last :]}"


def _input_words(plan: Plan | None) -> str:
    names = [str(field.name) for field in plan.signature.input_fields] if plan is not None else []
    return " + ".join(names) or "not known yet"
