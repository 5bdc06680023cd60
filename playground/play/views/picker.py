"""The deployment picker: what stands chosen, what there is to choose from, and cluster with nodepool."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.catalog.access import Role, has_role
from playground.catalog.models import Model, User
from playground.play.queries.choices import Choice, choose, list_choices, list_pairs
from playground.play.queries.models import find_model
from playground.play.views.asking import user_of
from playground.play.views.starts import start_context


def picker_context(user: User, model: Model, choice: Choice) -> dict[str, Any]:
    return {"model": model, "choice": choice, "may_deploy": has_role(user, model.app, Role.MEMBER)}


@login_required
@require_safe
def place(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """What the address names, as the page shows it once it is chosen: the button, and the state of what it names."""
    user = user_of(request)
    model = find_model(user, user_id, app_id, model_id)
    choice = choose(user, model, request.GET.dict())
    version = (choice.deployment.served_version if choice.deployment else None) or model.latest
    has_forms = bool(version and version.signatures)
    context = picker_context(user, model, choice) | start_context(user, choice.deployment, has_forms=has_forms)
    return render(request, "play/_place.html", context | {"is_update": True})


@login_required
@require_safe
def places(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """What the picker lists: deployments that match ``q``; ``by=pair``: clusters, and one's nodepools."""
    user = user_of(request)
    model = find_model(user, user_id, app_id, model_id)
    context = picker_context(user, model, choose(user, model, request.GET.dict()))
    if request.GET.get("by") == "pair":
        pairs = list_pairs(user, model)
        cluster = request.GET.get("cluster", "")
        cluster = cluster if cluster in pairs else next(iter(pairs), "")
        context |= {"clusters": list(pairs), "cluster": cluster, "nodepools": pairs.get(cluster, [])}
        return render(request, "play/_picker_pair.html", context)
    text = request.GET.get("q", "").replace("\0", "").strip()
    listed = list_choices(user, model, text)
    only = "play/_picker_items.html" if "q" in request.GET else "play/_picker_list.html"
    return render(request, only, context | {"listed": listed, "text": text})
