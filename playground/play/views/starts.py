"""The panel of a deployment that is not ready: where its start stands, and beginning again."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.models import Model, User
from playground.compute import services as compute
from playground.compute.models import Deployment
from playground.play.queries.choices import choice_at
from playground.play.queries.starts import ON_ITS_WAY, describe_start
from playground.play.views.asking import user_of


def start_context(user: User, deployment: Deployment | None, *, has_forms: bool) -> dict[str, Any]:
    if deployment is None:
        return {"deployment": None, "has_forms": has_forms}
    may_change = compute.may_change(user, deployment)
    is_up = deployment.is_ready or deployment.state in {Deployment.State.ZERO, Deployment.State.DRAINING}
    return {
        "deployment": deployment,
        "has_forms": has_forms,
        "start": None if is_up else describe_start(user, deployment, with_log=may_change),
        "seen": _mark_of(deployment, has_forms),
        "may_change": may_change,
        "interval": "1s" if deployment.state in ON_ITS_WAY else "5s",
    }


def _mark_of(deployment: Deployment, has_forms: bool) -> str:
    """Changes when there is something new to draw; a deployment on its way is new each time."""
    facts = f"{deployment.state} {deployment.reason} {deployment.generation} {has_forms}"
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def find_visible(user: User, pk: int) -> Deployment | None:
    """A deployment by its key, where one sees it and its model."""
    rows = Deployment.objects.visible_to(user).select_related("owner", "nodepool__cluster", "model__app__owner")
    return rows.filter(pk=pk, model__in=Model.objects.visible_to(user)).first()


@login_required
@require_safe
def deployment_state(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel of a deployment that is not ready, with its marks elsewhere on the page; 204 when nothing is new.

    One that is gone says so to the page that polls it, which draws that in place of the panel.
    """
    user = user_of(request)
    found = find_visible(user, pk)
    if found is None:
        if not request.htmx:  # type: ignore[attr-defined] # set by HtmxMiddleware
            raise Http404(f"No deployment {pk} for you.")
        return render(request, "play/_deployment_gone.html", {"name": request.GET.get("name", "")[:80]}, status=404)
    if "plain" in request.GET:
        return _plain(request, user, found)
    version = found.served_version
    # A page that has its forms keeps them while a new version is loaded.
    has_forms = request.GET.get("forms") == "1" or bool(version and version.signatures)
    is_moving = found.state in ON_ITS_WAY
    if not is_moving and request.GET.get("seen") == _mark_of(found, has_forms):
        return HttpResponse(status=204)
    if has_forms and request.GET.get("forms") == "0":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    choice = choice_at(found, user, is_pair=request.GET.get("by") == "pair")
    context = start_context(user, found, has_forms=has_forms) | {"choice": choice, "is_update": True}
    return render(request, "play/_deployment.html", context)


def _plain(request: HttpRequest, user: User, found: Deployment) -> HttpResponse:
    """The timeline alone, for a page that asks as long as it waits; 204 where nothing is starting."""
    if found.state not in ON_ITS_WAY:
        return HttpResponse(status=204)
    start = describe_start(user, found, with_log=False)
    return render(request, "play/_timeline.html", {"deployment": found, "start": start})


@login_required
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    found = get_object_or_404(Deployment.objects.visible_to(user), pk=pk)
    compute.retry(user, found)
    if request.htmx:  # type: ignore[attr-defined] # set by HtmxMiddleware
        if request.headers.get("HX-Target") == "new-start":
            return redirect("play:new_deployment_start", pk)
        target = reverse("play:deployment_state", args=[pk])
        forms = "1" if found.served_version and found.served_version.signatures else "0"
        return redirect(f"{target}?forms={forms}")
    return redirect(found.model)
