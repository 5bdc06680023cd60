"""Usage of some deployments over time, side by side, kept right as calls happen."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from playground.play.charts import chart
from playground.play.queries.columns import SPANS
from playground.play.queries.models import find_model
from playground.play.queries.usage import UsageRow, read_rows
from playground.play.views.asking import user_of
from playground.play.views.compare import chosen_of

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
    rows = read_rows(user, model, keys, span, timezone.now())
    context = {
        "area": "compare",
        "model": model,
        "span": span,
        "spans": SPANS.values(),
        "rows": [(row, chart(row.points, span, row.row.label), _figures(row, rows)) for row in rows],
        "count": len(rows),
    }
    return render(request, "play/_compare_live.html" if "part" in request.GET else "play/compare_live.html", context)


def _figures(row: UsageRow, rows: list[UsageRow]) -> list[dict[str, Any]]:
    """The main figures, the quickest of each marked."""
    told = []
    for name, label in (("p50", "p50"), ("p95", "p95"), ("first_output_p50", "First output")):
        value = getattr(row.figures, name)
        known = [other for one in rows if (other := getattr(one.figures, name)) is not None]
        is_best = value is not None and len(known) > 1 and value == min(known) and known.count(value) == 1
        told.append({"label": label, "value": value, "is_best": is_best})
    return told
