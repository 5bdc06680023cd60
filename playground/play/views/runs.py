"""The history of runs, of all models and of one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.catalog.models import Model
from playground.compute.models import Deployment
from playground.play.queries.models import find_model
from playground.play.queries.runs import list_runs
from playground.play.views.asking import user_of
from playground.runs.models import Run

PAGE_SIZE = 50


@login_required
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    return _show_runs(request, None, {"area": "runs"})


@login_required
@require_safe
def model_runs(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    found = find_model(user_of(request), user_id, app_id, model_id)
    shared = Deployment.objects.visible_to(user_of(request)).filter(model=found, is_shared=True).first()
    return _show_runs(request, found, {"area": "models", "tab": "runs", "deployment": shared})


def _show_runs(request: HttpRequest, model: Model | None, context: dict[str, Any]) -> HttpResponse:
    user = user_of(request)
    everything = list_runs(user, model)
    wanted = request.GET.get("state", "")
    found = everything.filter(state=wanted) if wanted in Run.State.values else everything
    counts = dict(everything.order_by().values_list("state").annotate(n=Count("pk")))
    context |= {
        "model": model,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "states": [(state, counts.get(state, 0)) for state in Run.State.values],
        "total": sum(counts.values()),
        "runs_count": sum(counts.values()),
    }
    return render(request, "play/model_runs.html" if model else "play/runs.html", context)


@login_required
@require_safe
def running(request: HttpRequest) -> HttpResponse:
    """How many of one's runs are going on, for the topbar."""
    count = Run.objects.visible_to(user_of(request)).filter(state=Run.State.RUNNING).count()
    return render(request, "play/_running.html", {"count": count})
