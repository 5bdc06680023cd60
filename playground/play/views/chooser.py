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
from playground.catalog.models import Model, ModelVersion, User, Workflow
from playground.play.forms import MethodForm, build_form, with_forms
from playground.play.graphs import chain
from playground.play.queries.choices import choose
from playground.play.queries.models import ModelRow, find_model, likely_models, rows_of
from playground.play.queries.workflows import Known, WorkflowRow, find_workflow, know, list_workflows
from playground.play.queries.workflows import rows_of as workflow_rows
from playground.play.views.asking import user_of
from playground.play.views.picker import picker_context
from playground.protocol import signatures

MOST = 200
MAX_TEXT = 200


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
    """The window; with ``q`` alone its list. ``kind`` is what the input is, ``chosen`` what is chosen now, ``tab``
    whether models or workflows are listed."""
    user = user_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:MAX_TEXT]
    models, workflows = likely_models(user, text), list_workflows(user, text)
    counts = {"models": models.count(), "workflows": workflows.count()}
    tab = "workflows" if request.GET.get("tab") == "workflows" else "models"
    other = "models" if tab == "workflows" else "workflows"
    kind = _kind(request)
    if tab == "models":
        entries = _models(user, list(models.values_list("pk", flat=True)[:MOST]), kind)
    else:
        entries = _workflows(user, list(workflows.select_related("app__owner")[:MOST]), kind)
    context = {
        "kind": kind,
        "text": text,
        "tab": tab,
        "chosen": request.GET.get("chosen", ""),
        "entries": sorted(entries, key=lambda entry: bool(entry.reason)),  # those that take the input first
        "total": counts[tab],
        "counts": counts,
        "other": other,
        "elsewhere": counts[other],
    }
    return render(request, "inputs/_chooser_list.html" if "q" in request.GET else "inputs/_chooser.html", context)


def _kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in KINDS else KINDS[0]


def _models(user: User, pks: list[int], kind: str) -> list[Entry]:
    rows = rows_of(user, pks)
    latest = {row.model.pk: getattr(row.model, "latest_pk", None) for row in rows}
    versions = ModelVersion.objects.only("signatures_proto").in_bulk([pk for pk in latest.values() if pk])
    return [_model(user, row, versions.get(latest[row.model.pk]), kind) for row in rows]


def _model(user: User, row: ModelRow, version: ModelVersion | None, kind: str) -> Entry:
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


def _workflows(user: User, found: list[Workflow], kind: str) -> list[Entry]:
    rows = workflow_rows(user, found)
    return [_workflow(user, row, know(user, row.workflow) if not row.problem else None, kind) for row in rows]


def _workflow(user: User, row: WorkflowRow, known: Known | None, kind: str) -> Entry:
    workflow = row.workflow
    at = (workflow.app.owner.username, workflow.app.slug, workflow.slug)
    return Entry(
        name=workflow.slug,
        owner="" if workflow.app.owner_id == user.pk else f"{at[0]} / {at[1]}",
        address=str(workflow),
        url=reverse("play:workflow_target", args=at),
        description=workflow.description or row.chain,
        io=row.io,
        state=row.state,
        reason=_hindrance(known, kind) if known else row.problem.rstrip("."),
    )


def _hindrance(known: Known, kind: str) -> str:
    """Why a workflow cannot take the input; "" where it can."""
    if known.plan is None:
        return known.problems[0].rstrip(".") if known.problems else "It cannot be run as it is"
    if known.plan.unknown:
        return "What it takes is known once its models have been loaded"
    return why_not([known.plan.signature], kind)


@login_required
@require_safe
def workflow_target(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    """One workflow, once it is chosen: its nodes say where each of them is called."""
    user = user_of(request)
    workflow = find_workflow(user, user_id, app_id, workflow_id)
    kind, known = _kind(request), know(user, workflow)
    reason = _hindrance(known, kind)
    form = build_form(known.plan.signature) if known.plan and not reason else None
    context = {
        "name": workflow.slug,
        "description": workflow.description,
        "kind": kind,
        "reason": reason,
        "chain": chain(known.graph) if known.graph else "",
        "facts": _facts(workflow, form, kind) if form else None,
        "fields": _fields(form, kind) if form else [],
        "samples": [],
    }
    return render(request, "inputs/_chooser_target.html", context)


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


def _facts(subject: Model | Workflow, form: MethodForm, kind: str) -> dict[str, Any]:
    """What the viewer keeps of the choice, to make calls by."""
    fitted = fit(form.signature, kind)
    return {
        "kind": "workflow" if isinstance(subject, Workflow) else "model",
        "target": str(subject),
        "name": subject.slug,
        "method": form.name,
        "io": signatures.describe_io(form.signature),
        "shape": None if isinstance(subject, Workflow) else form.shape,
        "argument": fitted.argument if fitted else "",
        "is_list": bool(fitted and fitted.is_list),
        "href": subject.get_absolute_url(),
    }


def _fields(form: MethodForm, kind: str) -> list[Any]:
    """The fields that are asked for beside the input itself: required ones first, parameters last."""
    fitted = fit(form.signature, kind)
    rest = [entry for entry in form.fields if fitted is None or entry.name != fitted.argument]
    return sorted(
        (entry for entry in rest if not entry.signature.iterator),
        key=lambda entry: (not entry.is_required, bool(entry.signature.is_param)),
    )
