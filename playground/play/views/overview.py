"""A model's page: try it, with a run open or none."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment
from playground.media.models import Reference
from playground.play.forms import MethodForm, list_forms
from playground.play.queries.choices import choose
from playground.play.queries.models import find_model, find_version
from playground.play.queries.runs import HEAVY, describe_run, list_runs
from playground.play.views.asking import user_of
from playground.play.views.kept_runs import show_shared
from playground.play.views.picker import picker_context
from playground.play.views.starts import start_context
from playground.play.views.workflows import show_run as show_workflow_run
from playground.protocol.errors import NotFoundError
from playground.protocol.signatures import MethodKind
from playground.runs import history
from playground.runs.models import Run

RECENT = 12


@login_required
@require_safe
def model(request: HttpRequest, user_id: str, app_id: str, model_id: str, version_id: str = "") -> HttpResponse:
    found = find_model(user_of(request), user_id, app_id, model_id)
    version = find_version(found, version_id)
    return _show_model(request, found, version, version_id, _run_of(request, found))


@login_required
@require_safe
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The page of its model or workflow with this run open; another's run by its link, to be read."""
    user = user_of(request)
    found = list_runs(user).filter(pk=run_id).first()
    if found is None:
        return show_shared(request, user, run_id, request.GET.get("key", ""))
    if found.model is None:
        return show_workflow_run(request, user, found)
    return _show_model(request, found.model, found.model.latest, "", found)


def _run_of(request: HttpRequest, model: Model) -> Run | None:
    """The run that ``?run=`` names, if it is one's own and of this model."""
    try:
        run_id = uuid.UUID(request.GET.get("run", ""))
    except ValueError:
        return None
    return list_runs(user_of(request), model).filter(pk=run_id).first()


def _show_model(
    request: HttpRequest, model: Model, version: ModelVersion | None, version_id: str, run: Run | None
) -> HttpResponse:
    user = user_of(request)
    choice = choose(user, model, _asked_by(run) if run and not _names_place(request) else request.GET.dict())
    like = None if run else _like(request, model)
    forms = _forms(version, run.arguments, run.method) if run else _forms(version, *(like[:2] if like else ()))
    asked_method = request.GET.get("method", "")
    context = {
        "area": "models",
        "tab": "overview",
        "model": model,
        "version_id": version_id,
        "forms": forms,
        "needs": {
            "parts": any(form.has_parts for form in forms),
            "media": any(form.shows_media for form in forms),
            "stream": any(form.is_stream for form in forms),
        },
        "current": _current(forms, asked_method, run.method if run else ""),
        "gone_method": _gone(forms, asked_method or (run.method if run else "")),
        "run": run,
        "run_facts": describe_run(run) if run else None,
        "like": {"method": like[1], "files": like[2]} if like else None,
        "samples": _samples(forms),
        "socket": f"{settings.SUB_PATH}/ws/runs/",
        "deployments_count": Deployment.objects.visible_to(user).filter(model=model).count(),
        **picker_context(user, model, choice),
        **start_context(user, choice.deployment, has_forms=bool(version and version.signatures)),
        **_recent_context(user, model, run),
    }
    response = render(request, "play/model.html", context)
    response.shows_pictures = _takes_pictures(forms)  # type: ignore[attr-defined] # for SecurityHeadersMiddleware
    return response


def _names_place(request: HttpRequest) -> bool:
    return any(request.GET.get(name) for name in ("deployment", "cluster", "nodepool"))


def _asked_by(run: Run) -> dict[str, str]:
    """A run's selector in the words of a query string."""
    names = {
        "deployment_id": "deployment",
        "deployment_user_id": "owner",
        "compute_cluster_id": "cluster",
        "nodepool_id": "nodepool",
    }
    return {names[key]: value for key, value in run.selector.items() if key in names}


def _forms(
    version: ModelVersion | None, arguments: Mapping[str, Any] | None = None, method: str = ""
) -> list[MethodForm]:
    return list_forms(version.signatures if version else [], method, arguments)


def _like(request: HttpRequest, model: Model) -> tuple[dict[str, Any], str, dict[str, Any]] | None:
    """The arguments and method of the run that ``?like=`` names, with its ``key``; and where its files are.

    The files are the other's: the page fetches them with the link's key, and puts them in as one's own.
    """
    try:
        run_id = uuid.UUID(request.GET.get("like", ""))
        key = request.GET.get("key", "")
        found = history.find_run(user_of(request), run_id, key)
    except (ValueError, NotFoundError):
        return None
    if found.model_id != model.pk:
        return None
    held = {name: value for name, value in found.arguments.items() if isinstance(value, dict) and "media" in value}
    plain = {name: value for name, value in found.arguments.items() if b'"media":' not in orjson.dumps(value)}
    files = {
        name: {
            "url": f"{reverse('play:run_media', args=[found.pk, value['media']])}?{urlencode({'key': key})}",
            "name": str(value.get("name") or name),
        }
        for name, value in held.items()
    }
    return plain, found.method, files


def _current(forms: list[MethodForm], *names: str) -> MethodForm | None:
    """The method asked for, else that of the open run; else the first that answers piece by piece, as people come to
    watch; else the first."""
    named = (form for name in names for form in forms if form.name == name)
    streaming = (form for form in forms if form.kind is MethodKind.GENERATE)
    return next(itertools.chain(named, streaming, forms), None)


def _gone(forms: list[MethodForm], name: str) -> str:
    """The method asked for, where this version has none of this name."""
    return "" if any(form.name == name for form in forms) else name[:80]


def _samples(forms: list[MethodForm]) -> list[Reference]:
    """The sample pictures, where a method takes pictures."""
    if not _takes_pictures(forms):
        return []
    return list(Reference.objects.filter(is_sample=True, content_type__startswith="image/").order_by("name")[:8])


def _takes_pictures(forms: list[MethodForm]) -> bool:
    return any(form.takes_pictures for form in forms)


@login_required
@require_safe
def recent(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """The strip of recent runs at the foot of a result."""
    user = user_of(request)
    found = find_model(user, user_id, app_id, model_id)
    return render(request, "play/_recent.html", _recent_context(user, found, _run_of(request, found)))


def _recent_context(user: User, model: Model, run: Run | None) -> dict[str, Any]:
    found = list_runs(user, model)
    return {"model": model, "run": run, "recent_runs": list(found.defer(*HEAVY)[:RECENT]), "runs_count": found.count()}
