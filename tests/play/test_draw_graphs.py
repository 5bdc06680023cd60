"""Where the nodes of a workflow stand, and how what one gives gets past those that lie between."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from playground.play.graph_layout import INPUT, lay_out
from playground.play.graphs import draw
from playground.sdk.graphs import Graph, read_plain


def net(**inputs: str) -> Graph:
    nodes = [{"id": name, "prompt": "x", "node_inputs": others.split()} for name, others in inputs.items()]
    return read_plain({"id": "w", "nodes": nodes})


TWENTY = net(a="", b="", **{f"n{i}": " ".join(["a", *(f"n{j}" for j in range(max(0, i - 3), i))]) for i in range(18)})
SKIPS = net(one="", two="", late="one two", last="one two late")


@pytest.mark.parametrize("graph", [TWENTY, SKIPS], ids=["twenty", "skips"])
@pytest.mark.parametrize(("deep", "broad"), [(196, 60), (60, 196)], ids=["sideways", "upright"])
def test_no_way_leads_through_a_node(graph: Graph, deep: int, broad: int) -> None:
    layout = lay_out(graph, deep=deep, broad=broad, window=380)
    assert set(layout.places) == {INPUT, *(node.id for node in graph.nodes)}
    for (along, across), (other, beside) in combinations(layout.places.values(), 2):
        assert abs(along - other) >= deep or abs(across - beside) >= broad
    for way in layout.ways:
        for (start, level), (end, other) in pairwise(way):
            if end - start == deep:  # in a lane
                assert level == other
                there = [at for along, at in layout.places.values() if along == start]
                assert all(level < at or level > at + broad for at in there)


def test_what_is_higher_than_its_window_begins_at_its_edge() -> None:
    low, high = net(a="", b=""), net(**{f"n{number}": "" for number in range(20)})
    assert lay_out(low, deep=196, broad=60, window=380).places[INPUT] == (0, 38)
    assert lay_out(high, deep=196, broad=60, window=380).places[INPUT] == (0, 0)


def test_long_names_keep_their_ends() -> None:
    drawn = draw(net(**{f"a_very_long_name_{number}": "" for number in range(2)}), None)
    assert "a_very_lo…me_0<" in drawn
    assert "a_very_lo…me_1<" in drawn
