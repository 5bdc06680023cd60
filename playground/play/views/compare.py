"""Compare: targets side by side, asked the same; kept, run again, shared to be read."""

from __future__ import annotations

import json
import uuid
from typing import Any

from clarifai_grpc.grpc.api.resources_pb2 import MethodSignature, ModelTypeField
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from inputs.addresses import thumbnail
from inputs.models import Input
from inputs.queries import Filter, find_app, find_input
from inputs.queries import page as page_of_inputs
from inputs.services import reference_for
from playground.catalog.models import Model, User
from playground.compute.models import Deployment
from playground.media.models import Reference
from playground.media.services import open_bytes
from playground.media.views import send
from playground.play.forms import build_form
from playground.play.queries.choices import Choice, choice_of
from playground.play.queries.models import find_model
from playground.play.queries.targets import (
    PLACE,
    Target,
    describe_pane,
    describe_panes,
    kind_of,
    letter_of,
    read_target,
    target_of,
)
from playground.play.views.asking import user_of
from playground.protocol.errors import InputError, NotFoundError
from playground.runs import comparisons
from playground.runs.comparisons import KINDS, MOST_PANES
from playground.runs.history import find_run
from playground.runs.models import Comparison

LISTED = 30
OFFERED = 24
MAX_BODY = 4_000_000
LONGEST_TEXT = 2_000_000
_TYPES = {
    "text": ModelTypeField.DataType.STR,
    "image": ModelTypeField.DataType.IMAGE,
    "audio": ModelTypeField.DataType.AUDIO,
    "video": ModelTypeField.DataType.VIDEO,
}


@login_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """A comparison that is nowhere kept yet: its targets stand in the address, each as ``t``.

    ``run`` begins with what a run asked, ``model`` with a model at a place or at each deployment ``d``, ``input`` with
    an input.
    """
    user = user_of(request)
    given: Any = None
    kind = request.GET.get("kind", "")
    targets = request.GET.getlist("t")
    if run := _uuid(request.GET.get("run", "")):
        targets, given, kind = _of_run(user, run)
    elif request.GET.get("model"):
        targets = _of_model(request, user)
    if "text" in request.GET:
        given = request.GET["text"]
    if slug := request.GET.get("input"):
        given, kind = _of_input(user, slug, request.GET.get("app", ""))
    targets = targets[:MOST_PANES]
    kind = kind if kind in KINDS else kind_of(user, targets)
    panes = [(f"p{number}", text) for number, text in enumerate(targets, start=1)]
    return _page(request, user, None, panes=panes, kind=kind, given=given)


def _of_run(user: User, run_id: uuid.UUID) -> tuple[list[str], Any, str]:
    try:
        run = find_run(user, run_id)
    except NotFoundError as error:
        raise Http404(error.message) from None
    if run.model is None:
        raise Http404("Runs of workflows are not compared.")
    target, given, kind = target_of(run)
    return [target], given, kind


def _of_model(request: HttpRequest, user: User) -> list[str]:
    """A model at its place, or at each deployment whose key is named as ``d``."""
    address = request.GET["model"]
    parts = address.split("/")
    if len(parts) != 4:
        raise Http404(f"No model {address} for you.")
    model = find_model(user, parts[0], parts[1], parts[3])
    method = request.GET.get("method", "")
    if "d" in request.GET:
        return [str(Target(address, method, place=choice.query)) for choice in chosen_of(request, user, model)]
    place = {name: request.GET[name] for name in PLACE if request.GET.get(name)}
    return [str(Target(address, method, place=place))]


def chosen_of(request: HttpRequest, user: User, model: Model) -> list[Choice]:
    """The model's deployments whose keys the address names as ``d``, as far as ``user`` sees them."""
    keys = [
        int(key) for key in request.GET.getlist("d")[:MOST_PANES] if key.isascii() and key.isdigit() and len(key) < 18
    ]
    rows = Deployment.objects.visible_to(user).filter(model=model, pk__in=keys)
    found = {row.pk: row for row in rows.select_related("nodepool__cluster", "owner", "model__app__owner")}
    return [choice_of(found[key], user) for key in dict.fromkeys(keys) if key in found]


def _of_input(user: User, slug: str, app: str) -> tuple[Any, str]:
    try:
        row = find_input(user, slug, app)
    except NotFoundError as error:
        raise Http404(error.message) from None
    if row.reference is None:
        return None, row.kind
    if row.kind == "text":
        return _read_text(row.reference), row.kind
    reference = reference_for(user, row)
    return {"media": reference.pk, "content_type": reference.content_type, "name": row.name or reference.name}, row.kind


def _read_text(reference: Reference) -> str | None:
    """The text of an input; None for one that is too long to be asked in one call."""
    if reference.blob.size > LONGEST_TEXT:
        return None
    with open_bytes(reference) as source:
        return source.read().decode("utf-8", "replace")


@login_required
@require_safe
def comparison(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One that is kept; another's by its link, to be read."""
    user = user_of(request)
    row = find(user, pk, request.GET.get("key", ""))
    past = asked_round(request, row)
    again = asked_round(request, row, "from")
    shown = past or again or row
    panes = [(pane["id"], pane["target"]) for pane in shown.panes]
    number = int(request.GET["round"]) if past else 0 if again else comparisons.last_round(row)
    return _page(
        request, user, shown, panes=panes, kind=shown.kind, given=shown.given, number=number, is_past=bool(past)
    )


def asked_round(request: HttpRequest, row: Comparison, name: str = "round") -> Comparison | None:
    """The comparison as it stood in the round that the address names; None where it names none, or the newest.

    Raises Http404.
    """
    text = request.GET.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        return None
    if name == "round" and int(text) == comparisons.last_round(row):
        return None
    try:
        return comparisons.as_of_round(row, int(text))
    except NotFoundError as error:
        raise Http404(error.message) from None


def _page(
    request: HttpRequest,
    user: User,
    row: Comparison | None,
    *,
    panes: list[tuple[str, str]],
    kind: str,
    given: Any,
    number: int = 0,
    is_past: bool = False,
) -> HttpResponse:
    """``number`` is the round shown; one of the past is there to be read."""
    is_whose = row is None or row.user_id == user.pk
    is_own = is_whose and not is_past
    whose = user if row is None else row.user
    key = request.GET.get("key", "") if not is_whose else ""
    media = f"{reverse('play:comparison_media', args=[row.pk, 'ID'])}?key={key}" if row and not is_whose else ""
    mine = Comparison.objects.visible_to(user).order_by("-modified_at")
    others = mine.exclude(pk=row.pk) if row else mine
    context = {
        "area": "compare",
        "comparison": row,
        "is_own": is_own,
        "key": key,
        "panes": describe_panes(whose, panes, kind),
        "kind": kind,
        "kinds": [("text", "Text"), ("image", "Picture"), ("audio", "Sound"), ("video", "Film")],
        "given": given,
        "words": given if isinstance(given, str) else "",
        "media_url": media or reverse("media:content", args=["ID"]),
        "most_panes": MOST_PANES,
        "round": number,
        "is_past": is_past,
        "is_whose": is_whose,
        "rounds": comparisons.list_rounds(row) if row else [],
        "kept": list(others[:LISTED]) if is_own else [],
        "socket": f"{settings.SUB_PATH}/ws/runs/",
        **field_context(user, kind, given),
    }
    response = render(request, "play/compare.html", context)
    response.shows_pictures = kind == "image"  # type: ignore[attr-defined] # for SecurityHeadersMiddleware
    return response


def field_context(user: User, kind: str, given: Any) -> dict[str, Any]:
    """The control of the input, as forms have it for a method's argument."""
    argument = ModelTypeField(name="Input", type=_TYPES[kind], required=True)
    usable = given if isinstance(given, str) == (kind == "text") and given is not None else None
    form = build_form(
        MethodSignature(name="compare", input_fields=[argument]), {} if usable is None else {"Input": usable}
    )
    samples = Reference.objects.filter(is_sample=True, content_type__startswith="image/").order_by("name")
    return {
        "field": form.fields[0],
        "samples": list(samples[:8]) if kind == "image" else [],
        "offered": _newest(user, kind),
    }


def _newest(user: User, kind: str) -> list[tuple[Input, str]]:
    """The newest inputs of this kind, each with its small picture; none for who has no app."""
    try:
        rows = page_of_inputs(user, find_app(user, ""), Filter(types=(kind,)), limit=OFFERED).rows
    except NotFoundError:
        return []
    return [(row, thumbnail(user, row)) for row in rows if row.reference_id]


@login_required
@require_safe
def given(request: HttpRequest) -> HttpResponse:
    """One of the user's inputs as what is asked: {given, kind}."""
    value, kind = _of_input(user_of(request), request.GET.get("input", ""), request.GET.get("app", ""))
    return JsonResponse({"given": value, "kind": kind})


@login_required
@require_safe
def input_field(request: HttpRequest) -> HttpResponse:
    """The control for another kind of input."""
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        raise InputError(f"kind: one of {', '.join(KINDS)} is needed.")
    return render(request, "play/_compare_field.html", {"kind": kind, **field_context(user_of(request), kind, None)})


@login_required
@require_safe
def pane(request: HttpRequest) -> HttpResponse:
    """A pane for the target ``t``, as the page adds or changes it."""
    user = user_of(request)
    kind, number = request.GET.get("kind", ""), request.GET.get("number", "0")
    if kind not in KINDS or number not in map(str, range(MOST_PANES)):
        raise InputError(f"kind and number: one of {', '.join(KINDS)}, and 0 to {MOST_PANES - 1}, are needed.")
    place = request.GET.get("id", "p1")[:8]
    found = describe_pane(user, place, letter_of(int(number)), read_target(request.GET.get("t", "")), kind)
    return render(request, "play/_compare_pane.html", {"pane": found, "is_own": True})


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep a comparison as the page has it, and note the ``runs`` that it is about to begin: {id, url, round}."""
    user, plain = user_of(request), read_body(request)
    row = comparisons.keep_comparison(user, _uuid(str(plain.get("id") or "")), comparisons.read_content(plain))
    number = plain.get("round") or None
    runs = _runs(plain.get("runs", []))
    if number is not None and (not isinstance(number, int) or number < 1):
        raise InputError("round: the number of a round is needed.")
    number = comparisons.note_runs(row, runs, number) if runs else comparisons.last_round(row)
    return JsonResponse({"id": str(row.pk), "url": row.get_absolute_url(), "round": number})


def read_body(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > MAX_BODY:
        raise InputError("This is too long to be kept: 4 MB at most.")
    try:
        plain = json.loads(request.body)
    except (ValueError, RecursionError):
        raise InputError("The comparison is no JSON.") from None
    if not isinstance(plain, dict):
        raise InputError("The comparison is no JSON object.")
    return plain


def _runs(plain: Any) -> list[tuple[str, int, uuid.UUID]]:
    if not isinstance(plain, list):
        raise InputError("runs: a list is needed.")
    try:
        return [(str(one["pane"]), int(one["turn"]), uuid.UUID(one["run"])) for one in plain]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("runs: each has a pane, the number of its turn, and the run's id.") from None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@login_required
@require_safe
def share_dialog(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The question whether others may read it, with its link while they may."""
    return _share(request, find(user_of(request), pk))


@login_required
@require_POST
def share(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """``shared`` is yes or no."""
    row = find(user_of(request), pk)
    return _share(
        request,
        comparisons.share_comparison(user_of(request), row.pk, is_shared=request.POST.get("shared") == "yes"),
    )


def _share(request: HttpRequest, row: Comparison) -> HttpResponse:
    link = request.build_absolute_uri(row.shared_url) if row.share_key else ""
    return render(request, "play/_compare_share.html", {"comparison": row, "link": link})


@login_required
@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Its runs stay in the history."""
    row = find(user_of(request), pk)
    comparisons.delete_comparison(user_of(request), row.pk)
    return HttpResponse(status=204)


@login_required
@require_safe
def media(request: HttpRequest, pk: uuid.UUID, media_id: str) -> HttpResponseBase:
    """A file of a comparison, for whoever may read it."""
    row = find(user_of(request), pk, request.GET.get("key", ""))
    reference = comparisons.find_file(row, media_id)
    if reference is None:
        raise Http404(f"The comparison {pk} has no file {media_id}.")
    response = send(request, reference)
    response["Cache-Control"] = "private, no-cache"  # the link may be withdrawn
    return response


def find(user: User, pk: uuid.UUID, key: str = "") -> Comparison:
    """Raises Http404, in the same words for what is not there and what is another's."""
    try:
        return comparisons.find_comparison(user, pk, key)
    except NotFoundError as error:
        raise Http404(error.message) from None
