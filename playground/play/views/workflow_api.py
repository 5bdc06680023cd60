"""The tab API of a workflow: the call as code, with what the newest or the open run was given."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.play.queries.workflows import Known, find_workflow, know
from playground.play.views.api import gateway_address, is_out_of_reach
from playground.play.views.asking import user_of
from playground.play.views.workflows import head_of, run_of
from playground.runs.history import list_runs
from playground.runs.models import Run
from playground.sdk.snippets.workflows import WorkflowAsk, write_workflow_snippets

MEDIA = {"image", "text", "audio", "video"}
EXAMPLE_TEXT = "Write what the workflow is asked here."
LONGEST = 2000


@login_required
@require_safe
def workflow_api(request: HttpRequest, user_id: str, app_id: str, workflow_id: str) -> HttpResponse:
    """``run`` names the run whose input stands in the code; else it is that of the newest."""
    user = user_of(request)
    workflow = find_workflow(user, user_id, app_id, workflow_id)
    known = know(user, workflow, request.GET.get("version", ""))
    run = run_of(request, user, workflow) or list_runs(user, workflow).first()
    ask = _ask(request, known, run)
    snippets = write_workflow_snippets(ask) if ask is not None else []
    language = request.GET.get("code", "")
    slugs = [snippet.slug for snippet in snippets]
    context = head_of(user, workflow, "api") | {
        "snippets": snippets,
        "language": language if language in slugs else "python",
        "known": known,
        "is_out_of_reach": is_out_of_reach(request),
    }
    return render(request, "workflows/api.html", context)


def _ask(request: HttpRequest, known: Known, run: Run | None) -> WorkflowAsk | None:
    """None where it is not known what goes in, or where that is no single medium."""
    if known.plan is None or not known.is_ready:
        return None
    names = [str(field.name) for field in known.plan.signature.input_fields]
    if len(names) != 1 or names[0] not in MEDIA:
        return None
    workflow = known.workflow
    return WorkflowAsk(
        user_id=workflow.app.owner.username,
        app_id=workflow.app.slug,
        workflow_id=workflow.slug,
        base_url=gateway_address(request),
        medium=names[0],
        version_id="" if request.GET.get("version", "") == "" else known.version.slug,
        **_given(names[0], run.arguments.get(names[0]) if run is not None else None),
    )


def _given(medium: str, plain: Any) -> dict[str, str]:
    if medium == "text":
        text = plain.get("text") if isinstance(plain, dict) else plain
        return {"text": text[:LONGEST] if isinstance(text, str) and text else EXAMPLE_TEXT}
    if isinstance(plain, dict) and isinstance(plain.get("url"), str) and "media" not in plain:
        return {"url": plain["url"]}
    name = plain.get("name") if isinstance(plain, dict) else None
    return {"file": name} if isinstance(name, str) and name else {}
