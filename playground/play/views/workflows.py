"""A workflow's own page, where one tries it; the list of workflows; their runs."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from playground.catalog.access import Role, has_role
from playground.catalog.models import App, User, Workflow
from playground.media.models import Reference
from playground.play.forms import MethodForm, build_form
from playground.play.graphs import draw
from playground.play.queries.runs import HEAVY, describe_run, list_runs
from playground.play.queries.workflows import Known, find_workflow, know, list_workflows, rows_of
from playground.play.views.asking import user_of
from playground.play.views.runs import list_context, part
from playground.runs.models import Run

PAGE_SIZE = 50
RECENT = 12
SAMPLES = 8


@login_required
@require_safe
def workflows(request: HttpRequest) -> HttpResponse:
    """``q`` filters."""
    user = user_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    page = Paginator(list_workflows(user, text).select_related("app__owner"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "area": "workflows",
        "rows": rows_of(user, list(page.object_list)),
        "page": page,
        "text": text,
        "total": page.paginator.count if not text else list_workflows(user).count(),
    }
    return render(request, "workflows/workflows.html", context)


def apps_to_add_to(user: User) -> list[App]:
    """The apps in which ``user`` may make workflows, their own first."""
    found = App.objects.with_role(user).select_related("owner").order_by("owner__username", "slug")
    able = [app for app in found if has_role(user, app, Role.MEMBER)]
    return sorted(able, key=lambda app: app.owner_id != user.pk)


@login_required
@require_safe
def workflow(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    user = user_of(request)
    found = find_workflow(user, user_id, app_id, workflow_id)
    run, version = run_of(request, user, found), request.GET.get("version", "")
    if run is not None and not version:
        return show_run(request, user, run)
    return _show(request, user, know(user, found, version), run)


def show_run(request: HttpRequest, user: User, run: Run) -> HttpResponse:
    """The page of a run's workflow with the run open, in the version that it ran."""
    assert run.workflow is not None
    slug = run.workflow_version.slug if run.workflow_version is not None else ""
    newest = run.workflow.latest
    is_newest = newest is not None and newest.slug == slug
    return _show(request, user, know(user, run.workflow, "" if is_newest else slug), run)


def run_of(request: HttpRequest, user: User, workflow: Workflow) -> Run | None:
    """The run that ``?run=`` names, if it is one's own and of this workflow."""
    try:
        run_id = uuid.UUID(request.GET.get("run", ""))
    except ValueError:
        return None
    return list_runs(user, workflow).filter(pk=run_id).first()


def _show(request: HttpRequest, user: User, known: Known, run: Run | None) -> HttpResponse:
    form = build_form(known.plan.signature, run.arguments if run else None) if known.plan and known.is_ready else None
    newest = known.workflow.latest
    context = {
        **head_of(user, known.workflow, "overview"),
        **graph_context(known),
        "form": form,
        "fields": form.asked if form else [],
        "needs": {"parts": bool(form and form.has_parts), "media": bool(form and form.shows_media)},
        "is_old": newest is not None and newest.pk != known.version.pk,
        "run": run,
        "run_facts": describe_run(run) if run else None,
        "samples": _samples(form),
        "socket": f"{settings.SUB_PATH}/ws/runs/",
        **_recent_context(user, known.workflow, run),
    }
    response = render(request, "workflows/workflow.html", context)
    response.shows_pictures = bool(form and form.takes_pictures)  # type: ignore[attr-defined] # for SecurityHeadersMiddleware
    return response


def graph_context(known: Known) -> dict[str, Any]:
    """The graph both ways, and what hinders it."""
    return {
        "known": known,
        "version": known.version,
        "graph": draw(known.graph, known.plan) if known.graph else "",
        "graph_upright": draw(known.graph, known.plan, is_upright=True) if known.graph else "",
    }


def _samples(form: MethodForm | None) -> list[Reference]:
    if form is None or not form.takes_pictures:
        return []
    return list(Reference.objects.filter(is_sample=True, content_type__startswith="image/").order_by("name")[:SAMPLES])


def head_of(user: User, workflow: Workflow, tab: str) -> dict[str, Any]:
    return {
        "area": "workflows",
        "tab": tab,
        "workflow": workflow,
        "runs_count": list_runs(user, workflow).count(),
        "may_edit": has_role(user, workflow.app, Role.MEMBER),
        "may_delete": has_role(user, workflow.app, Role.OWNER),
    }


@login_required
@require_safe
def recent(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    """The strip of recent runs at the foot of a result."""
    user = user_of(request)
    found = find_workflow(user, user_id, app_id, workflow_id)
    return render(request, "workflows/_recent.html", _recent_context(user, found, run_of(request, user, found)))


def _recent_context(user: User, workflow: Workflow, run: Run | None) -> dict[str, Any]:
    found = list_runs(user, workflow)
    recent_runs = list(found.defer(*HEAVY)[:RECENT])
    return {"workflow": workflow, "run": run, "recent_runs": recent_runs, "runs_count": found.count()}


@login_required
@require_safe
def runs(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    user = user_of(request)
    found = find_workflow(user, user_id, app_id, workflow_id)
    context = list_context(request, user, found) | head_of(user, found, "runs")
    return render(request, "workflows/runs.html", context)


@login_required
@require_safe
def runs_table(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    user = user_of(request)
    return part(request, user, find_workflow(user, user_id, app_id, workflow_id))


def address_of(name: str, workflow: Workflow) -> str:
    return reverse(name, args=[workflow.app.owner.username, workflow.app.slug, workflow.slug])
