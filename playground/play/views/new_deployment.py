"""A new deployment: its form, as a page or inside a dialog, then its start; and calling it off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from playground.catalog.access import Role, has_role, require_role, role_of
from playground.catalog.models import Model, ModelVersion, User
from playground.compute import services
from playground.compute.models import Deployment, Nodepool
from playground.play.forms.deployments import DeploymentForm, Variable, environment_facts, read_variables
from playground.play.queries import nodepools, places, starts
from playground.play.queries.choices import choice_of
from playground.play.views.asking import user_of
from playground.play.views.starts import find_visible
from playground.protocol.errors import ConflictError, PlaygroundError
from playground.templatetags.ui import megabytes, seconds

if TYPE_CHECKING:
    from playground.play.queries.nodepools import Offer

MOST_MODELS, MOST_VERSIONS = 500, 50
FIRST_VALUES = {
    "least": "0",
    "most": "1",
    "idle_minutes": "15",
    "up_seconds": "5",
    "down_seconds": "60",
    "history_seconds": "60",
    "queue_limit": "256",
}
ADDRESS_PARTS = 4  # user/app/models/model


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_deployment(request: HttpRequest) -> HttpResponse:
    """``model`` is the address that programs use; what else the query names stands in the form at first."""
    user = user_of(request)
    given = request.POST if request.method == "POST" else request.GET
    model = _find_model(user, given.get("model", ""))
    if request.method != "POST" or model is None:
        return _show(request, _form_context(user, model, given))
    require_role(user, model.app, Role.MEMBER)
    form, variables = DeploymentForm(given), read_variables(given)
    made = _create(user, model, form, variables, given.get("version", ""))
    context = _form_context(user, model, given) | {"form": form, "variables": variables}
    context["values"] |= {"name": given.get("name", "")}
    if made is None:
        return _show(request, context, status=200 if _is_htmx(request) else 422)
    if not _is_htmx(request):
        messages.info(request, f"{made.slug} is on its way. It goes on whether or not this page is open.")
        return redirect("play:compute_deployment", user.username, made.slug)
    response = _show(request, context | _start_context(user, made))
    choice = choice_of(made, user)
    news = {"model": str(model), "label": choice.label, "query": choice.query_string}
    response["HX-Trigger"] = json.dumps({"deployment-created": news})
    return response


@login_required
@require_safe
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the start is, for the dialog that polls it."""
    user = user_of(request)
    found = find_visible(user, pk)
    if found is None:
        if not _is_htmx(request):
            raise Http404(f"No deployment {pk} for you.")
        return render(request, "play/_deployment_gone.html", {"id": "new-start"}, status=404)
    return render(request, "play/_new_start.html", _start_context(user, found) | {"is_update": True})


@login_required
@require_POST
def cancel(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """Delete one that was just asked for, unless calls go to it by now."""
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    services.require_change(user, found)
    if found.is_ready:
        raise ConflictError(f"{found.slug} is ready by now, and calls may be running. Delete it on its own page.")
    services.delete_deployments(user, [found.slug], owner=found.owner)
    words = f"{found.slug} is cancelled. Nothing of it is left."
    if not _is_htmx(request):
        messages.info(request, words)
        return redirect("play:compute")
    given = request.POST.copy()
    given["model"] = str(found.model)
    context = _form_context(user, found.model, given) | {"variables": read_variables(given), "news": words}
    return _show(request, context)


def _is_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined] # set by HtmxMiddleware


def _show(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    is_dialog = bool(request.GET.get("dialog") or request.POST.get("dialog"))
    template = "play/_new_deployment.html" if _is_htmx(request) or is_dialog else "play/new_deployment.html"
    return render(request, template, context | {"area": "compute", "is_dialog": is_dialog}, status=status)


def _find_model(user: User, address: str) -> Model | None:
    """None where none is named. Raises Http404 in the same words for one that is hidden and one that is not there."""
    if not address:
        return None
    parts = address.split("/")
    found = None
    if len(parts) == ADDRESS_PARTS and parts[2] == "models" and "\0" not in address:
        rows = Model.objects.visible_to(user).select_related("app__owner")
        found = rows.at(parts[0], parts[1], parts[3]).first()
    if found is None:
        raise Http404(f"No model {address} for you.")
    return found


def _form_context(user: User, model: Model | None, given: QueryDict) -> dict[str, Any]:
    models = list(Model.objects.deployable_by(user).select_related("app__owner").order_by("slug", "pk")[:MOST_MODELS])
    if model is not None and not has_role(user, model.app, Role.MEMBER):
        return {"model": model, "models": models, "role": role_of(user, model.app), "is_refused": True}
    model = model or (models[0] if models else None)
    if model is None:
        return {"model": None, "models": []}
    values = FIRST_VALUES | {name: given.get(name, "") for name in [*FIRST_VALUES, "is_public"] if name in given}
    versions = list(model.versions.order_by("-pk")[:MOST_VERSIONS])
    version = next((one for one in versions if one.slug == given.get("version")), None)
    served = version or (versions[0] if versions else None)
    least = _count(values["least"])
    offers = nodepools.list_offers(user, model, served, least)
    offer = _chosen(offers, given.get("nodepool", ""))
    suggested = suggest_name(user, model)
    is_own_name = bool(given.get("name")) and given.get("name") != given.get("suggested")
    return {
        "model": model,
        "models": models,
        "versions": versions,
        "version": version,
        "offers": offers,
        "offer": offer,
        "forecast": starts.forecast(offer.row, offer.usual) if offer else [],
        "cost": _cost(model, served, offer, least, values["idle_minutes"]),
        "values": {**values, "name": given.get("name") if is_own_name else suggested},
        "suggested": suggested,
        "variables": [],
        "max_minutes": 24 * 60,
    }


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 else 1


def _chosen(offers: list[Offer], pk: str) -> Offer | None:
    """The nodepool that was named, where it can be chosen; else the first that can."""
    usable = [offer for offer in offers if not offer.refusal]
    return next((offer for offer in usable if str(offer.row.pk) == pk), usable[0] if usable else None)


def suggest_name(user: User, model: Model) -> str:
    taken = set(Deployment.objects.filter(owner=user, slug__startswith=model.slug[:56]).values_list("slug", flat=True))
    names = (f"{model.slug[:56]}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _cost(model: Model, version: ModelVersion | None, offer: Offer | None, least: int, minutes: str) -> str:
    """What it costs and saves to keep so many ready, in words."""
    if offer is None or offer.row.engine == Nodepool.Engine.REMOTE:
        return "Whoever keeps its addresses bears the cost: replicas there are found, not started."
    each = megabytes(nodepools.replica_bytes(model, version))
    if least:
        ready = "1 replica is" if least == 1 else f"{least} replicas are"
        more = "" if least == 1 else " each"
        return (
            f"{ready} always ready, and no call waits for a start. That keeps about {each}{more} of memory, also while "
            "nobody calls. With 0 as the fewest it scales to zero."
        )
    total = offer.usual.total
    waits = f"waits about {seconds(total)}" if total is not None else "waits until one has started"
    return (
        f"Costs nothing while idle: {minutes or 0} min after the last call its replica stops, and gives about {each} "
        f"of memory back. The first call after that {waits}."
    )


def _create(
    user: User, model: Model, form: DeploymentForm, variables: list[Variable], version: str
) -> Deployment | None:
    """None when something does not fit, which then stands beside its field."""
    if not form.is_valid():
        return None
    rows = Nodepool.objects.visible_to(user).select_related("cluster")
    nodepool = rows.filter(pk=form.cleaned_data["nodepool"]).first()
    if nodepool is None:
        form.add_error("nodepool", "This nodepool is gone, or no longer shared with you. Choose another.")
        return None
    try:
        chosen = services.find_version(model, version) if version else None
        facts: Mapping[str, Any] = form.facts() | environment_facts(variables)
        name = form.cleaned_data["name"]
        return services.create_deployment(user, name, model, version=chosen, nodepools=[nodepool], **facts)
    except PlaygroundError as error:
        form.refuse(error)
        return None


def _start_context(user: User, deployment: Deployment) -> dict[str, Any]:
    choice = choice_of(deployment, user)
    may_change = services.may_change(user, deployment)
    return {
        "deployment": deployment,
        "start": starts.describe_start(user, deployment, with_log=may_change),
        "may_change": may_change,
        "is_moving": deployment.state in starts.ON_ITS_WAY,
        "choice": choice,
        "play_url": f"{deployment.model.get_absolute_url()}?{choice.query_string}",
    }
