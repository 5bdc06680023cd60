"""One kept run: read by its link, its link given away and withdrawn, and the run as files."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from playground.catalog.models import User
from playground.media.views import send
from playground.play.forms import list_forms
from playground.play.queries.runs import describe_arguments, describe_run
from playground.play.views.asking import user_of
from playground.protocol.errors import NotFoundError
from playground.runs import export, history
from playground.runs.models import Run


def show_shared(request: HttpRequest, user: User, run_id: UUID, key: str) -> HttpResponse:
    """Another's run, to be read: whoever is signed in and has its link."""
    run = _find(user, run_id, key)
    sees_subject = Run.objects.filter(pk=run.pk).of_what_is_seen_by(user).exists()
    context = {
        "area": "runs",
        "run": run,
        "key": key,
        "sees_subject": sees_subject,
        "arguments": describe_arguments(run, key),
        "run_facts": describe_run(run),
        "shape": _shape(run),
        "asked": _asked(run),
        "socket": f"{settings.SUB_PATH}/ws/runs/",
    }
    return render(request, "play/shared_run.html", context)


def _asked(run: Run) -> str:
    """Where it was to go, in words."""
    asked = run.selector
    if "deployment_id" in asked:
        return str(asked["deployment_id"])
    return f"{asked['compute_cluster_id']} / {asked['nodepool_id']}" if "nodepool_id" in asked else "Shared (default)"


def _shape(run: Run) -> object:
    known = run.version.signatures if run.version else []
    return next((form.shape for form in list_forms(known) if form.name == run.method), None)


@login_required
@require_safe
def share_dialog(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The question whether others may read it, with its link while they may."""
    return _share(request, _find(user_of(request), run_id))


@login_required
@require_POST
def share(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """``shared`` is yes or no."""
    act = history.share if request.POST.get("shared") == "yes" else history.unshare
    return _share(request, act(user_of(request), run_id))


def _share(request: HttpRequest, run: Run) -> HttpResponse:
    context = {"run": run, "link": request.build_absolute_uri(run.shared_url) if run.share_key else ""}
    return render(request, "play/_run_share.html", context)


@login_required
@require_safe
def download(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """The run as a zip, or with ``format=json`` what is in it of the run itself."""
    user = user_of(request)
    run = _find(user, run_id, request.GET.get("key", ""))
    what = export.export(run, is_own=run.user_id == user.pk)
    response: HttpResponseBase
    if request.GET.get("format") == "json":
        response = HttpResponse(what.content, content_type="application/json")
        ending = "json"
    else:
        response = StreamingHttpResponse(export.zipped(what), content_type="application/zip")
        ending = "zip"
    response["Content-Disposition"] = content_disposition_header(True, f"{what.name}.{ending}") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def run_media(request: HttpRequest, run_id: UUID, media_id: str) -> HttpResponseBase:
    """A file of a run, for whoever may read the run."""
    run = _find(user_of(request), run_id, request.GET.get("key", ""))
    use = run.files.select_related("reference__blob").filter(reference=media_id).first()
    if use is None:
        raise Http404(f"The run {run_id} has no file {media_id}.")
    response = send(request, use.reference)
    response["Cache-Control"] = "private, no-cache"  # the link may be withdrawn
    return response


def _find(user: User, run_id: UUID, key: str = "") -> Run:
    try:
        return history.find_run(user, run_id, key)
    except NotFoundError as error:
        raise Http404(error.message) from None
