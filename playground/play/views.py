"""Pages of models and runs, and the partials they poll."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.models import Model, ModelVersion, User
from playground.compute import services as compute
from playground.compute.models import Deployment
from playground.media.models import Reference
from playground.play import services
from playground.play.forms import MethodForm, list_forms
from playground.protocol.signatures import MethodKind
from playground.runs.models import Run

PAGE_SIZE = 50
RECENT = 12


@login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    user = _user(request)
    found = services.list_models(user, text=text).values_list("pk", flat=True)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = services.rows_of(user, list(page.object_list))
    return render(request, "play/models.html", {"area": "models", "rows": rows, "page": page, "text": text})


@login_required
@require_safe
def model(request: HttpRequest, user_id: str, app_id: str, model_id: str, version_id: str = "") -> HttpResponse:
    found = services.find_model(_user(request), user_id, app_id, model_id)
    version = services.find_version(found, version_id)
    return _show_model(request, found, version, version_id, _run_of(request, found))


@login_required
@require_safe
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The model's page with this run open."""
    user = _user(request)
    found = services.list_runs(user).filter(pk=run_id, model__in=Model.objects.visible_to(user)).first()
    if found is None:
        raise Http404(f"No run {run_id} for you.")
    return _show_model(request, found.model, found.model.latest, "", found)


def _run_of(request: HttpRequest, model: Model) -> Run | None:
    """The run that ``?run=`` names, if it is one's own and of this model."""
    try:
        run_id = uuid.UUID(request.GET.get("run", ""))
    except ValueError:
        return None
    return services.list_runs(_user(request), model).filter(pk=run_id).first()


def _show_model(
    request: HttpRequest, model: Model, version: ModelVersion | None, version_id: str, run: Run | None
) -> HttpResponse:
    user = _user(request)
    choices = services.list_choices(user, model)
    choice = services.choose(choices, _asked_by(run) if run and not _names_place(request) else request.GET.dict())
    forms = _forms(version, run)
    context = {
        "area": "models",
        "tab": "overview",
        "model": model,
        "version_id": version_id,
        "forms": forms,
        "current": _current(forms, run.method if run else request.GET.get("method", "")),
        "choices": choices,
        "choice": choice,
        "run": run,
        "run_facts": services.describe_run(run) if run else None,
        "samples": _samples(forms),
        "socket": f"{settings.SUB_PATH}/ws/runs/",
        **_start_context(user, choice.deployment, has_forms=bool(version and version.signatures)),
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


def _forms(version: ModelVersion | None, run: Run | None) -> list[MethodForm]:
    known = version.signatures if version else []
    return list_forms(known, run.method, run.arguments) if run else list_forms(known)


def _current(forms: list[MethodForm], name: str) -> MethodForm | None:
    """The method asked for; else the first that answers piece by piece, as people come to watch; else the first."""
    named = (form for form in forms if form.name == name)
    streaming = (form for form in forms if form.kind is MethodKind.GENERATE)
    return next(itertools.chain(named, streaming, forms), None)


def _samples(forms: list[MethodForm]) -> list[Reference]:
    """The sample pictures, where a method takes pictures."""
    if not _takes_pictures(forms):
        return []
    return list(Reference.objects.filter(is_sample=True, content_type__startswith="image/").order_by("name")[:8])


def _takes_pictures(forms: list[MethodForm]) -> bool:
    return any(form.takes_pictures for form in forms)


def _start_context(user: User, deployment: Deployment | None, *, has_forms: bool) -> dict[str, Any]:
    if deployment is None:
        return {"deployment": None, "has_forms": has_forms}
    may_change = compute.may_change(user, deployment)
    is_up = deployment.is_ready or deployment.state in {Deployment.State.ZERO, Deployment.State.DRAINING}
    return {
        "deployment": deployment,
        "has_forms": has_forms,
        "start": None if is_up else services.describe_start(deployment, with_log=may_change),
        "seen": _mark_of(deployment, has_forms),
        "may_change": may_change,
        "interval": "1s" if deployment.state in services.ON_ITS_WAY else "5s",
    }


def _mark_of(deployment: Deployment, has_forms: bool) -> str:
    """Changes when there is something new to draw; a deployment on its way is new each time."""
    facts = f"{deployment.state} {deployment.reason} {deployment.generation} {has_forms}"
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


@login_required
@require_safe
def deployment_state(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel of a deployment that is not ready, with its marks elsewhere on the page; 204 when nothing is new."""
    user = _user(request)
    rows = Deployment.objects.visible_to(user).select_related("nodepool__cluster", "model__app__owner")
    found = get_object_or_404(rows, pk=pk, model__in=Model.objects.visible_to(user))
    version = found.served_version
    has_forms = bool(version and version.signatures)
    is_moving = found.state in services.ON_ITS_WAY
    if not is_moving and request.GET.get("seen") == _mark_of(found, has_forms):
        return HttpResponse(status=204)
    if has_forms and request.GET.get("forms") == "0":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = _start_context(user, found, has_forms=has_forms) | {"is_update": True}
    return render(request, "play/_deployment.html", context)


@login_required
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    user = _user(request)
    found = get_object_or_404(Deployment.objects.visible_to(user), pk=pk)
    compute.retry(user, found)
    if request.htmx:  # type: ignore[attr-defined] # set by HtmxMiddleware
        target = reverse("play:deployment_state", args=[pk])
        forms = "1" if found.served_version and found.served_version.signatures else "0"
        return redirect(f"{target}?forms={forms}")
    return redirect(found.model)


@login_required
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    return _show_runs(request, None, {"area": "runs"})


@login_required
@require_safe
def model_runs(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    found = services.find_model(_user(request), user_id, app_id, model_id)
    shared = Deployment.objects.visible_to(_user(request)).filter(model=found, is_shared=True).first()
    return _show_runs(request, found, {"area": "models", "tab": "runs", "deployment": shared})


def _show_runs(request: HttpRequest, model: Model | None, context: dict[str, Any]) -> HttpResponse:
    user = _user(request)
    everything = services.list_runs(user, model)
    wanted = request.GET.get("state", "")
    found = everything.filter(state=wanted) if wanted in Run.State.values else everything
    counts = dict(everything.order_by().values_list("state").annotate(n=Count("pk")))
    context |= {
        "model": model,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "states": [(state, counts.get(state, 0)) for state in Run.State.values],
        "total": sum(counts.values()),
        "runs_count": sum(counts.values()),
    }
    return render(request, "play/model_runs.html" if model else "play/runs.html", context)


@login_required
@require_safe
def running(request: HttpRequest) -> HttpResponse:
    """How many of one's runs are going on, for the topbar."""
    count = Run.objects.visible_to(_user(request)).filter(state=Run.State.RUNNING).count()
    return render(request, "play/_running.html", {"count": count})


@login_required
@require_safe
def recent(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """The strip of recent runs at the foot of a result."""
    user = _user(request)
    found = services.find_model(user, user_id, app_id, model_id)
    return render(request, "play/_recent.html", _recent_context(user, found, _run_of(request, found)))


def _recent_context(user: User, model: Model, run: Run | None) -> dict[str, Any]:
    found = services.list_runs(user, model)
    return {"model": model, "run": run, "recent_runs": list(found[:RECENT]), "runs_count": found.count()}


def _user(request: HttpRequest) -> User:
    """The signed-in user: views that ask stand behind ``login_required``."""
    return cast(User, request.user)
