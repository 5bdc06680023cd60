"""Choose a model or workflow: the window's list, and the one that is chosen with its method and deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from inputs.fits import KINDS, fit, fitting, why_not
from playground.catalog.models import Model, ModelVersion, User
from playground.play.forms import MethodForm, build_form, with_forms
from playground.play.queries.choices import choose
from playground.play.queries.models import ModelRow, find_model, likely_models, rows_of
from playground.play.views.asking import user_of
from playground.play.views.picker import picker_context
from playground.protocol import signatures

MOST = 200


@dataclass(frozen=True)
class Entry:
    """What may be chosen, as the list shows it; ``reason`` says why it cannot take the input."""

    name: str
    owner: str  # and app, where it is not one's own
    address: str
    url: str
    description: str
    io: str
    state: str
    reason: str


@login_required
@require_safe
def chooser(request: HttpRequest) -> HttpResponse:
    """The window; with ``q`` alone its list. ``kind`` is what the input is, ``chosen`` what is chosen now."""
    user = user_of(request)
    kind = _kind(request)
    text = request.GET.get("q", "").replace("\0", "").strip()
    found = likely_models(user, text).values_list("pk", flat=True)
    context = {
        "kind": kind,
        "text": text,
        "tab": "models",
        "chosen": request.GET.get("chosen", ""),
        "entries": _models(user, list(found[:MOST]), kind),
        "total": found.count(),
        "models_count": found.count(),
        "workflows_count": 0,
    }
    return render(request, "inputs/_chooser_list.html" if "q" in request.GET else "inputs/_chooser.html", context)


def _kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in KINDS else KINDS[0]


def _models(user: User, pks: list[int], kind: str) -> list[Entry]:
    """Those that take the input first, in the order they come; the others behind them, with the reason."""
    rows = rows_of(user, pks)
    latest = {row.model.pk: getattr(row.model, "latest_pk", None) for row in rows}
    versions = ModelVersion.objects.only("signatures_proto").in_bulk([pk for pk in latest.values() if pk])
    entries = [_entry(user, row, versions.get(latest[row.model.pk]), kind) for row in rows]
    return sorted(entries, key=lambda entry: bool(entry.reason))


def _entry(user: User, row: ModelRow, version: ModelVersion | None, kind: str) -> Entry:
    known = with_forms(version.signatures) if version else []
    able = fitting(known, kind)
    model = row.model
    at = (model.app.owner.username, model.app.slug, model.slug)
    return Entry(
        name=model.slug,
        owner="" if model.app.owner_id == user.pk else f"{at[0]} / {at[1]}",
        address=str(model),
        url=reverse("play:target", args=at),
        description=model.description,
        io=signatures.describe_io(able[0]).removesuffix(", streamed") if able else row.io,
        state=row.state,
        reason=why_not(known, kind),
    )


@login_required
@require_safe
def target(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """One model as the window shows it once it is chosen: methods that take the input, deployment, parameters."""
    user = user_of(request)
    model = find_model(user, user_id, app_id, model_id)
    kind = _kind(request)
    choice = choose(user, model, request.GET.dict())
    context = picker_context(user, model, choice) | _method_context(model, kind, request.GET.get("method", ""))
    return render(request, "inputs/_chooser_target.html", context | {"kind": kind, "samples": []})


def _method_context(model: Model, kind: str, asked: str) -> dict[str, Any]:
    version = model.latest
    known = with_forms(version.signatures) if version else []
    able = fitting(known, kind)
    signature = next((entry for entry in able if entry.name == asked), next(iter(able), None))
    form = build_form(signature) if signature is not None else None
    return {
        "name": model.slug,
        "description": model.description,
        "methods": [build_form(entry) for entry in able],
        "form": form,
        "facts": _facts(model, form, kind) if form is not None else None,
        "fields": _fields(form, kind) if form is not None else [],
        "reason": why_not(known, kind),
    }


def _facts(model: Model, form: MethodForm, kind: str) -> dict[str, Any]:
    """What the viewer keeps of the choice, to make calls by."""
    fitted = fit(form.signature, kind)
    return {
        "kind": "model",
        "target": str(model),
        "name": model.slug,
        "method": form.name,
        "io": signatures.describe_io(form.signature),
        "shape": form.shape,
        "argument": fitted.argument if fitted else "",
        "is_list": bool(fitted and fitted.is_list),
        "href": model.get_absolute_url(),
    }


def _fields(form: MethodForm, kind: str) -> list[Any]:
    """The fields that are asked for beside the input itself: required ones first, parameters last."""
    fitted = fit(form.signature, kind)
    rest = [entry for entry in form.fields if fitted is None or entry.name != fitted.argument]
    return sorted(
        (entry for entry in rest if not entry.signature.iterator),
        key=lambda entry: (not entry.is_required, bool(entry.signature.is_param)),
    )
