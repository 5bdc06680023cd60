"""Workflows written in the browser: made, changed, checked while one types, downloaded, deleted."""

from __future__ import annotations

from itertools import chain, count
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from playground.catalog import workflows
from playground.catalog.access import Role, has_role, require_role
from playground.catalog.edits import create_app
from playground.catalog.models import PRIVATE, PUBLIC, App, User, Workflow
from playground.catalog.services import MAIN_APP_ID
from playground.play.graphs import draw
from playground.play.queries.workflows import find_workflow, know
from playground.play.views.asking import user_of
from playground.play.views.workflows import address_of, apps_to_add_to, head_of
from playground.protocol.errors import InputError
from playground.protocol.signatures import describe_io
from playground.sdk.graphs import GraphError, Plan

MOST_VERSIONS = 20
NAME = "my-workflow"
EXAMPLE = f"""\
workflow:
  id: {NAME}
  description: Finds things in a picture, and says what each of them is.
  nodes:
    - id: detect
      model:
        model_id: nanodet
      arguments:
        threshold: 0.5
    - id: classify
      model:
        model_id: efficientnet
      arguments:
        top_k: 3
      crop: true
      node_inputs:
        - node_id: detect
"""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Whoever has no app yet gets one with their first workflow."""
    user = user_of(request)
    apps = apps_to_add_to(user)
    app = _app_of(request, user, apps)
    if request.method == "POST":
        return _save(request, user, app, None)
    text = _example(app)
    return _form(request, app, None, text, {"apps": apps, **_checked(user, app, text)})


def _example(app: App) -> str:
    """Under an id that no workflow of the app has yet."""
    taken = set(app.workflows.values_list("slug", flat=True)) if app.pk is not None else set()
    free = next(name for name in chain([NAME], (f"{NAME}-{number}" for number in count(2))) if name not in taken)
    return EXAMPLE.replace(NAME, free)


def _app_of(request: HttpRequest, user: User, apps: list[App]) -> App:
    """The one chosen in the form, else the first; for who has none the one that will be made."""
    chosen = (app for app in apps if str(app.pk) == request.POST.get("app"))
    return next(chosen, apps[0] if apps else App(owner=user, slug=MAIN_APP_ID))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    user = user_of(request)
    found = find_workflow(user, user_id, app_id, workflow_id)
    require_role(user, found.app, Role.MEMBER)
    if request.method == "POST":
        return _save(request, user, found.app, found)
    text = know(user, found).version.yaml
    return _form(request, found.app, found, text, _checked(user, found.app, text, found))


def _save(request: HttpRequest, user: User, app: App, workflow: Workflow | None) -> HttpResponse:
    text = _text_of(request)
    is_owner = has_role(user, app, Role.OWNER)
    visibility = (PUBLIC if request.POST.get("public") == "yes" else PRIVATE) if is_owner else None
    try:
        _check(user, app, text, workflow)
        if app.pk is None:
            app = create_app(user, app.slug)
        slug = workflow.slug if workflow is not None else ""
        version = workflows.add_workflow(user, app, text, workflow_id=slug, visibility=visibility)
    except GraphError as error:
        problems = [str(problem) for problem in error.problems]
    except InputError as error:
        problems = [error.message]
    else:
        return redirect(version.workflow.get_absolute_url())
    context = {"problems": problems, "apps": [] if workflow else apps_to_add_to(user)}
    return _form(request, app, workflow, text, context, status=422)


def _form(
    request: HttpRequest, app: App, workflow: Workflow | None, text: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    is_public = request.POST.get("public") == "yes" or (workflow is not None and workflow.visibility == PUBLIC)
    facts = {
        "area": "workflows",
        "workflow": workflow,
        "text": text,
        "app_pk": app.pk,
        "may_publish": has_role(user_of(request), app, Role.OWNER),
        "is_public": is_public,
    }
    return render(request, "workflows/edit.html", facts | context, status=status)


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What is wrong with the YAML that stands in the form, else its graph; ``workflow`` is the id of an edited one."""
    user = user_of(request)
    app = _app_of(request, user, apps_to_add_to(user))
    edited = app.workflows.filter(slug=request.POST.get("workflow", "")).first() if app.pk is not None else None
    return render(request, "workflows/_check.html", _checked(user, app, _text_of(request), edited))


def _check(user: User, app: App, text: str, workflow: Workflow | None) -> Plan:
    """Raises GraphError also where a new one has the id of another, or an edited one another than its own."""
    plan = workflows.check(user, app, text, workflow_id=workflow.slug if workflow is not None else "")
    if workflow is not None:
        workflows.check_same(workflow, text)
    elif app.pk is not None:
        workflows.check_new(app, text)
    return plan


def _checked(user: User, app: App, text: str, workflow: Workflow | None = None) -> dict[str, Any]:
    try:
        plan = _check(user, app, text, workflow)
    except GraphError as error:
        return {"problems": [str(problem) for problem in error.problems]}
    return {
        "graph_upright": draw(plan.graph, plan, is_upright=True),
        "io": "" if plan.unknown else describe_io(plan.signature),
        "waits_for": _unknown_models(plan),
    }


def _unknown_models(plan: Plan) -> list[str]:
    found = (plan.step(name).node.model for name in plan.unknown)
    return list(dict.fromkeys(model.model_id for model in found if model is not None))


def _text_of(request: HttpRequest) -> str:
    return request.POST.get("yaml", "").replace("\r\n", "\n")


@login_required
@require_safe
def yaml(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    """The YAML of a version; with ``download`` as a file."""
    user = user_of(request)
    found = find_workflow(user, user_id, app_id, workflow_id)
    version = know(user, found, request.GET.get("version", "")).version
    if request.GET.get("download"):
        response = HttpResponse(version.yaml, content_type="application/yaml; charset=utf-8")
        name = f"{found.slug}.yaml"
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return response
    versions = list(found.versions.order_by("-pk")[:MOST_VERSIONS])
    context = head_of(user, found, "yaml") | {"version": version, "versions": versions}
    return render(request, "workflows/yaml.html", context)


@login_required
@require_POST
def delete(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    """``name`` is the workflow's id, typed. Raises AccessError."""
    user = user_of(request)
    found = find_workflow(user, user_id, app_id, workflow_id)
    require_role(user, found.app, Role.OWNER)
    if request.POST.get("name", "").strip() != found.slug:
        messages.error(request, f"Nothing was deleted: type {found.slug} to delete it.")
        return redirect(address_of("play:workflow_yaml", found))
    workflows.delete_workflow(user, found)
    messages.success(request, f"{found.slug} is deleted.")
    return redirect("play:workflows")
