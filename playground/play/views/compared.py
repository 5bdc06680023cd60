"""What the runs of a comparison gave: answers, figures, differences."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from playground.catalog.models import User
from playground.media.services import open_bytes
from playground.play.queries.answers import Answer, File, Filter, answer_of, differences
from playground.play.queries.compared import (
    Column,
    Prices,
    Verdict,
    columns_of,
    describe_shown,
    prices_for,
    verdicts_of,
)
from playground.play.queries.targets import Pane, describe_panes
from playground.play.strips import axis_of, strip
from playground.play.views.asking import user_of
from playground.play.views.compare import asked_round, find
from playground.protocol.errors import InputError
from playground.runs import comparisons, services
from playground.runs.comparisons import Series
from playground.runs.models import Comparison


@dataclass(frozen=True)
class Known:
    """A comparison as it stands, or stood: its panes, and of each its runs of the newest round, or of that one."""

    row: Comparison
    panes: list[Pane]
    series: list[Series]
    is_own: bool
    number: int
    is_past: bool

    @property
    def reference(self) -> str:
        """The pane chosen for it, else the first."""
        return self.row.reference or (self.panes[0].id if self.panes else "")

    @property
    def prices(self) -> Prices:
        return prices_for(self.row.user, self.series)

    def file(self, media_id: str) -> File | None:
        """A stored file that its answers or its input name."""
        found = comparisons.find_file(self.row, media_id)
        return File(found.blob_id, found.content_type, lambda: open_bytes(found)) if found else None

    def pane(self, pane_id: str) -> Pane:
        return next(pane for pane in self.panes if pane.id == pane_id)


def know(request: HttpRequest, pk: uuid.UUID) -> Known:
    user: User = user_of(request)
    row = find(user, pk, request.GET.get("key", ""))
    past = asked_round(request, row)
    row = past or row
    panes = describe_panes(row.user, [(pane["id"], pane["target"]) for pane in row.panes], row.kind)
    number = int(request.GET["round"]) if past else comparisons.last_round(row)
    return Known(row, panes, comparisons.read_series(row, number), row.user_id == user.pk, number, bool(past))


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
    left = {one.pane: one.left for one in known.series if one.left}
    return _json({"panes": shown, "reference": known.reference, "left": left})


@login_required
@require_safe
def figures(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The foot of each pane, and the line of verdicts, as HTML."""
    known = know(request, pk)
    columns = columns_of(known.series, known.reference, known.prices)
    panes = {column.pane: foot_of(known, column, columns) for column in columns}
    verdict = render_to_string("play/_compare_verdict.html", verdict_context(known, columns))
    context = {
        "comparison": known.row,
        "rounds": comparisons.list_rounds(known.row),
        "round": known.number,
        "is_past": known.is_past,
        "key": "" if known.is_own else request.GET.get("key", ""),
    }
    rounds = render_to_string("play/_compare_rounds.html", context)
    return JsonResponse({"panes": panes, "verdict": verdict, "rounds": rounds})


def foot_of(known: Known, column: Column, columns: list[Column]) -> str:
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
    return _json(differences(answers_of(known), asked_reference(request, known), asked_filter(request), known.file))


def asked_reference(request: HttpRequest, known: Known) -> str:
    """The pane that the address holds the others against, else the comparison's own."""
    asked = request.GET.get("reference", "")
    return asked if any(pane.id == asked for pane in known.panes) else known.reference


def asked_filter(request: HttpRequest) -> Filter:
    same, threshold = (_share(request, name, usual) for name, usual in (("same", 0.5), ("threshold", 0.0)))
    return Filter(same, threshold, request.GET.get("concept", "").strip()[:200])


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
