"""The Compute pages: where models run, each deployment with its history, and the acts of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.models import Model
from playground.compute import services
from playground.compute.models import Deployment
from playground.play.queries import places
from playground.play.queries.starts import ON_ITS_WAY, describe_start
from playground.play.views.asking import user_of, wants_no_page
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from playground.catalog.models import User

PAGE_SIZE = 20


class ScaleForm(forms.Form):
    """Whole numbers; their bounds are the services'."""

    min = forms.IntegerField(min_value=0)
    max = forms.IntegerField(min_value=1)


@login_required
@require_safe
def compute(request: HttpRequest) -> HttpResponse:
    """Clusters with their nodepools, and the deployments on them."""
    user = user_of(request)
    tally = places.tally_deployments(user)
    context = {
        "area": "compute",
        "places": places.list_places(user, tally.nodepools),
        "has_own": Deployment.objects.filter(owner=user, is_shared=False).exists(),
        "example": Model.objects.deployable_by(user).select_related("app__owner").order_by("pk").first(),
        **_table(request, tally),
    }
    return render(request, "play/compute.html", context)


@login_required
@require_safe
def compute_deployments(request: HttpRequest) -> HttpResponse:
    """The table of deployments alone, for the page that polls it; 204 when nothing is new."""
    context = _table(request, places.tally_deployments(user_of(request)))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "play/_compute_deployments.html", context)


def _table(request: HttpRequest, tally: places.Tally) -> dict[str, Any]:
    user, text = user_of(request), request.GET.get("q", "").strip()
    wanted = request.GET.get("state", "")
    wanted = wanted if wanted in Deployment.State.values else ""
    found = places.list_deployments(user, text=text, state=wanted).values_list("pk", flat=True)
    pages = Paginator(found, PAGE_SIZE)
    if not text:
        pages.count = tally.states[wanted] if wanted else tally.total  # counted already
    page = pages.get_page(request.GET.get("page"))
    lines = places.lines_of(list(page.object_list))
    facts = (fact for line in lines for fact in (line.version, line.desired, *places.facts_of(line.row)))
    seen = places.mark_of([tally.states, page.number, *facts])
    return {
        "page": page,
        "lines": lines,
        "text": text,
        "wanted": wanted,
        "states": [(state, count) for state, count in tally.states.items() if count or state == wanted],
        "total": tally.total,
        "seen": seen,
    }


@login_required
@require_safe
def deployment(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    return render(request, "play/compute_deployment.html", _detail(user, found))


@login_required
@require_safe
def deployment_live(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """What changes by itself on a deployment's page; 204 when nothing is new."""
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    context = _detail(user, found) | {"is_update": True}
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "play/_compute_live.html", context)


@login_required
@require_safe
def deployment_log(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """The last lines of its log, for its owner; 204 when nothing is new."""
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    log = places.log_of(user, found)
    if request.GET.get("seen") == places.mark_of([log]):
        return HttpResponse(status=204)
    return render(request, "play/_compute_log.html", _log(found, log))


@login_required
@require_POST
def retry(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    services.retry(user, found)
    return _done(request, found, f"{found.slug} begins again.")


@login_required
@require_POST
def enable(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """``enabled`` is yes or no."""
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    is_on = request.POST.get("enabled") == "yes"
    services.set_enabled(user, found, is_on)
    done = "is switched on" if is_on else "is switched off: its replicas stop after the calls that are running"
    return _done(request, found, f"{found.slug} {done}.")


@login_required
@require_POST
def scale(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    form = ScaleForm(request.POST)
    if not form.is_valid():
        raise InputError("Give the fewest and the most replicas as whole numbers, from 0 and from 1.")
    least, most = form.cleaned_data["min"], form.cleaned_data["max"]
    services.scale(user, found, least, most)
    return _done(request, found, f"{found.slug} has {least} to {most} replicas from now on.")


@login_required
@require_POST
def delete(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """The name is typed, as the question asks."""
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    services.require_change(user, found)
    if request.POST.get("name", "").strip() != found.slug:
        raise InputError(f"The name typed is not {found.slug}. Nothing was deleted.")
    services.delete_deployments(user, [found.slug], owner=found.owner)
    if wants_no_page(request):
        return HttpResponse(status=204)
    messages.info(request, f"{found.slug} is deleted.")
    return redirect("play:compute")


def _done(request: HttpRequest, row: Deployment, words: str) -> HttpResponse:
    if wants_no_page(request):
        return HttpResponse(status=204)
    messages.info(request, words)
    return redirect("play:compute_deployment", row.owner.username, row.slug)


def _detail(user: User, row: Deployment) -> dict[str, Any]:
    detail = places.describe(user, row)
    log = _log(row, places.log_of(user, row)) if detail.may_change else {}
    start = describe_start(user, row, with_log=False) if row.state in ON_ITS_WAY else None  # the log has its own place
    return {"area": "compute", "deployment": row, "detail": detail, "start": start, "seen": detail.mark, **log}


def _log(row: Deployment, log: str) -> dict[str, Any]:
    return {"deployment": row, "log": log, "log_seen": places.mark_of([log])}
