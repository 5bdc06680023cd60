"""A comparison as a file: JSON, a table of its runs, a page that needs nothing else, a picture with what was found."""

from __future__ import annotations

import base64
import csv
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from playground.play.marked import Side, draw_matches, draw_pictures, small_jpeg
from playground.play.queries.answers import PICTURES, REGIONS, SOUNDS, TEXT, Filter, answer_of, differences
from playground.play.queries.compared import columns_of
from playground.play.queries.targets import Pane
from playground.play.views.compared import (
    Known,
    answers_of,
    asked_filter,
    asked_reference,
    foot_of,
    know,
    verdict_context,
)
from playground.play.waves import Wave, wave_of
from playground.protocol.errors import InputError, PlaygroundError
from playground.runs import services

FORMAT = "playground-comparison/1"
LARGEST_SOUND = 8_000_000
LISTED = 200
_MISSING = "\u2013"
_WORDS = {"image": "Picture", "audio": "Sound", "video": "Film"}


@dataclass(frozen=True)
class Wanted:
    """What the page shows as it is exported: the reference, the filter, whom it holds against it; and what differs."""

    reference: str
    filter: Filter
    other: str
    found: dict[str, Any]


@login_required
@require_safe
def export(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """``format`` is json, csv, png: its picture; or html: a page that needs nothing else."""
    form = request.GET.get("format", "json")
    if form not in FORMATS:
        raise InputError(f"format: one of {', '.join(FORMATS)} is needed.")
    known = know(request, pk)
    response = FORMATS[form](known, _wanted(request, known))
    name = "".join(letter if letter.isalnum() else "-" for letter in known.row.name[:60]).strip("-") or "comparison"
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{form}") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _wanted(request: HttpRequest, known: Known) -> Wanted:
    reference, chosen = asked_reference(request, known), asked_filter(request)
    found = differences(answers_of(known), reference, chosen, known.file)
    others = found.get("panes", {})
    other = request.GET.get("other", "")
    return Wanted(reference, chosen, other if other in others else next(iter(others), ""), found)


def _as_json(known: Known, wanted: Wanted) -> HttpResponse:
    columns = columns_of(known.series, known.reference, known.prices)
    panes = []
    for one, column in zip(known.series, columns, strict=True):
        pane = known.pane(one.pane)
        shown = one.shown
        panes.append(
            {
                "letter": pane.letter,
                "target": str(pane.target),
                "is_reference": pane.id == wanted.reference,
                "figures": {cell.key: {"value": cell.value, "unit": cell.unit} for cell in column.cells},
                "outputs": services.outputs(shown) if shown else [],
                "runs": [
                    {
                        "id": str(run.pk),
                        "state": run.state,
                        "total_ms": run.total_ms,
                        "first_output_ms": run.first_output_ms,
                        "served_by": run.served_by,
                        "error": run.error.get("message") if run.error else None,
                    }
                    for run in one.runs
                ],
            }
        )
    whole = {
        "format": FORMAT,
        "id": str(known.row.pk),
        "name": known.row.name,
        "kind": known.row.kind,
        "input": known.row.given,
        "created_at": known.row.created_at.isoformat(),
        "panes": panes,
        "differences": wanted.found,
    }
    content = orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return HttpResponse(content, content_type="application/json")


def _as_csv(known: Known, wanted: Wanted) -> HttpResponse:
    """A row for each run that counts."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    writer = csv.writer(response)
    names = ("state", "total_ms", "first_output_ms", "output_count", "completion_tokens", "characters")
    writer.writerow(["pane", "model", "method", "deployment", "repeat", "run", *names])
    for one in known.series:
        pane = known.pane(one.pane)
        for number, run in enumerate(one.runs, start=1):
            place = run.served_by.get("deployment_id", "")
            head = [pane.letter, pane.target.model, run.method, place, number, run.pk]
            writer.writerow([*head, *(getattr(run, name) for name in names)])
    return response


def _as_png(known: Known, wanted: Wanted) -> HttpResponse:
    """The picture asked about with both panes' boxes, or the pictures that both made."""
    if wanted.found["kind"] not in (REGIONS, PICTURES) or not wanted.other:
        raise InputError("There is no picture to save: regions over a picture, or pictures, of two panes are needed.")
    one, other = (_side(known, pane) for pane in (wanted.reference, wanted.other))
    details = wanted.found["panes"][wanted.other]
    if wanted.found["kind"] == REGIONS:
        with _given(known) as source:
            return HttpResponse(draw_matches(source, details, one, other), content_type="image/png")
    files = [known.file(wanted.found["pictures"][pane][0]["media"]) for pane in (wanted.reference, wanted.other)]
    if None in files:
        raise InputError("One of the two pictures is gone.")
    with files[0].open() as first, files[1].open() as second:  # type: ignore[union-attr] # none is None
        pair = details["pairs"][0]
        words = f"SSIM {pair['ssim']:.3f}" if pair["ssim"] is not None else pair["words"]
        return HttpResponse(draw_pictures([first, second], one, other, words), content_type="image/png")


def _side(known: Known, pane_id: str) -> Side:
    pane = known.pane(pane_id)
    return Side(pane.letter, pane.name, known.panes.index(pane))


def _given(known: Known) -> BinaryIO:
    given = known.row.given
    file = known.file(given["media"]) if isinstance(given, dict) and isinstance(given.get("media"), str) else None
    if file is None:
        raise InputError("The picture asked about is not stored here: it cannot be drawn on.")
    return file.open()


def _as_html(known: Known, wanted: Wanted) -> HttpResponse:
    columns = columns_of(known.series, known.reference, known.prices)
    found = wanted.found
    panes = []
    for one, column in zip(known.series, columns, strict=True):
        pane = known.pane(one.pane)
        answer = answer_of(one.pane, services.outputs(one.shown)) if one.shown else None
        diff = found.get("panes", {}).get(pane.id, {})
        panes.append(
            {
                "pane": pane,
                "is_reference": pane.id == wanted.reference,
                "side": _side(known, pane.id),
                "answer": _plain(answer.value)[:200_000] if answer else "",
                "is_text": bool(answer and answer.kind == TEXT),
                "media": _embedded(known, pane, answer.value) if answer and answer.kind in (PICTURES, SOUNDS) else [],
                "parts": diff.get("parts"),
                "alike": None if diff.get("alike") is None else round(diff["alike"] * 100),
                "details": diff,
                "strange": found.get("strange", {}).get(pane.id, ""),
                "error": one.shown.error.get("message") if one.shown and one.shown.error else "",
                "foot": foot_of(known, column, columns),
            }
        )
    shown = [one for one in panes if one["pane"].id not in found.get("strange", {})]
    context = {
        "comparison": known.row,
        "asked": _asked(known),
        "panes": panes,
        "found": found,
        "filter": wanted.filter,
        "letter": next((one["pane"].letter for one in panes if one["is_reference"]), ""),
        "columns": [one["pane"].letter for one in sorted(shown, key=lambda one: not one["is_reference"])],
        "rows": _rows(found, sorted(shown, key=lambda one: not one["is_reference"])),
        "matched": _matched(known, wanted) if found["kind"] == REGIONS else [],
        **verdict_context(known, columns),
    }
    page = render_to_string("play/compare_report.html", context)
    return HttpResponse(page, content_type="text/html; charset=utf-8")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _rows(found: dict[str, Any], shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Concepts or places, each with what every pane has of it: (letter, colour, value, width of its bar)."""
    rows = []
    for row in found.get("rows", [])[:LISTED]:
        cells = []
        for one in shown:
            value = row["values"].get(one["pane"].id)
            words = "no value" if one["pane"].id in row["values"] and "name" in row else _MISSING
            words = f"{value:.3f}" if isinstance(value, float) else value or words
            width = round(min(max(value, 0.0), 1.0) * 200, 1) if isinstance(value, float) else 0
            cells.append({"letter": one["pane"].letter, "hue": one["side"].hue, "words": words, "width": width})
        rows.append({"name": row.get("name") or row.get("path"), "cells": cells})
    return rows


def _matched(known: Known, wanted: Wanted) -> list[dict[str, Any]]:
    """Each other pane against the reference: its picture with the boxes in it, and all regions by verdict."""
    one = _side(known, wanted.reference)
    told = []
    for pane_id, details in wanted.found["panes"].items():
        other = _side(known, pane_id)
        try:
            with _given(known) as source:
                drawn = _data_address(draw_matches(source, details, one, other), "image/png")
        except PlaygroundError:
            drawn = ""
        regions = [
            *(_told(f"only in {one.letter}", one=region) for region in details["only_one"]),
            *(_told(f"only in {other.letter}", other=region) for region in details["only_other"]),
            *(_told("moved", **pair) for pair in details["moved"]),
            *(_told("same", **pair) for pair in details["same"]),
        ]
        told.append(
            {
                "one": one,
                "other": other,
                "picture": drawn,
                "regions": regions[:LISTED],
                "more": max(len(regions) - LISTED, 0),
            }
        )
    return told


def _told(verdict: str, **found: Any) -> dict[str, Any]:
    return {"verdict": verdict, "name": (found.get("one") or found["other"])["name"], **found}


@dataclass(frozen=True)
class Made:
    """A file that a pane made, with its bytes in its address; "" for one that is gone or too large."""

    kind: str
    name: str = ""
    address: str = ""
    wave: Wave | None = None


def _asked(known: Known) -> Made | None:
    """The file that was asked about; None for a text, which stands by itself."""
    given = known.row.given
    if not isinstance(given, dict) or not isinstance(given.get("media"), str):
        return None
    return _embed(known, {"content_type": known.row.kind, **given}, "that was asked about")


def _embedded(known: Known, pane: Pane, values: list[Any]) -> list[Made]:
    return [_embed(known, value, f"{number} of {pane.letter}") for number, value in enumerate(values[:12], 1)]


def _embed(known: Known, value: dict[str, Any], which: str) -> Made:
    file = known.file(value["media"])
    kind = value["content_type"].partition("/")[0]
    name = f"{_WORDS.get(kind, 'File')} {which}"
    if file is None:
        return Made(kind)
    try:
        with file.open() as source:
            if kind == "image":
                return Made(kind, name, _data_address(small_jpeg(source), "image/jpeg"))
            content = source.read(LARGEST_SOUND + 1)
    except PlaygroundError:
        return Made(kind)
    if len(content) > LARGEST_SOUND or kind not in ("audio", "video"):
        return Made(kind)
    return Made(kind, name, _data_address(content, file.content_type), _wave(content, file.content_type, name))


def _wave(content: bytes, content_type: str, name: str) -> Wave | None:
    if not content_type.startswith("audio/"):
        return None
    try:
        return wave_of(content, content_type, name)
    except PlaygroundError:
        return None


def _data_address(content: bytes, content_type: str) -> str:
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


FORMATS: dict[str, Callable[[Known, Wanted], HttpResponse]] = {
    "json": _as_json,
    "csv": _as_csv,
    "html": _as_html,
    "png": _as_png,
}
