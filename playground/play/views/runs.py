"""The history of runs, of all models and of one: listed, searched, and what one does with those in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.models import Model, User, Workflow
from playground.play.queries.models import find_model
from playground.play.queries.runs import SPANS, list_asked, list_runs, mark_runs, read_asked, rows_of
from playground.play.views.asking import user_of
from playground.play.views.heads import head_of
from playground.protocol.errors import InputError
from playground.runs import history
from playground.runs.models import Run

PAGE_SIZE = 50


@login_required
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    return render(request, "play/runs.html", {"area": "runs", **list_context(request, user, None)})


@login_required
@require_safe
def model_runs(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    user = user_of(request)
    found = find_model(user, user_id, app_id, model_id)
    return render(request, "play/model_runs.html", head_of(user, found, "runs") | list_context(request, user, found))


@login_required
@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """The list alone, for the page that keeps it right; 204 when nothing is new."""
    return part(request, user_of(request), None)


@login_required
@require_safe
def model_table(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    user = user_of(request)
    return part(request, user, find_model(user, user_id, app_id, model_id))


def part(request: HttpRequest, user: User, subject: Model | Workflow | None) -> HttpResponse:
    """The list alone; 204 when nothing is new."""
    if request.GET.get("seen") == _mark(request, user, subject):
        return HttpResponse(status=204)
    return render(request, "play/_runs.html", list_context(request, user, subject))


def _mark(request: HttpRequest, user: User, subject: Model | Workflow | None) -> str:
    return f"{mark_runs(user, subject)}{request.GET.get('keep', '')[:36]}"


def list_context(request: HttpRequest, user: User, subject: Model | Workflow | None) -> dict[str, Any]:
    """The runs of one model or workflow, or all.

    ``keep`` is the newest run on screen while somebody is among the rows: later ones are counted, not shown.
    """
    seen = _mark(request, user, subject)
    asked = read_asked(request.GET.dict())
    listing = list_asked(user, subject, asked)
    newer = 0
    if kept := _kept(user, request.GET.get("keep", "")):
        newer = listing.runs.filter(created_at__gt=kept.created_at).count()
        listing = listing.upto(kept)
    page = Paginator(rows_of(listing), PAGE_SIZE).get_page(request.GET.get("page"))
    return {
        "here": _address(subject),
        "model": subject,
        "asked": asked,
        "listing": listing,
        "page": page,
        "rows": list(page.object_list),
        "newer": newer,
        "spans": [(name, words) for name, (words, _) in SPANS.items()],
        "seen": seen,
    }


def _address(subject: Model | Workflow | None) -> str:
    if subject is None:
        return reverse("play:runs")
    name = "play:workflow_runs" if isinstance(subject, Workflow) else "play:model_runs"
    return reverse(name, args=[subject.app.owner.username, subject.app.slug, subject.slug])


def _kept(user: User, run_id: str) -> Run | None:
    try:
        return list_runs(user).filter(pk=UUID(run_id)).first() if run_id else None
    except ValueError:
        return None


@login_required
@require_safe
def running(request: HttpRequest) -> HttpResponse:
    """How many of one's runs are going on, for the topbar."""
    count = Run.objects.visible_to(user_of(request)).filter(state=Run.State.RUNNING).count()
    return render(request, "play/_running.html", {"count": count})


@login_required
@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Each ``run`` of the form; says how many that were, and how many stay as they go on still."""
    asked = _run_ids(request)
    deleted = history.delete_runs(user_of(request), asked)
    return JsonResponse({"deleted": [str(run_id) for run_id in deleted], "left": len(asked) - len(deleted)})


@login_required
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Each ``run`` of the form, if it has just been deleted."""
    return JsonResponse({"restored": history.restore_runs(user_of(request), _run_ids(request))})


def _run_ids(request: HttpRequest) -> list[UUID]:
    given = request.POST.getlist("run")
    if not 0 < len(given) <= history.MOST_AT_ONCE:
        raise InputError(f"run: the ids of 1 to {history.MOST_AT_ONCE:,} runs are needed.")
    try:
        return [UUID(run_id) for run_id in dict.fromkeys(given)]
    except ValueError:
        raise InputError("run: the id of a run, a UUID, is needed.") from None
