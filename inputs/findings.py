"""What is found in a prediction's outputs, one thing after the other: concepts of the whole input, and regions.

The numbers by which things are accepted are places in this order: outputs in the order in which they came, what lies in
lists and objects in theirs. A region with several concepts stands once, with the strongest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Finding:
    """A concept of the whole input, or a region.

    ``box`` is left, top, right, bottom as shares, cut to the picture: the region's own, or around its outline. ``mask``
    is the stored file of a region that has neither.
    """

    index: int
    kind: str  # "concept" or "region"
    concept: str = ""
    name: str = ""
    value: float = 1.0
    box: Box | None = None
    text: str = ""
    region_id: str = ""
    mask: str = ""

    @property
    def is_acceptable(self) -> bool:
        """Whether it can be made an annotation: a point cannot, as it has no extent."""
        return self.kind == "concept" or self.box is not None or bool(self.mask)

    def as_plain(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "kind": self.kind,
            "concept": self.concept,
            "name": self.name,
            "value": self.value,
            "box": list(self.box) if self.box else None,
            "text": self.text,
            "region": self.region_id,
            "acceptable": self.is_acceptable,
        }


def findings(outputs: Any) -> list[Finding]:
    """All that is found in outputs as runs keep them."""
    return [
        Finding(index, "region" if kind == "region" else "concept", **_facts(kind, facts))
        for index, (kind, facts) in enumerate(_walk(outputs))
    ]


def _walk(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for part in value:
            yield from _walk(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in {"concept", "region"} and isinstance(part, dict):
                yield key, part
            elif key != "json":  # a model's own JSON may look like anything
                yield from _walk(part)


def _facts(kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    if kind == "concept":
        return _said(facts)
    concepts = [one for one in facts.get("concepts") or [] if isinstance(one, dict)]
    said = _said(max(concepts, key=lambda one: _number(one.get("value"), 0.0))) if concepts else {}
    box = _box(facts.get("box")) or _around(facts.get("polygon"))
    return said | {
        "box": box,
        "text": str(facts.get("text") or ""),
        "region_id": str(facts.get("id") or ""),
        "mask": "" if box else _media(facts.get("mask")),
    }


def _said(facts: dict[str, Any]) -> dict[str, Any]:
    concept = str(facts.get("id") or facts.get("name") or "")
    return {"concept": concept, "name": str(facts.get("name") or concept), "value": _number(facts.get("value"), 1.0)}


def _box(edges: Any) -> Box | None:
    if not isinstance(edges, list) or len(edges) != 4:
        return None
    left, top, right, bottom = (min(1.0, max(0.0, _number(edge, math.nan))) for edge in edges)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _around(corners: Any) -> Box | None:
    """The box around an outline; what is no corner of it is left out."""
    pairs = [one for one in corners if isinstance(one, list) and len(one) == 2] if isinstance(corners, list) else []
    found = [(x, y) for x, y in pairs if not math.isnan(_number(x, math.nan)) and not math.isnan(_number(y, math.nan))]
    if len(found) < 3:
        return None
    across, down = zip(*found, strict=True)
    return _box([min(across), min(down), max(across), max(down)])


def _media(mask: Any) -> str:
    media = mask.get("media") if isinstance(mask, dict) else None
    return media if isinstance(media, str) else ""


def _number(value: Any, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return float(value)
