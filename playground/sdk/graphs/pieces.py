"""What flows between the nodes of a workflow, and what a node does with it: keep, crop, fill a prompt, gather."""

from __future__ import annotations

import importlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from playground.protocol.errors import InputError
from playground.protocol.fields import Field, Types
from playground.protocol.values import Concept, Image, Region, Text
from playground.sdk.graphs.planning import OFFICIAL_TEXT, PLACEHOLDER, Flow, shown_field
from playground.sdk.graphs.shapes import WORKFLOW_INPUT, Crop, Keep

Box: TypeAlias = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
MOST_PIXELS = 85_000_000
_MOST_NAMED = 8
_MOST_WORDS = 20_000  # characters of one value in a prompt
_FROM_ANY = ("RGB", "L", "RGBA", "LA", "P")


@dataclass(frozen=True, slots=True)
class Piece:
    """One value on its way. ``picture`` is what it is about, ``place`` where in the workflow's picture that lies
    (left, top, right, bottom, in shares of it)."""

    value: Any
    picture: Image | None = None
    place: Box = WHOLE


def piece_of(value: Any) -> Piece:
    """What a workflow is given, as a piece."""
    return Piece(value, picture=value if isinstance(value, Image) else None)


# -- keep ------------------------------------------------------------------------------------------------------------


def keep(value: Any, rule: Keep) -> Any:
    """Of concepts and regions those that pass, each region with those of its concepts that do; others as they are."""
    if not isinstance(value, list):
        return value
    kept = (_kept(item, rule) for item in value)
    return [item for item in kept if item is not None]


def _kept(item: Any, rule: Keep) -> Any:
    if isinstance(item, Concept):
        return item if _passes(item, rule) else None
    if not isinstance(item, Region):
        return item
    concepts = [concept for concept in item.concepts if _passes(concept, rule)]
    if not concepts:
        return None
    twin = _copy(item)
    twin.concepts = concepts
    return twin


def _passes(concept: Concept, rule: Keep) -> bool:
    if not rule.concepts:
        return bool(concept.value >= rule.above)
    least = rule.concepts.get(concept.name.casefold(), rule.concepts.get(concept.id.casefold()))
    return least is not None and concept.value >= least


def _copy(region: Region) -> Region:
    twin = Region(type(region.proto)())
    twin.proto.CopyFrom(region.proto)
    return twin


# -- crop ------------------------------------------------------------------------------------------------------------


def crop(piece: Piece, how: Crop, picture: Image) -> list[Piece]:
    """A picture for each of the piece's regions that has a box, the surest first. Opens the picture: run it in a
    thread. Raises InputError for one that cannot be opened."""
    regions = [region for region in piece.value if isinstance(region, Region) and region.has_box]
    regions = sorted(regions, key=_sureness, reverse=True)[: how.at_most]
    if not regions:
        return []
    opened = open_upright(picture)
    return [_cut(opened, _grown(region.box, how.margin), piece.place) for region in regions]


def _sureness(region: Region) -> float:
    return max((concept.value for concept in region.concepts), default=0.0)


def _grown(box: Sequence[float], margin: float) -> Box:
    left, top, right, bottom = box
    wider, higher = (right - left) * (margin - 1) / 2, (bottom - top) * (margin - 1) / 2
    edges = (left - wider, top - higher, right + wider, bottom + higher)
    return tuple(min(max(edge, 0.0), 1.0) for edge in edges)  # type: ignore[return-value]  # four of four


def open_upright(picture: Image) -> Any:
    """The picture, decoded, and turned as its EXIF says: boxes are about that. Raises InputError."""
    if not picture.bytes:
        raise InputError("The picture to crop is an address only: it has no bytes here.")
    pillow, ops = importlib.import_module("PIL.Image"), importlib.import_module("PIL.ImageOps")
    try:
        opened = pillow.open(io.BytesIO(picture.bytes))
        if opened.width * opened.height > MOST_PIXELS:
            raise InputError(f"The picture to crop has more than {MOST_PIXELS // 1_000_000} million pixels.")
        upright = ops.exif_transpose(opened)
        upright.load()
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, MemoryError, pillow.DecompressionBombError) as error:
        raise InputError(f"The picture to crop cannot be opened: {error}") from None
    return upright if upright.mode in _FROM_ANY else upright.convert("RGB")


def _cut(picture: Any, box: Box, within: Box) -> Piece:
    left, top = int(box[0] * picture.width), int(box[1] * picture.height)
    right, bottom = round(box[2] * picture.width), round(box[3] * picture.height)
    left, top = min(left, picture.width - 1), min(top, picture.height - 1)
    part = picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    with io.BytesIO() as file:
        if part.mode in ("RGB", "L"):
            part.save(file, "JPEG", quality=95)
        else:
            part.save(file, "PNG")
        cut = Image(bytes=file.getvalue())
    return Piece(cut, picture=cut, place=nested(box, within))


def nested(box: Sequence[float], within: Box) -> Box:
    """A box in shares of the part ``within``, in shares of the whole."""
    width, height = within[2] - within[0], within[3] - within[1]
    x, y = within[0], within[1]
    return (x + box[0] * width, y + box[1] * height, x + box[2] * width, y + box[3] * height)


# -- prompt ----------------------------------------------------------------------------------------------------------


def fill(template: str, values: Mapping[str, str], given: str) -> str:
    """The prompt: each ``{node}`` is what that node gave in words, ``{input}`` what the workflow was given."""
    first = next(iter(values.values()), given)
    known = {WORKFLOW_INPUT: given, OFFICIAL_TEXT: first, **values}

    def put(found: Any) -> str:
        if found[1] is None:
            return str(found[0][0])  # two braces stand for one
        return known.get(found[1].strip(), str(found[0]))

    return PLACEHOLDER.sub(put, template)


def in_words(value: Any) -> str:
    """A value as a prompt says it: names of concepts, how many of which regions, a text itself; else JSON."""
    return _in_words(value)[:_MOST_WORDS]


def _in_words(value: Any) -> str:
    if isinstance(value, str | Text):
        return str(value).strip()
    if isinstance(value, Concept):
        return value.name or value.id
    if isinstance(value, list) and value and all(isinstance(item, Concept) for item in value):
        best = sorted(value, key=lambda concept: -concept.value)
        return ", ".join(concept.name or concept.id for concept in best[:_MOST_NAMED])
    if isinstance(value, list) and value and all(isinstance(item, Region) for item in value):
        return _count(value)
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(item) for item in value) or "nothing"
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False, default=repr) if not isinstance(value, bytes) else "bytes"


def _count(regions: Sequence[Region]) -> str:
    """``2 x person, dog``; of regions that hold text, their texts."""
    if texts := [region.text for region in regions if region.text]:
        return ", ".join(texts)
    names = Counter(_name(region) for region in regions)
    return ", ".join(f"{count} x {name}" if count > 1 else name for name, count in names.most_common(_MOST_NAMED))


def _name(region: Region) -> str:
    best = max(region.concepts, key=lambda concept: concept.value, default=None)
    return (best.name or best.id) if best is not None else "region"


# -- gather ----------------------------------------------------------------------------------------------------------


def gather(flow: Flow, pieces: Iterable[Piece], *, first: int = 0) -> Any:
    """What a node shows of its pieces, as ``shown_field(flow)`` has it; ``first`` numbers the first."""
    pieces = list(pieces)
    if not flow.is_split:
        return pieces[0].value if pieces else None
    field = shown_field(flow)
    if not _holds_regions(field):
        return [piece.value for piece in pieces]
    regions: list[Region] = []
    for number, piece in enumerate(pieces, start=first + 1):
        regions += _regions(piece, number)
    return regions


def _holds_regions(field: Field) -> bool:
    return bool(field.type == Types.LIST and field.type_args[0].type == Types.REGION)


def _regions(piece: Piece, number: int) -> list[Region]:
    """A piece as regions of the workflow's picture: its own where they lie there, else its box with what it says."""
    value = piece.value
    if isinstance(value, list) and all(isinstance(item, Region) for item in value):
        return [_lifted(region, piece.place, str(number)) for region in value]
    region = Region(box=piece.place, id=str(number))
    if isinstance(value, str | Text):
        region.text = str(value)
    else:
        region.concepts = [value] if isinstance(value, Concept) else value
    return [region]


def _lifted(region: Region, place: Box, track: str) -> Region:
    twin = _copy(region)
    if region.has_box:
        twin.box = nested(region.box, place)
    elif not region.has_point and not region.polygon:
        twin.box = place
    if region.has_point:
        x, y, z = region.point
        left, top, _, _ = nested((x, y, x, y), place)
        twin.point = (left, top, z)
    if region.polygon:
        twin.polygon = [nested((x, y, x, y), place)[:2] for x, y in region.polygon]
    if region.has_mask:
        twin.mask = _spread(region.mask, place)
    twin.track_id = region.track_id or track
    return twin


def _spread(mask: Image, place: Box) -> Image:
    """A mask of a part as one of the whole, at the part's own sharpness as far as that is small."""
    opened = open_upright(mask).convert("L")
    scale = min(1.0, 1024 * max(place[2] - place[0], 0.01) / opened.width)
    width, height = max(1, round(opened.width * scale)), max(1, round(opened.height * scale))
    whole = (
        min(4096, round(width / max(place[2] - place[0], 0.001))),
        min(4096, round(height / max(place[3] - place[1], 0.001))),
    )
    canvas = importlib.import_module("PIL.Image").new("L", whole)
    canvas.paste(opened.resize((width, height)), (round(place[0] * whole[0]), round(place[1] * whole[1])))
    return Image.from_pil(canvas)
