"""Dialogs about one deployment that any page can open, each a page of its own without scripts: and what they act on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.models import PRIVATE, PUBLIC, Model, User
from playground.compute import services
from playground.compute.models import Deployment, Nodepool
from playground.compute.usage.queries import series, summary
from playground.play.charts import chart
from playground.play.forms.deployments import Variable, changed_environment
from playground.play.queries import places
from playground.play.queries.columns import SPANS, USUAL_SPAN
from playground.play.queries.nodepools import list_offers
from playground.play.views.asking import user_of, wants_no_page
from playground.protocol.errors import AccessError, InputError

_FOR_WHO_MAY_CHANGE = {"scale", "edit", "delete", "log"}
_ACTS = _FOR_WHO_MAY_CHANGE | {"usage"}
_DELAYS = {
    "traffic_history_seconds": ("Looks back over", "The traffic by which it decides how many replicas there are."),
    "scale_up_delay_seconds": ("Adds a replica after", "Of more calls than its replicas take."),
    "scale_down_delay_seconds": ("Removes a replica after", "Of fewer calls than its replicas could take."),
    "scale_to_zero_delay_seconds": (
        "Stops the last after",
        "Without a call, where 0 is the fewest: nothing is used then, and the next call waits for a start.",
    ),
}


class EditForm(forms.Form):
    """What can be changed of a deployment beside its scale; bounds are the services'."""

    description = forms.CharField(required=False, strip=True)
    version = forms.CharField(required=False)
    visibility = forms.TypedChoiceField(choices=[(PRIVATE, "private"), (PUBLIC, "public")], coerce=int, required=False)
    queue_limit = forms.IntegerField(min_value=1)
    traffic_history_seconds = forms.IntegerField(min_value=0)
    scale_up_delay_seconds = forms.IntegerField(min_value=0)
    scale_down_delay_seconds = forms.IntegerField(min_value=0)
    scale_to_zero_delay_seconds = forms.IntegerField(min_value=0)


@login_required
@require_safe
def dialog(request: HttpRequest, user_id: str, deployment_id: str, act: str) -> HttpResponse:
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    if act not in _ACTS:
        raise Http404(f"No such act: {act}.")
    if act in _FOR_WHO_MAY_CHANGE:
        services.require_change(user, found)
    context = {"area": "compute", "deployment": found, "act": act, **_context(request, user, found, act)}
    context["template"] = f"play/_act_{act}.html"
    is_part = request.headers.get("X-Part") == "dialog"
    return render(request, context["template"] if is_part else "play/act.html", context)


def _context(request: HttpRequest, user: User, row: Deployment, act: str) -> dict[str, Any]:
    if act == "usage":
        return _usage(request, user, row)
    if act == "log":
        log = places.log_of(user, row)
        return {"log": log, "log_seen": places.mark_of([log])}
    if act == "edit":
        return {
            "delays": [(name, *words, getattr(row, name)) for name, words in _DELAYS.items()],
            "versions": list(row.model.versions.order_by("-pk")[:50]),
            "latest": row.model.latest,
            "variables": [
                Variable(one.name, one.value, is_secret=one.is_secret, is_kept=one.is_secret)
                for one in row.environment.all()
            ],
            "preferences": [] if row.is_shared else _preferences(user, row),
        }
    return {"running": row.replicas.exclude(state=Deployment.State.DRAINING).count()}


def _preferences(user: User, row: Deployment) -> list[dict[str, Any]]:
    """A field for each nodepool it has, in order, and one for another; with what each nodepool offers.

    One that it has stays to be chosen, also where the reader no longer sees it or it has become too small.
    """
    offers = list_offers(user, row.model, row.served_version, row.min_replicas)
    placed = _placed(row)
    fitting = {one.row.pk: f"{one.label} · {one.verdict}" for one in offers if not one.refusal}
    known = Nodepool.objects.filter(pk__in=placed).select_related("cluster")
    kept = {one.pk: f"{one.cluster.slug} / {one.slug} · kept" for one in known}
    fields: list[int | None] = [*placed, None] if len(placed) < len(offers) else list(placed)
    return [
        {
            "words": f"Nodepool {number}" if number > 1 else "Nodepool",
            "number": number,
            "chosen": chosen,
            "options": (fitting if chosen is None else {chosen: kept[chosen]} | fitting).items(),
        }
        for number, chosen in enumerate(fields, 1)
    ]


def _placed(row: Deployment) -> list[int]:
    return list(row.placements.order_by("position").values_list("nodepool", flat=True)) or [row.nodepool_id]


def _usage(request: HttpRequest, user: User, row: Deployment) -> dict[str, Any]:
    span, now = SPANS.get(request.GET.get("span", ""), USUAL_SPAN), timezone.now()
    points = series(user, row.pk, now - span.length, now, span.points)
    return {
        "span": span,
        "spans": SPANS.values(),
        "figures": summary(user, [row.pk], now - span.length, now)[row.pk],
        "points": [point for point in reversed(points) if point.calls],
        "chart": chart(points, span, row.label),
        "is_own": user.is_superuser or row.owner_id == user.pk,
    }


@login_required
@require_POST
def edit(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """``version`` empty follows the latest, ``nodepool`` is there once for each, in order of preference.

    The environment is as its rows say. What is the same as before changes nothing.
    """
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    services.require_change(user, found)
    form = EditForm(request.POST)
    if not form.is_valid():
        raise InputError(_first_error(form))
    given = form.cleaned_data
    slug = given.pop("version")
    visibility = given.pop("visibility") or found.visibility
    if slug != (found.version.slug if found.version else ""):
        given["version"] = services.find_version(found.model, slug) if slug else None
    if not found.is_shared:
        given["visibility"] = visibility
        chosen = [key for key in request.POST.getlist("nodepool") if key]
        if chosen and chosen != [str(key) for key in _placed(found)]:
            given["nodepools"] = _nodepools(user, chosen)
    if "has_environment" in request.POST:
        given |= changed_environment(found, request.POST)
    services.edit_deployment(user, found, **given)
    if wants_no_page(request):
        return HttpResponse(status=204)
    messages.info(request, f"{found.slug} is changed.")
    return redirect("play:compute_deployment", found.owner.username, found.slug)


def _nodepools(user: User, keys: list[str]) -> list[Nodepool]:
    """Those with these keys, in this order. Raises InputError."""
    found = (
        Nodepool.objects.visible_to(user).select_related("cluster").in_bulk([int(key) for key in keys if _is_key(key)])
    )
    if lost := [key for key in keys if not _is_key(key) or int(key) not in found]:
        count = "A nodepool" if len(lost) == 1 else "Several nodepools"
        raise InputError(f"{count} among those chosen is gone, or no longer shared with you. Choose another.")
    return [found[int(key)] for key in keys]


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _first_error(form: EditForm) -> str:
    name, errors = next(iter(form.errors.items()))
    words = _DELAYS[name][0] if name in _DELAYS else name.replace("_", " ").capitalize()
    return f"{words}: {errors[0]}"


@login_required
@require_safe
def download_log(request: HttpRequest, user_id: str, deployment_id: str) -> HttpResponse:
    """The whole log, for who may change the deployment and still sees its model: it can hold others' calls."""
    user = user_of(request)
    found = places.find_deployment(user, user_id, deployment_id)
    services.require_change(user, found)
    if not Model.objects.visible_to(user).filter(pk=found.model_id).exists():
        raise AccessError(f"The model of {found.slug} is no longer shared with you: its log can hold others' calls.")
    path = services.log_path(found)
    older = path.with_suffix(".log.1")
    kept = [file.read_bytes() for file in (older, path) if file.exists()]  # bounded: the log turns over
    answer = HttpResponse(b"".join(kept) or found.log_tail, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.slug}.log"'
    return answer
