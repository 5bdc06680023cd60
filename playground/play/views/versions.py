"""The tab Versions: what each version of a model is made of. Its build log and its source are for the app's owners."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.catalog.access import Role, has_role, require_role
from playground.compute.services import read_build_log
from playground.play.queries.models import find_model, find_version
from playground.play.queries.places import mark_of
from playground.play.queries.versions import describe, list_versions
from playground.play.views.asking import user_of
from playground.play.views.heads import head_of

PAGE_SIZE = 50


@login_required
@require_safe
def model_versions(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """``?version=`` names the one whose details stand beside the list, ``?file=`` the file of it that is open."""
    user = user_of(request)
    found = find_model(user, user_id, app_id, model_id)
    latest = found.latest
    chosen = find_version(found, request.GET["version"]) if request.GET.get("version") else latest
    context = {
        **head_of(user, found, "versions"),
        "may_deploy": has_role(user, found.app, Role.MEMBER),
        "page": Paginator(list_versions(found), PAGE_SIZE).get_page(request.GET.get("page")),
        "latest": latest,
        "detail": describe(user, chosen, latest, request.GET.get("file", "")) if chosen else None,
    }
    return render(request, "play/model_versions.html", context)


@login_required
@require_safe
def build_log(request: HttpRequest, user_id: str, app_id: str, model_id: str, version_id: str) -> HttpResponse:
    """Its lines, for owners of the app; 204 when nothing is new."""
    found = find_model(user_of(request), user_id, app_id, model_id)
    require_role(user_of(request), found.app, Role.OWNER)
    version = find_version(found, version_id)
    if version is None:
        raise Http404(f"{found} has no version yet.")
    log = "\n".join(read_build_log(version))
    seen = mark_of([log])
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return render(request, "play/_build_log.html", {"version": version, "log": log, "seen": seen})
