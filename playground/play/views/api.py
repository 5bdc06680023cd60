"""The tab API: the call that stands in the form, as code."""

from __future__ import annotations

import ipaddress
import json
import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.access import Role, has_role
from playground.catalog.links import dialled
from playground.catalog.models import Model, User
from playground.play.queries.choices import Choice, choose
from playground.play.queries.models import find_model, find_version
from playground.play.queries.snippets import Asked, list_methods, list_places, pick_method, write_code
from playground.play.views.asking import user_of
from playground.play.views.heads import head_of
from playground.protocol.errors import InputError, NotFoundError
from playground.runs.history import find_run
from playground.runs.models import Run

PLACE = ("deployment", "owner", "cluster", "nodepool")
LANGUAGES = ("python", "async", "clarifai", "cli", "clarifai-cli")
LARGEST = 1_000_000
_WILDCARDS = ("0.0.0.0", "::", "")
_QUERY_NAMES = {
    "deployment_id": "deployment",
    "deployment_user_id": "owner",
    "compute_cluster_id": "cluster",
    "nodepool_id": "nodepool",
}


@login_required
@require_safe
def model_api(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """Method, place, version and run stand in the address; what the form holds comes after, from the page itself."""
    user = user_of(request)
    model = find_model(user, user_id, app_id, model_id)
    run = _run_of(request, user, model)
    context = _code_context(request, user, model, run, run.arguments if run else {})
    places = [(place, _href(request, place)) for place in list_places(user, model)]
    context |= head_of(user, model, "api")
    context |= {"places": places, "may_deploy": has_role(user, model.app, Role.MEMBER)}
    return render(request, "play/model_api.html", context)


@login_required
@require_POST
def model_code(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """The code alone, for arguments that the page sends as JSON: they are too much, and too private, for an address."""
    user = user_of(request)
    model = find_model(user, user_id, app_id, model_id)
    arguments = _read_arguments(request.POST.get("arguments", ""))
    return render(request, "play/_code.html", _code_context(request, user, model, None, arguments))


def _read_arguments(text: str) -> dict[str, Any]:
    if len(text) > LARGEST:
        raise InputError(f"The arguments are too long to be shown as code: {LARGEST // 1_000_000} MB at most.")
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("The arguments are no JSON.") from None
    if not isinstance(read, dict):
        raise InputError("The arguments are given by name.")
    return read


def _code_context(
    request: HttpRequest, user: User, model: Model, run: Run | None, arguments: dict[str, Any]
) -> dict[str, Any]:
    choice = choose(user, model, _asked(request, run))
    version_id = request.GET.get("version", "")
    served = choice.deployment.version if choice.deployment and not version_id else None
    known = list_methods(served or find_version(model, version_id))
    signature = pick_method(known, request.GET.get("method") or (run.method if run else ""))
    if run is not None and (signature is None or signature.name != run.method):
        arguments = {}
    language = request.GET.get("code", "")
    code = None
    if signature is not None and not choice.refusal:
        code = write_code(user, model, Asked(signature, version_id, choice, arguments), gateway_address(request))
    return {
        "model": model,
        "version_id": version_id,
        "methods": known,
        "method": signature,
        "choice": choice,
        "run": run,
        "code": code,
        "language": language if language in LANGUAGES else LANGUAGES[0],
        "is_out_of_reach": is_out_of_reach(request),
    }


def _asked(request: HttpRequest, run: Run | None) -> dict[str, str]:
    """The place that the address names, ``deployment=`` for Shared; else the one that the run asked for."""
    if run is None or any(name in request.GET for name in PLACE):
        return request.GET.dict()
    return {_QUERY_NAMES[key]: value for key, value in run.selector.items() if key in _QUERY_NAMES}


def _href(request: HttpRequest, place: Choice) -> str:
    """This page with another place."""
    kept = {name: value for name, value in request.GET.items() if name not in PLACE}
    return f"?{urlencode({**kept, 'deployment': '', **place.query})}"


def _run_of(request: HttpRequest, user: User, model: Model) -> Run | None:
    """The run that ``?run=`` names, if one may read it and it is of this model."""
    try:
        run = find_run(user, uuid.UUID(request.GET.get("run", "")), request.GET.get("key", ""))
    except (ValueError, NotFoundError):
        return None
    return run if run.model_id == model.pk else None


def gateway_address(request: HttpRequest) -> str:
    """Where programs reach the API: on this machine, or at the name by which this page was reached."""
    host = settings.GATEWAY_HOST
    if host in _WILDCARDS:
        host = urlsplit(f"//{request.get_host()}").hostname or ""
    return f"http://{dialled(host)}:{settings.GATEWAY_PORT}"


def is_out_of_reach(request: HttpRequest) -> bool:
    """Whether the page is read from elsewhere while the API listens on its own machine alone."""
    is_closed = _is_loopback(settings.GATEWAY_HOST)
    return is_closed and not _is_loopback(urlsplit(f"//{request.get_host()}").hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
