"""Annotations over the wire: list, add, edit, delete. Each concept and each region of an input is one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from inputs import services
from inputs.models import Annotation, Input
from playground.gateway.families import owners
from playground.gateway.families.given import read_labels
from playground.gateway.families.inputs import INVALID, find_inputs, find_shelf, write_annotation
from playground.gateway.families.paging import page_of
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import User


def list_annotations(caller: User, request: service_pb2.ListAnnotationsRequest) -> service_pb2.MultiAnnotationResponse:
    app = find_shelf(caller, request.user_app_id)
    rows = Annotation.objects.filter(input__in=Input.objects.visible_to(caller).filter(app=app))
    if request.input_ids:
        rows = rows.filter(input__slug__in=list(request.input_ids))
    if request.ids:
        rows = rows.filter(pk__in=_keys(request.ids))
    found = page_of(caller, rows.select_related("input", "concept", "created_by"), request)
    return service_pb2.MultiAnnotationResponse(annotations=[_message(row) for row in found])


def post_annotations(caller: User, request: service_pb2.PostAnnotationsRequest) -> service_pb2.MultiAnnotationResponse:
    """All of them or none."""
    app = find_shelf(caller, request.user_app_id)
    owners.require_some(request.annotations, "annotation", INVALID)
    by_id = {row.slug: row for row in find_inputs(caller, app, [one.input_id for one in request.annotations])}
    made = []
    for message in request.annotations:
        labels = read_labels(message.data)
        owners.require_some(labels, "concept or region", StatusCode.ANNOTATION_INVALID_ARGUMENT)
        for label in labels:
            facts: Any = {"name": label.name, "value": label.value, "box": label.box, "text": label.text}
            made.append(services.annotate(caller, by_id[message.input_id], concept=label.concept, **facts))
    return service_pb2.MultiAnnotationResponse(annotations=[_message(row) for row in made])


def patch_annotations(
    caller: User, request: service_pb2.PatchAnnotationsRequest
) -> service_pb2.MultiAnnotationResponse:
    """Another concept, value, box or text for each: an annotation is one of these here, so merging is overwriting.

    All of them or none.
    """
    app = find_shelf(caller, request.user_app_id)
    owners.require_some(request.annotations, "annotation", INVALID)
    owners.check_action(request.action, INVALID)
    there = Annotation.objects.filter(input__in=Input.objects.visible_to(caller).filter(app=app))
    rows = there.filter(pk__in=_keys(one.id for one in request.annotations)).select_related("input__app__owner")
    by_id = {(str(row.pk), row.input.slug): row for row in rows.select_related("concept", "created_by")}
    changed = []
    for message in request.annotations:
        row = by_id.get((message.id, message.input_id))
        if row is None:
            which = f"annotation {message.id}" if message.id else "annotation without an id"
            raise NotFoundError(f"The input {message.input_id} has no {which} for you: nothing was changed.")
        labels = read_labels(message.data)
        if len(labels) != 1:
            words = f"An annotation is one concept, or one region with one concept; this one would be {len(labels)}."
            raise InputError(words, code=StatusCode.ANNOTATION_INVALID_ARGUMENT)
        (label,) = labels
        facts: Any = {"name": label.name, "value": label.value, "box": label.box, "text": label.text or None}
        changed.append(services.edit_annotation(caller, row, concept=label.concept or None, **facts))
    return service_pb2.MultiAnnotationResponse(annotations=[_message(row) for row in changed])


def delete_annotations(caller: User, request: service_pb2.DeleteAnnotationsRequest) -> Any:
    """Those that ``ids`` name, else all that is said of the inputs; all of them or none."""
    app = find_shelf(caller, request.user_app_id)
    inputs = find_inputs(caller, app, list(request.input_ids)) if request.input_ids else None
    rows = Annotation.objects.filter(input__in=Input.objects.visible_to(caller).filter(app=app))
    if inputs is not None:
        rows = rows.filter(input__in=inputs)
    if request.ids or inputs is None:
        owners.require_some(request.ids, "annotation", INVALID)
        rows = rows.filter(pk__in=_keys(request.ids))
    found = list(rows.select_related("input__app__owner"))
    if len(found) < len(set(request.ids)):
        raise NotFoundError("Some of these annotations are not there for you: nothing was deleted.")
    for row in found:
        services.remove_annotation(caller, row)
    return status_pb2.BaseResponse()


def _keys(ids: Any) -> list[int]:
    return [int(name) for name in ids if name.isascii() and name.isdigit() and len(name) < 19]


def _message(row: Annotation) -> resources_pb2.Annotation:
    message = resources_pb2.Annotation(
        id=str(row.pk),
        input_id=row.input.slug,
        user_id=row.created_by.username if row.created_by is not None else "",
        status=status_pb2.Status(code=StatusCode.ANNOTATION_SUCCESS, description="Annotation success"),
        input_level=row.box is None,
    )
    owners.write_time(message.created_at, row.created_at)
    write_annotation(message.data, row)
    return message


HANDLERS: dict[str, Callable[..., object]] = {
    "ListAnnotations": list_annotations,
    "PostAnnotations": post_annotations,
    "PatchAnnotations": patch_annotations,
    "DeleteAnnotations": delete_annotations,
}
