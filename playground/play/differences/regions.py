"""Regions of two answers over one picture: which are the same, which have moved, which only one of them has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST = 500
MOVED_FROM = 0.1
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """What is compared of a region: left, top, right and bottom in shares of the picture."""

    name: str
    box: Box
    value: float | None = None


@dataclass(frozen=True)
class Pair:
    """The same thing in both answers. ``apart`` is between the middles, in shares of the picture's width and height."""

    one: Region
    other: Region
    overlap: float

    @property
    def apart(self) -> tuple[float, float]:
        (ax, ay), (bx, by) = _middle(self.one.box), _middle(self.other.box)
        return bx - ax, by - ay


@dataclass(frozen=True)
class Matches:
    """``cut`` counts the weakest ones that were left out, as there were more than 500."""

    same: list[Pair] = field(default_factory=list)
    moved: list[Pair] = field(default_factory=list)
    only_one: list[Region] = field(default_factory=list)
    only_other: list[Region] = field(default_factory=list)
    cut: int = 0


def match_regions(one: Sequence[Region], other: Sequence[Region], *, same_from: float = 0.5) -> Matches:
    """Pairs of one name by how far they overlap, the closest first: from ``same_from`` on they are the same, from a
    tenth on they have moved."""
    left, right = _strongest(one), _strongest(other)
    overlaps = overlap_of([region.box for region in left], [region.box for region in right])
    names, others = np.array([region.name for region in left]), np.array([region.name for region in right])
    if left and right:
        overlaps = np.where(names[:, None] == others[None, :], overlaps, 0.0)
    found: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    rows, columns = np.nonzero(overlaps >= min(MOVED_FROM, same_from) if overlaps.size else overlaps)
    for place in np.argsort(-overlaps[rows, columns], kind="stable").tolist() if len(rows) else []:
        row, column = int(rows[place]), int(columns[place])
        if row not in found and column not in taken:
            found[row] = (column, float(overlaps[row, column]))
            taken.add(column)
    pairs = [Pair(left[row], right[column], overlap) for row, (column, overlap) in sorted(found.items())]
    return Matches(
        same=[pair for pair in pairs if pair.overlap >= same_from],
        moved=[pair for pair in pairs if pair.overlap < same_from],
        only_one=[region for row, region in enumerate(left) if row not in found],
        only_other=[region for column, region in enumerate(right) if column not in taken],
        cut=len(one) + len(other) - len(left) - len(right),
    )


def overlap_of(boxes: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of each box with each other; 0 for boxes without an area."""
    if not boxes or not others:
        return np.zeros((len(boxes), len(others)))
    a, b = np.asarray(boxes, float)[:, None, :], np.asarray(others, float)[None, :, :]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    whole = _area(a) + _area(b) - shared
    found: NDArray[np.float64] = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return found


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    size: NDArray[np.float64] = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    area: NDArray[np.float64] = size[..., 0] * size[..., 1]
    return area


def _strongest(regions: Sequence[Region]) -> list[Region]:
    """Those that can be placed, the surest first; one without a value stands behind all others."""
    placed = [region for region in regions if all(map(math.isfinite, region.box))]
    return sorted(placed, key=lambda region: -_sure(region.value))[:MOST]


def _sure(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else -1.0


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
