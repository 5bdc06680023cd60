"""Inputs over the wire: get and list, and how a row reads as a message. Media travel as addresses, never as bytes."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db.models import F

from inputs.models import AddJob, Annotation, Dataset, Input, InputQuerySet, Kind, Status, Tally
from inputs.services import MOST_AT_ONCE
from playground.catalog.access import Role, require_role
from playground.compute.routing import DEFAULT_APP_ID
from playground.gateway.families import owners
from playground.gateway.families.apps import find_app
from playground.gateway.families.given import NAME_KEY, PLACE
from playground.gateway.families.media import address_of, read_text
from playground.gateway.families.paging import page_of
from playground.protocol import structs
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from playground.catalog.models import App, Membership, User

INVALID = StatusCode.INPUT_INVALID_REQUEST
_INFOS = {Kind.IMAGE: "image_info", Kind.VIDEO: "video_info", Kind.AUDIO: "audio_info", Kind.TEXT: "text_info"}
_OTHERS = [status.value for status in Status if status != Status.READY]
_STATUS_WORDS = {
    Status.READY: "Download complete",
    Status.WAITING: "Download pending",
    Status.DOWNLOADING: "Download in progress",
    Status.FAILED: "Download failed",
}


def get_input(caller: User, request: service_pb2.GetInputRequest) -> service_pb2.SingleInputResponse:
    app = find_shelf(caller, request.user_app_id)
    row = find_input(caller, app, request.input_id)
    (message,) = messages_of(caller, [row])
    if row.kind == Kind.TEXT:
        message.data.text.raw = read_text(row)
    return service_pb2.SingleInputResponse(input=message)


def list_inputs(caller: User, request: service_pb2.ListInputsRequest) -> service_pb2.MultiInputResponse:
    """Newest first. ``ids`` and a status narrow it down: so official uploads look which of theirs went through."""
    app = find_shelf(caller, request.user_app_id)
    rows = Input.objects.visible_to(caller).filter(app=app)
    if request.status.code not in (0, Status.READY):
        rows = _not_ready(caller, app).filter(status=request.status.code)
    elif request.status.code:
        rows = rows.filter(status=Status.READY)
    if len(request.ids) > MOST_AT_ONCE:
        raise InputError(f"A call may name {MOST_AT_ONCE:,} inputs; this one names {len(request.ids):,}.", code=INVALID)
    if request.ids:
        rows = rows.filter(slug__in=list(request.ids))
    return service_pb2.MultiInputResponse(inputs=messages_of(caller, _page(caller, rows, request)))


def list_dataset_inputs(
    caller: User, request: service_pb2.ListDatasetInputsRequest
) -> service_pb2.MultiDatasetInputResponse:
    app = find_shelf(caller, request.user_app_id)
    dataset = Dataset.objects.filter(app=app, slug=request.dataset_id).first()
    if dataset is None:
        raise NotFoundError(f"The app {app} has no dataset {request.dataset_id}.")
    rows = Input.objects.visible_to(caller).filter(app=app, datasets=dataset)
    found = messages_of(caller, _page(caller, rows, request))
    return service_pb2.MultiDatasetInputResponse(
        dataset_inputs=[resources_pb2.DatasetInput(input=one, created_at=one.created_at) for one in found]
    )


def get_input_count(caller: User, request: service_pb2.GetInputCountRequest) -> service_pb2.SingleInputCountResponse:
    app = find_shelf(caller, request.user_app_id)
    there = sum(Tally.objects.filter(app=app).values_list("count", flat=True))
    other = Counter(_not_ready(caller, app).values_list("status", flat=True))
    counts = resources_pb2.InputCount(
        processed=max(0, there - other.total()),
        to_process=other[Status.WAITING],
        processing=other[Status.DOWNLOADING],
        errors=other[Status.FAILED],
    )
    return service_pb2.SingleInputCountResponse(counts=counts)


def get_add_job(caller: User, request: service_pb2.GetInputsAddJobRequest) -> service_pb2.SingleInputsAddJobResponse:
    app = find_shelf(caller, request.user_app_id)
    job = AddJob.objects.filter(app=app, slug=request.id).first()
    if job is None:
        raise NotFoundError(f"The app {app} has no upload {request.id or 'without an id'}.")
    return service_pb2.SingleInputsAddJobResponse(inputs_add_job=job_message(job))


# --- looking up ----------------------------------------------------------------------------------------------------


def find_shelf(caller: User, owner: resources_pb2.UserAppIDSet, least: Membership.Role = Role.VIEWER) -> App:
    """The app whose inputs a call is about, never by its being public alone. Raises NotFoundError, AccessError."""
    app = find_app(caller, owner, owner.app_id or DEFAULT_APP_ID)
    require_role(caller, app, least)
    return app


def find_input(caller: User, app: App, input_id: str) -> Input:
    return find_inputs(caller, app, [input_id])[0]


def find_inputs(caller: User, app: App, ids: Sequence[str]) -> list[Input]:
    """In the order of their ids. Raises InputError without any, NotFoundError naming those that are not there."""
    owners.require_some(filter(None, ids), "input", INVALID)
    if len(ids) > MOST_AT_ONCE:
        raise InputError(f"A call may name {MOST_AT_ONCE:,} inputs; this one names {len(ids):,}.", code=INVALID)
    rows = Input.objects.visible_to(caller).filter(app=app, slug__in=ids).select_related("reference__blob")
    found = {row.slug: row for row in rows}
    for row in found.values():
        row.app = app
    missing = [name for name in dict.fromkeys(ids) if name not in found]
    if missing:
        words = "no input" if len(missing) == 1 else "none of these inputs:"
        raise NotFoundError(f"The app {app} has {words} {owners.named(missing)}.", code=StatusCode.INPUT_DOES_NOT_EXIST)
    return [found[name] for name in dict.fromkeys(ids)]


def _not_ready(caller: User, app: App) -> InputQuerySet:
    """Few of many, by the index that holds them alone: comparing the app in a sum keeps its own index out of it."""
    rows = Input.objects.visible_to(caller).exclude(status=Status.READY)
    return rows.filter(status__in=_OTHERS).annotate(of=F("app_id") + 0).filter(of=app.pk)


def _page(caller: User, rows: Any, request: Any) -> list[Input]:
    newest = rows.select_related("reference__blob")
    return page_of(caller, newest, request, newest_first=True, by="created_at")


# --- as messages ---------------------------------------------------------------------------------------------------


def messages_of(caller: User, rows: Sequence[Input]) -> list[resources_pb2.Input]:
    """As they are kept, in three queries. Without bytes and 64-bit numbers: official lists are rebuilt from JSON."""
    pks = [row.pk for row in rows]
    said: defaultdict[int, list[Annotation]] = defaultdict(list)
    for annotation in Annotation.objects.filter(input__in=pks).select_related("concept").order_by("pk"):
        said[annotation.input_id].append(annotation)
    datasets: defaultdict[int, list[str]] = defaultdict(list)
    kept = Input.datasets.through.objects.filter(input__in=pks).order_by("pk")
    for pk, slug in kept.values_list("input_id", "dataset__slug"):
        datasets[pk].append(slug)
    return [_message(caller, row, said[row.pk], datasets[row.pk]) for row in rows]


def status_of(row: Input) -> status_pb2.Status:
    words = _STATUS_WORDS[Status(row.status)]
    return status_pb2.Status(code=row.status, description=words, details=row.status_words)


def job_message(job: AddJob) -> resources_pb2.InputsAddJob:
    message = resources_pb2.InputsAddJob(id=job.slug)
    progress = message.progress
    progress.pending_count, progress.success_count, progress.failed_count = job.pending, job.succeeded, job.failed
    owners.write_time(message.created_at, job.created_at)
    owners.write_time(message.modified_at, job.modified_at)
    return message


def _message(caller: User, row: Input, said: Iterable[Annotation], datasets: Iterable[str]) -> resources_pb2.Input:
    message = resources_pb2.Input(id=row.slug, dataset_ids=datasets, status=status_of(row))
    owners.write_time(message.created_at, row.created_at)
    owners.write_time(message.modified_at, row.modified_at)
    data = message.data
    _write_medium(caller, getattr(data, row.kind), row)
    for annotation in said:
        write_annotation(data, annotation)
    metadata = row.metadata if NAME_KEY in row.metadata or not row.name else {**row.metadata, NAME_KEY: row.name}
    if metadata:
        structs.write_struct(data.metadata, metadata)
    if place := row.facts.get(PLACE):
        data.geo.geo_point.longitude, data.geo.geo_point.latitude = place
    return message


def _write_medium(caller: User, medium: Any, row: Input) -> None:
    medium.url = address_of(caller, row) if row.reference_id else row.source_url
    info = getattr(medium, _INFOS[Kind(row.kind)])
    told = {
        "width": row.width,
        "height": row.height,
        "duration_seconds": row.duration_s,
        "char_count": row.facts.get("characters") if row.kind == Kind.TEXT else None,
        "frame_count": row.facts.get("frames") if row.kind == Kind.VIDEO else None,
        "format": row.facts.get("format") if row.kind == Kind.IMAGE else None,
    }
    for name, value in told.items():
        if value is not None and hasattr(info, name):
            setattr(info, name, value)


def write_annotation(data: resources_pb2.Data, annotation: Annotation) -> None:
    box = annotation.box
    if box is None and annotation.concept is not None:
        _write_concept(data, annotation)
        return
    region = data.regions.add(id=str(annotation.pk), value=annotation.value)
    if box is not None:
        edges = region.region_info.bounding_box
        edges.left_col, edges.top_row, edges.right_col, edges.bottom_row = box
    if annotation.text:
        region.data.text.raw = annotation.text
    if annotation.concept is not None:
        _write_concept(region.data, annotation)


def _write_concept(data: resources_pb2.Data, annotation: Annotation) -> None:
    concept = annotation.concept
    assert concept is not None
    data.concepts.add(id=concept.slug, name=concept.name, value=annotation.value)


HANDLERS: dict[str, Callable[..., object]] = {
    "GetInput": get_input,
    "ListInputs": list_inputs,
    "ListDatasetInputs": list_dataset_inputs,
    "GetInputCount": get_input_count,
    "GetInputsAddJob": get_add_job,
}
