"""Acts on one input from the viewer: what people say of it, and what models found and what of that is right."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from inputs import services
from inputs.models import Annotation, Concept, Input, Prediction
from inputs.views.facts import annotations_of, prediction_facts, shape_by
from inputs.views.viewer import find
from playground.protocol.errors import InputError, NotFoundError
from playground.runs.models import Run

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from playground.catalog.models import User

STORED_WITHIN = 2.0  # seconds


# What people say of it.


@require_POST
@login_required
def annotate(request: HttpRequest, input_id: str) -> HttpResponse:
    """Say something of an input: {concept, box, value, text}."""
    seen, row = find(request, input_id)
    services.annotate(seen.user, row, **_said(row, _json(request)))
    return JsonResponse({"annotations": annotations_of(seen, row)})


@require_POST
@login_required
def annotation(request: HttpRequest, input_id: str, pk: int) -> HttpResponse:
    """Say it otherwise: another concept, or other edges; the old goes in the same act."""
    seen, row = find(request, input_id)
    one = Annotation.objects.filter(input=row, pk=pk).select_related("concept").first()
    if one is None:
        raise NotFoundError("This annotation is gone: somebody has removed it.")
    services.edit_annotation(seen.user, one, **_said(row, _json(request)))
    return JsonResponse({"annotations": annotations_of(seen, row)})


@require_POST
@login_required
def unannotate(request: HttpRequest, input_id: str) -> HttpResponse:
    """Take annotations away: {ids}. Those that are gone already stay gone."""
    seen, row = find(request, input_id)
    for one in Annotation.objects.filter(input=row, pk__in=_numbers(_json(request), "ids")):
        services.remove_annotation(seen.user, one)
    return JsonResponse({"annotations": annotations_of(seen, row)})


def _said(row: Input, body: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if body.get("concept") is not None:
        said["name"] = _text(body, "concept").strip()
        said["concept"] = _concept_id(row, said["name"])
    if body.get("text"):
        said["text"] = _text(body, "text")
    if body.get("box") is not None:
        said["box"] = _box(body["box"])
    if isinstance(value := body.get("value"), int | float) and not isinstance(value, bool):
        said["value"] = float(value)
    return said


def _concept_id(row: Input, typed: str) -> str:
    """The concept of the app that somebody means by what they typed, whatever the case; else a new one's id."""
    known = Concept.objects.filter(Q(name__iexact=typed) | Q(slug=typed), app=row.app).first()
    return known.slug if known else services.plain_id(typed) if typed else ""


def _text(body: dict[str, Any], name: str) -> str:
    text = body[name]
    if not isinstance(text, str):
        raise InputError(f"{name}: text is needed.", argument=name)
    return text


def _box(edges: Any) -> tuple[float, float, float, float]:
    is_row = isinstance(edges, list) and len(edges) == 4
    if not is_row or not all(isinstance(edge, int | float) and not isinstance(edge, bool) for edge in edges):
        raise InputError("box: left, top, right and bottom are needed, each from 0 to 1.", argument="box")
    left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) for edge in edges)
    return left, top, right, bottom


@require_POST
@login_required
def edit(request: HttpRequest, input_id: str) -> HttpResponse:
    """Replace the metadata: {metadata}."""
    seen, row = find(request, input_id)
    metadata = _json(request).get("metadata")
    if not isinstance(metadata, dict):
        raise InputError("metadata: an object is needed.", argument="metadata")
    services.edit_inputs(seen.user, [row], set_metadata=metadata)
    row.refresh_from_db(fields=["metadata"])
    return JsonResponse({"metadata": row.metadata})


@require_POST
@login_required
def delete(request: HttpRequest, input_id: str) -> HttpResponse:
    """Away with it; the token brings it back for a few minutes."""
    seen, row = find(request, input_id)
    return JsonResponse({"token": services.delete_inputs(seen.user, [row])})


@require_POST
@login_required
def restore(request: HttpRequest) -> HttpResponse:
    """Bring back what a token stands for: {token}."""
    user: User = request.user  # type: ignore[assignment] # stands behind login_required
    services.restore_inputs(user, _text({"token": _json(request).get("token")}, "token"))
    return JsonResponse({})


# What models found.


@require_POST
@login_required
def borrow(request: HttpRequest, input_id: str) -> HttpResponse:
    """A name by which this user's own calls may read an input of the app that another added."""
    seen, row = find(request, input_id)
    return JsonResponse({"media": services.reference_for(seen.user, row).pk})


@require_POST
@login_required
def predictions(request: HttpRequest, input_id: str) -> HttpResponse:
    """Keep what a finished run found beside the input: {run}."""
    seen, row = find(request, input_id)
    run = _stored(seen.user, _json(request).get("run"))
    kept = services.keep_prediction(seen.user, row, run)
    kept.refresh_from_db(fields=["outputs"])  # in the order in which the database keeps them, by which findings count
    return JsonResponse(prediction_facts(seen, row, kept, shape_by(run.version, run.method)))


def _stored(user: User, name: Any) -> Run:
    """The run once its end is stored, which is a moment after its page has heard of it. Raises NotFoundError."""
    try:
        pk = UUID(name)
    except (TypeError, ValueError, AttributeError):
        raise InputError("run: the run's id is needed.", argument="run") from None
    runs = Run.objects.visible_to(user).select_related("model__app__owner", "version").filter(pk=pk)
    found = runs.first()
    end = time.monotonic() + STORED_WITHIN
    while (found is None or found.is_running) and time.monotonic() < end:
        time.sleep(STORED_WITHIN / 40)
        found = runs.first()
    if found is None:
        raise NotFoundError(f"No run {pk} for you. It does not exist, or is not yours.")
    return found


@require_POST
@login_required
def accept(request: HttpRequest, input_id: str, pk: int) -> HttpResponse:
    """Make annotations of what a prediction found: {findings}, by their numbers."""
    seen, row = find(request, input_id)
    prediction = Prediction.objects.visible_to(seen.user).filter(input=row, pk=pk).first()
    if prediction is None:
        raise NotFoundError("This prediction is gone: a newer one has taken its place. Reload the page.")
    added = services.accept(seen.user, prediction, _numbers(_json(request), "findings"))
    return JsonResponse({"annotations": annotations_of(seen, row), "added": [one.pk for one in added]})


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise InputError("The request's body is no JSON.") from None
    if not isinstance(body, dict):
        raise InputError("The request's body is no JSON object.")
    return body


def _numbers(body: dict[str, Any], name: str) -> list[int]:
    given = body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in given):
        raise InputError(f"{name}: a list of whole numbers is needed.", argument=name)
    return given
