"""What the runs of a comparison gave: answers, figures, differences; and all of it as a file."""

from __future__ import annotations

import csv
import math
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from playground.catalog.models import User
from playground.play.queries.compared import (
    Answer,
    Column,
    Prices,
    Verdict,
    answer_of,
    columns_of,
    describe_shown,
    differences,
    prices_for,
    verdicts_of,
)
from playground.play.queries.targets import Pane, describe_panes
from playground.play.strips import axis_of, strip
from playground.play.views.asking import user_of
from playground.play.views.compare import find
from playground.protocol.errors import InputError
from playground.runs import comparisons, services
from playground.runs.comparisons import Series
from playground.runs.models import Comparison

FORMAT = "playground-comparison/1"
FORMATS = ("json", "csv", "html")


@dataclass(frozen=True)
class Known:
    """A comparison as it stands: its panes, and of each its runs of the newest round."""

    row: Comparison
    panes: list[Pane]
    series: list[Series]
    is_own: bool

    @property
    def reference(self) -> str:
        """The pane chosen for it, else the first."""
        return self.row.reference or (self.panes[0].id if self.panes else "")

    @property
    def prices(self) -> Prices:
        return prices_for(self.row.user, self.series)

    def pane(self, pane_id: str) -> Pane:
        return next(pane for pane in self.panes if pane.id == pane_id)


def know(request: HttpRequest, pk: uuid.UUID) -> Known:
    user: User = user_of(request)
    row = find(user, pk, request.GET.get("key", ""))
    panes = describe_panes(row.user, [(pane["id"], pane["target"]) for pane in row.panes], row.kind)
    return Known(row, panes, comparisons.read_series(row), row.user_id == user.pk)


@login_required
@require_safe
def results(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What each pane shows when the page is opened: its newest run, whole."""
    known = know(request, pk)
    shown = {}
    for one in known.series:
        if (run := one.shown) is not None:
            pane = known.pane(one.pane)
            shown[one.pane] = describe_shown(pane, run, is_own=known.is_own) | {"asked": pane.name}
    return _json({"panes": shown, "reference": known.reference})


@login_required
@require_safe
def figures(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The foot of each pane, and the line of verdicts, as HTML."""
    known = know(request, pk)
    columns = columns_of(known.series, known.reference, known.prices)
    panes = {column.pane: _foot(known, column, columns) for column in columns}
    verdict = render_to_string("play/_compare_verdict.html", verdict_context(known, columns))
    return JsonResponse({"panes": panes, "verdict": verdict})


def _foot(known: Known, column: Column, columns: list[Column]) -> str:
    base = next((one for one in columns if one.pane == known.reference), None)
    axis = axis_of([one.totals for one in columns])
    letter = known.pane(column.pane).letter
    drawing = None
    if axis is not None and any(len(one.totals) > 1 for one in columns):
        median = base.spread.median if base and base.spread and base is not column else None
        drawing = strip(column.totals, axis, f"{letter}, total time", reference=median)
    context = {"column": column, "letter": letter, "strip": drawing, "totals": list(enumerate(column.totals, start=1))}
    return render_to_string("play/_compare_foot.html", context)


def verdict_context(known: Known, columns: list[Column]) -> dict[str, Any]:
    letters = {pane.id: pane.letter for pane in known.panes}
    said = [describe_verdict(one, letters, known.reference) for one in verdicts_of(columns, known.reference)]
    once = [column for column in columns if column.planned == 1]
    return {
        "said": [words for words in said if words],
        "is_once": len(once) == len(columns) > 1 and any(column.ended for column in columns),
    }


def describe_verdict(verdict: Verdict, letters: dict[str, str], reference: str) -> dict[str, str] | None:
    """Whether one is faster, as {head, words, range}; None where there is too little to speak of."""
    found, name, base = verdict.difference, letters[verdict.pane], letters[reference]
    so_far = f" so far, {verdict.ended} of {verdict.planned} repeats" if verdict.ended < verdict.planned else ""
    if found is None:
        return None
    if not found.is_clear:
        few = "" if found.count >= 4 else f": {found.count} repeats are too few to tell"
        return {"head": "", "words": f"{name} and {base}: no clear difference{so_far}{few}", "range": ""}
    word = "faster" if found.amount < 0 else "slower"
    less = "less" if found.amount < 0 else "more"
    words = f"{_span(abs(found.amount))} {less} in total"
    words += f", {abs(found.shares[0]) * 100:.0f}\u00a0%" if found.shares else ""
    edges = sorted(abs(share) * 100 for share in found.shares[1:]) if found.shares else []
    told = f"(95\u00a0% interval {edges[0]:.0f} to {edges[1]:.0f}\u00a0%)" if edges else ""
    return {"head": f"{name} is {word} than {base}:", "words": f"{words}{so_far}", "range": told}


def _span(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f}\u00a0s" if milliseconds >= 100 else f"{milliseconds:.0f}\u00a0ms"


@login_required
@require_safe
def different(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What of the answers differs from the reference's; ``same`` is from which overlap regions are the same."""
    known = know(request, pk)
    same, threshold = (_share(request, name, usual) for name, usual in (("same", 0.5), ("threshold", 0.0)))
    reference = request.GET.get("reference") or known.reference
    return _json(differences(answers_of(known), reference, same_from=same, threshold=threshold))


def answers_of(known: Known) -> list[Answer]:
    found = (answer_of(one.pane, services.outputs(one.shown)) for one in known.series if one.shown is not None)
    return [answer for answer in found if answer is not None]


def _share(request: HttpRequest, name: str, usual: float) -> float:
    try:
        value = float(request.GET.get(name, usual))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise InputError(f"{name}: a number from 0 to 1 is needed.")
    return value


def _json(plain: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(plain, option=orjson.OPT_NON_STR_KEYS), content_type="application/json")


# As a file.


@login_required
@require_safe
def export(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """``format`` is json, csv, or html: a page that needs nothing else."""
    form = request.GET.get("format", "json")
    if form not in FORMATS:
        raise InputError(f"format: one of {', '.join(FORMATS)} is needed.")
    known = know(request, pk)
    response = {"json": _as_json, "csv": _as_csv, "html": _as_html}[form](known)
    name = "".join(letter if letter.isalnum() else "-" for letter in known.row.name[:60]).strip("-") or "comparison"
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{form}") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _as_json(known: Known) -> HttpResponse:
    columns = columns_of(known.series, known.reference, known.prices)
    panes = []
    for one, column in zip(known.series, columns, strict=True):
        pane = known.pane(one.pane)
        shown = one.shown
        panes.append(
            {
                "letter": pane.letter,
                "target": str(pane.target),
                "is_reference": pane.id == known.reference,
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
        "differences": differences(answers_of(known), known.reference),
    }
    content = orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return HttpResponse(content, content_type="application/json")


def _as_csv(known: Known) -> HttpResponse:
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


def _as_html(known: Known) -> HttpResponse:
    columns = columns_of(known.series, known.reference, known.prices)
    found = differences(answers_of(known), known.reference)
    panes = []
    for one, column in zip(known.series, columns, strict=True):
        pane = known.pane(one.pane)
        answer = answer_of(one.pane, services.outputs(one.shown)) if one.shown else None
        text = answer.value if answer and answer.kind == "text" else None
        plain = orjson.dumps(answer.value, option=orjson.OPT_INDENT_2).decode() if answer and text is None else text
        diff = found.get("panes", {}).get(pane.id, {}) if found["kind"] == "text" else {}
        panes.append(
            {
                "pane": pane,
                "is_reference": pane.id == known.reference,
                "answer": (plain or "")[:200_000],
                "parts": diff.get("parts"),
                "alike": round(diff["alike"] * 100) if diff else None,
                "error": one.shown.error.get("message") if one.shown and one.shown.error else "",
                "foot": _foot(known, column, columns),
            }
        )
    context = {"comparison": known.row, "panes": panes, **verdict_context(known, columns)}
    page = render_to_string("play/compare_report.html", context)
    return HttpResponse(page, content_type="text/html; charset=utf-8")
