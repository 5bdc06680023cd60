"""Values of any shape, side by side: where their parts differ, by path."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_PARTS = 20_000
MOST_ROWS = 500
DEEPEST = 64
MISSING = object()


@dataclass(frozen=True)
class Row:
    """One place at which the values are not all the same; ``values`` has MISSING where there is nothing."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """``same`` counts the places that are alike everywhere, ``more`` the rows behind those listed; ``is_cut`` where a
    value has more than 20,000 places, of which the first are compared."""

    rows: list[Row]
    same: int
    more: int = 0
    is_cut: bool = False


def compare_values(values: Sequence[Any], read: Callable[[Any], Any] = lambda value: value) -> Table:
    """The places of all values, those that differ in the order in which they come; ``read`` is told each part first."""
    rooms = [[MOST_PARTS] for _ in values]
    flat = [dict(_parts(value, "", room, read)) for value, room in zip(values, rooms, strict=True)]
    paths = dict.fromkeys(path for parts in flat for path in parts)
    rows, same = [], 0
    for path in paths:
        found = tuple(parts.get(path, MISSING) for parts in flat)
        if all(is_same(found[0], value) for value in found[1:]):
            same += 1
        else:
            rows.append(Row(path or "value", found))
    return Table(rows[:MOST_ROWS], same, max(len(rows) - MOST_ROWS, 0), any(room[0] < 0 for room in rooms))


def is_same(one: Any, other: Any) -> bool:
    """Numbers are the same to nine figures; two that are no number are, too."""
    if _is_number(one) and _is_number(other):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parts(
    value: Any, path: str, room: list[int], read: Callable[[Any], Any], deepest: int = DEEPEST
) -> Iterator[tuple[str, Any]]:
    """The leaves of a value by their paths; of one that is larger than there is room, the first."""
    room[0] -= 1
    if room[0] < 0:
        return
    value = read(value)
    if not isinstance(value, dict | list) or not value:
        yield path, value
    elif not deepest:
        yield path, "…"
    else:
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{path}[{name}]" if isinstance(value, list) else f"{path}.{name}" if path else str(name)
            yield from _parts(item, inner, room, read, deepest - 1)
            if room[0] < 0:
                return
