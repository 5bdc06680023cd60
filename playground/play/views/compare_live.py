"""Usage of some deployments over time, side by side, kept right as calls happen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from playground.catalog.models import User
from playground.compute.usage.replicas import replicas_over_time
from playground.play.charts import STARTS
from playground.play.courses import Course, Plot, course_of, plots_of
from playground.play.queries.columns import SPANS
from playground.play.queries.models import find_model
from playground.play.queries.usage import UsageRow, read_rows
from playground.play.views.asking import user_of
from playground.play.views.compare import chosen_of
from playground.runs.comparisons import MOST_PANES

USUAL = "1h"


@login_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Each deployment ``d`` of a ``model``, over the time ``span``; with ``part`` what changes alone."""
    user = user_of(request)
    address = request.GET.get("model", "")
    parts = address.split("/")
    if len(parts) != 4:
        raise Http404(f"No model {address} for you.")
    model = find_model(user, parts[0], parts[1], parts[3])
    span = SPANS.get(request.GET.get("span", USUAL), SPANS[USUAL])
    keys = [choice.deployment.pk for choice in chosen_of(request, user, model) if choice.deployment]
    now = timezone.now()
    rows = read_rows(user, model, keys, span, now)
    context = {
        "area": "compare",
        "model": model,
        "span": span,
        "spans": SPANS.values(),
        "rows": [
            {"row": row, "figures": _figures(row, rows), "steps": course.steps, "plots": plots}
            for row, (course, plots) in zip(rows, _courses(user, rows, now), strict=True)
        ],
        "times": STARTS[span.key],
        "count": len(rows),
        "gone": len(set(request.GET.getlist("d")[:MOST_PANES])) - len(rows),
    }
    return render(request, "play/_compare_live.html" if "part" in request.GET else "play/compare_live.html", context)


def _courses(user: User, rows: list[UsageRow], now: datetime) -> list[tuple[Course, list[Plot]]]:
    since = min((row.points[0].start for row in rows), default=now)
    counts = replicas_over_time(user, [row.row for row in rows], since)
    courses = [course_of(row.row.label, row.points, counts[row.row.pk], now) for row in rows]
    return list(zip(courses, plots_of(courses), strict=True))


def _figures(row: UsageRow, rows: list[UsageRow]) -> list[dict[str, Any]]:
    """The main figures, the quickest of each marked."""
    told = []
    for name, label in (("p50", "p50"), ("p95", "p95"), ("first_output_p50", "First output")):
        value = getattr(row.figures, name)
        known = [other for one in rows if (other := getattr(one.figures, name)) is not None]
        is_best = value is not None and len(known) > 1 and value == min(known) and known.count(value) == 1
        told.append({"label": label, "value": value, "is_best": is_best})
    return told
