"""A workflow's graph as SVG: the input, then the nodes by when they can begin. A page's module marks their states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from playground.sdk.graphs import Graph, Node, Plan

WIDTH, HEIGHT = 196, 60
AHEAD, BESIDE = 32, 16
_INPUT = "input"
_MOST_NAME, _MOST_WORDS = 14, 27
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
    columns = [[_INPUT], *([node.id for node in stage] for stage in graph.stages)]
    most = max(len(column) for column in columns)
    places = _place(columns, most, is_upright)
    across, along = most * (WIDTH if is_upright else HEIGHT), len(columns) * (HEIGHT if is_upright else WIDTH)
    across, along = across + (most - 1) * BESIDE, along + (len(columns) - 1) * AHEAD
    width, height = (across, along) if is_upright else (along, across)
    edges = format_html_join(
        "", '<path class="graph__edge" d="{}"/>', ((d,) for d in _edges(graph, places, is_upright))
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
        _box("graph__node graph__node--input", _INPUT, given, places[_INPUT]),
        nodes,
    )


def _place(columns: list[list[str]], most: int, is_upright: bool) -> dict[str, Place]:
    size, ahead = (WIDTH, HEIGHT) if is_upright else (HEIGHT, WIDTH)
    places = {}
    for number, column in enumerate(columns):
        room = (most - len(column)) * (size + BESIDE) // 2
        for row, name in enumerate(column):
            across, along = room + row * (size + BESIDE), number * (ahead + AHEAD)
            places[name] = Place(across, along) if is_upright else Place(along, across)
    return places


def _edges(graph: Graph, places: Mapping[str, Place], is_upright: bool) -> list[str]:
    pairs = [(name, node.id) for node in graph.nodes for name in (node.inputs or (_INPUT,))]
    return [_curve(places[one], places[other], is_upright) for one, other in pairs]


def _curve(one: Place, other: Place, is_upright: bool) -> str:
    if is_upright:
        x, y, to_x, to_y = one.x + WIDTH // 2, one.y + HEIGHT, other.x + WIDTH // 2, other.y
        tip = f"M{to_x - 4} {to_y - 6}L{to_x} {to_y - 2}L{to_x + 4} {to_y - 6}"
        return f"M{x} {y}C{x} {y + AHEAD // 2} {to_x} {to_y - AHEAD // 2} {to_x} {to_y - 2}{tip}"
    x, y, to_x, to_y = one.x + WIDTH, one.y + HEIGHT // 2, other.x, other.y + HEIGHT // 2
    tip = f"M{to_x - 6} {to_y - 4}L{to_x - 2} {to_y}L{to_x - 6} {to_y + 4}"
    return f"M{x} {y}C{x + AHEAD // 2} {y} {to_x - AHEAD // 2} {to_y} {to_x - 2} {to_y}{tip}"


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
        _short(name, _MOST_NAME if is_marked else _MOST_ALONE),
        place.x + 12,
        place.y + 46,
        _short(words, _MOST_WORDS),
        mark,
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _input_words(plan: Plan | None) -> str:
    names = [str(field.name) for field in plan.signature.input_fields] if plan is not None else []
    return " + ".join(names) or "not known yet"
