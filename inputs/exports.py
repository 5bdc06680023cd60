"""What people said of inputs and what models found in them, as files: JSON Lines, a line each; COCO, for boxes.

Both name inputs by id and file name. What a model found stands apart from what people said: in JSON Lines by its
``source``, in COCO as ``predictions`` in the form of COCO's results, with their score. Texts and sounds have no boxes,
so COCO leaves them out. Many inputs are written as they are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from inputs.findings import findings
from inputs.models import Annotation, Concept, Input, Kind, Prediction
from inputs.queries.pages import load

if TYPE_CHECKING:
    from playground.catalog.models import User

FORMATS = ("jsonl", "coco")
_SOME = 200
_NAMELESS = "region"  # the category of boxes with no concept, as those around a text are


async def write(user: User, find: Callable[[], Sequence[int]], format: str) -> AsyncIterator[bytes]:
    """The file's bytes as they are made, in a thread, where ``find`` says which inputs go in."""
    made = _found(user, find, format)
    while (piece := await asyncio.to_thread(_next, made)) is not None:
        yield piece


def _found(user: User, find: Callable[[], Sequence[int]], format: str) -> Iterator[bytes]:
    yield from pieces(user, find(), format)


def pieces(user: User, ids: Sequence[int], format: str) -> Iterator[bytes]:
    return _lines(user, ids) if format == "jsonl" else _coco(user, ids)


def _next(made: Iterator[bytes]) -> bytes | None:
    try:
        return next(made, None)
    finally:
        connection.close()  # of this thread, which serves whom it will next


class _Batch:
    """Some inputs with what is said of them, looked up together."""

    def __init__(self, user: User, ids: Sequence[int]) -> None:
        self.rows = load(ids)
        self.annotations: dict[int, list[Annotation]] = {}
        for one in (
            Annotation.objects.filter(input__in=self.rows).select_related("concept", "created_by").order_by("pk")
        ):
            self.annotations.setdefault(one.input_id, []).append(one)
        self.predictions: dict[int, list[Prediction]] = {}
        found = (
            Prediction.objects.visible_to(user)
            .filter(input__in=self.rows)
            .select_related("model__app__owner", "workflow__app__owner")
        )
        seen = set()
        for prediction in found.order_by("-created_at", "-pk"):
            target = prediction.model_id, prediction.workflow_id, prediction.method, prediction.deployment_asked
            if (prediction.input_id, target) not in seen:
                seen.add((prediction.input_id, target))
                self.predictions.setdefault(prediction.input_id, []).append(prediction)


def _batches(user: User, ids: Sequence[int]) -> Iterator[_Batch]:
    for start in range(0, len(ids), _SOME):
        yield _Batch(user, ids[start : start + _SOME])


# JSON Lines.


def _lines(user: User, ids: Sequence[int]) -> Iterator[bytes]:
    for batch in _batches(user, ids):
        yield b"".join(orjson.dumps(line) + b"\n" for row in batch.rows for line in _lines_of(batch, row))


def _lines_of(batch: _Batch, row: Input) -> Iterator[dict[str, Any]]:
    """Its own line, then one for each thing said of it."""
    about = {"input": row.slug, "file_name": row.title}
    yield {
        **about,
        "source": "input",
        "kind": row.kind,
        "width": row.width,
        "height": row.height,
        "duration_s": row.duration_s,
        "metadata": row.metadata,
        "created_at": row.created_at.isoformat(),
    }
    for one in batch.annotations.get(row.pk, []):
        yield {
            **about,
            "source": "annotation",
            "concept": one.concept.slug if one.concept else None,
            "name": one.concept.name if one.concept else None,
            "value": one.value,
            "box": one.box,
            "text": one.text,
            "by": one.created_by.username if one.created_by else None,
            "origin": one.origin or "person",
            "created_at": one.created_at.isoformat(),
        }
    for found in batch.predictions.get(row.pk, []):
        yield {
            **about,
            "source": "prediction",
            **_by(found),
            "version": found.version,
            "findings": [one.as_plain() for one in findings(found.outputs)],
            "outputs": found.outputs,
            "created_at": found.created_at.isoformat(),
        }


def _by(one: Prediction) -> dict[str, str]:
    """What found it, and where that was asked for."""
    subject = "workflow" if one.workflow else "model"
    place = {} if one.workflow else {"deployment": one.deployment_asked or "Shared"}
    return {subject: str(one.workflow or one.model), "method": one.method, **place}


# COCO. Its lists are written one after the other, so the inputs are read as often as there are lists.


def _coco(user: User, ids: Sequence[int]) -> Iterator[bytes]:
    numbers: dict[str, int] = {}
    yield b'{"info":{"description":"Inputs, with what people and models say of them"},"images":'
    yield from _list(image for batch in _batches(user, ids) for image in _images(batch))
    yield b',"annotations":'
    yield from _list(one for batch in _batches(user, ids) for one in _annotations(batch, numbers))
    yield b',"predictions":'
    yield from _list(one for batch in _batches(user, ids) for one in _results(batch, numbers))
    yield b',"categories":'
    yield orjson.dumps(_categories(ids, numbers)) + b"}\n"


def _list(entries: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """A JSON array, a few entries at a time."""
    begun, waiting = False, []
    yield b"["
    for entry in entries:
        waiting.append(orjson.dumps(entry))
        if len(waiting) >= _SOME:
            yield (b"," if begun else b"") + b",".join(waiting)
            begun, waiting = True, []
    yield (b"," if begun and waiting else b"") + b",".join(waiting) + b"]"


def _pictures(batch: _Batch) -> list[Input]:
    return [row for row in batch.rows if row.kind == Kind.IMAGE and row.width and row.height]


def _images(batch: _Batch) -> Iterator[dict[str, Any]]:
    for row in _pictures(batch):
        date = (row.captured_at or row.created_at).isoformat()
        size = {"width": row.width, "height": row.height}
        yield {"id": row.pk, "file_name": row.title, "input": row.slug, **size, "date_captured": date}


def _annotations(batch: _Batch, numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    for row in _pictures(batch):
        for one in batch.annotations.get(row.pk, []):
            if one.box is None or one.value <= 0:
                continue
            edges = _edges(row, one.box)
            category = _number(numbers, one.concept.slug if one.concept else _NAMELESS)
            named = {"id": one.pk, "image_id": row.pk, "category_id": category}
            yield {**named, "bbox": edges, "area": round(edges[2] * edges[3], 2), "iscrowd": 0, "segmentation": []}


def _results(batch: _Batch, numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    for row in _pictures(batch):
        for found in batch.predictions.get(row.pk, []):
            for one in findings(found.outputs):
                if one.box is None:
                    continue
                named = {"image_id": row.pk, "category_id": _number(numbers, one.concept or _NAMELESS)}
                yield {**named, "bbox": _edges(row, one.box), "score": one.value, **_by(found)}


def _edges(row: Input, box: Sequence[float]) -> list[float]:
    """x, y, width and height in pixels, as COCO has boxes."""
    width, height = row.width or 0, row.height or 0
    left, top, right, bottom = box
    return [round(edge, 2) for edge in (left * width, top * height, (right - left) * width, (bottom - top) * height)]


def _number(numbers: dict[str, int], concept: str) -> int:
    return numbers.setdefault(concept, len(numbers) + 1)


def _categories(ids: Sequence[int], numbers: dict[str, int]) -> list[dict[str, Any]]:
    app = Input.objects.filter(pk=ids[0]).values_list("app", flat=True).first() if ids else None
    names = dict(Concept.objects.filter(app=app, slug__in=numbers).values_list("slug", "name")) if app else {}
    return [{"id": number, "name": names.get(slug, slug), "concept": slug} for slug, number in numbers.items()]
