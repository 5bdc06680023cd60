"""What changes inputs over the wire: patch, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from inputs import services
from inputs.models import Annotation, Input, Status
from playground.gateway.families import owners
from playground.gateway.families.given import (
    NAME_KEY,
    PLACE,
    concept_id,
    read_concepts,
    read_facts,
    read_metadata,
    read_regions,
)
from playground.gateway.families.inputs import INVALID, find_inputs, find_shelf, messages_of
from playground.protocol.errors import InputError, NotFoundError, to_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playground.catalog.models import User

ACTIONS = ("merge", "overwrite", "remove")


def patch_inputs(caller: User, request: service_pb2.PatchInputsRequest) -> service_pb2.MultiInputResponse:
    """Concepts, regions, metadata, place, datasets: merged with what there is, put in its place, or taken away."""
    app = find_shelf(caller, request.user_app_id)
    action = request.action or "merge"
    if action not in ACTIONS:
        raise InputError(f"Unrecognized action {action!r}: inputs take {', '.join(ACTIONS)}.", code=INVALID)
    rows = find_inputs(caller, app, [message.id for message in request.inputs])
    by_id = {row.slug: row for row in rows}
    for message in request.inputs:
        _CHANGES[action](caller, by_id[message.id], message)
    found = find_inputs(caller, app, [message.id for message in request.inputs])
    return service_pb2.MultiInputResponse(inputs=messages_of(caller, found))


def delete_inputs(caller: User, request: service_pb2.DeleteInputsRequest) -> Any:
    """All of them or none. Without ids it deletes nothing: official bulk uploads call it so when nothing failed.

    They also name together what was refused and is not there, and what could not be fetched: that goes all the same,
    or its id would be taken when they try again.
    """
    app = find_shelf(caller, request.user_app_id)
    try:
        rows = find_inputs(caller, app, list(request.ids))
    except NotFoundError as error:
        if failed := list(Input.objects.visible_to(caller).filter(app=app, slug__in=request.ids, status=Status.FAILED)):
            services.delete_inputs(caller, failed)
        return status_pb2.BaseResponse(status=to_status(error))
    services.delete_inputs(caller, rows)
    return status_pb2.BaseResponse()


def delete_input(caller: User, request: service_pb2.DeleteInputRequest) -> Any:
    app = find_shelf(caller, request.user_app_id)
    services.delete_inputs(caller, find_inputs(caller, app, [request.input_id]))
    return status_pb2.BaseResponse()


def _merge(caller: User, row: Input, message: resources_pb2.Input) -> None:
    metadata = read_metadata(message)
    services.edit_inputs(
        caller,
        [row],
        add_concepts=read_concepts(message.data),
        metadata=metadata or None,
        add_datasets=list(message.dataset_ids),
        name=_name(metadata),
        facts=read_facts(message.data),
    )
    _put_regions(caller, row, message)


def _overwrite(caller: User, row: Input, message: resources_pb2.Input) -> None:
    """What the message does not tell of stays: the wire does not tell apart what is empty and what was left out."""
    metadata = read_metadata(message)
    datasets = list(message.dataset_ids)
    left = [slug for slug in row.datasets.values_list("slug", flat=True) if slug not in datasets] if datasets else []
    services.edit_inputs(
        caller,
        [row],
        set_concepts=read_concepts(message.data) or None,
        set_metadata=metadata or None,
        add_datasets=datasets,
        remove_datasets=left,
        name=_name(metadata),
        facts=read_facts(message.data),
    )
    for annotation in _put_regions(caller, row, message):
        services.remove_annotation(caller, annotation)


def _remove(caller: User, row: Input, message: resources_pb2.Input) -> None:
    keys = message.data.metadata.fields
    services.edit_inputs(
        caller,
        [row],
        remove_concepts=[concept_id(concept) for concept in message.data.concepts],
        metadata=dict.fromkeys(keys) if keys else None,
        remove_datasets=list(message.dataset_ids),
        facts={PLACE: None} if message.data.geo.HasField("geo_point") else None,
    )
    gone = {region.id for region in message.data.regions}
    for annotation in _boxes(row) if gone else ():
        if str(annotation.pk) in gone:
            services.remove_annotation(caller, annotation)


def _boxes(row: Input) -> list[Annotation]:
    return list(Annotation.objects.filter(input=row, top__isnull=False).select_related("input__app__owner", "concept"))


def _put_regions(caller: User, row: Input, message: resources_pb2.Input) -> Iterable[Annotation]:
    """Those whose ids are there change, others are new. Returns, of a message that has some, those it does not name."""
    others = {str(one.pk): one for one in _boxes(row)} if message.data.regions else {}
    for region in message.data.regions:
        for label in read_regions([region]):
            there = others.pop(region.id, None)
            facts: Any = {"name": label.name, "value": label.value, "box": label.box}
            said: Any = {"concept": label.concept, "text": label.text}
            if there is None:
                services.annotate(caller, row, **said, **facts)
            else:
                services.edit_annotation(caller, there, **owners.given(said), **facts)
    return others.values()


def _name(metadata: dict[str, Any]) -> str | None:
    return str(metadata[NAME_KEY]) if metadata.get(NAME_KEY) else None


_CHANGES = {"merge": _merge, "overwrite": _overwrite, "remove": _remove}

HANDLERS: dict[str, Callable[..., object]] = {
    "PatchInputs": patch_inputs,
    "DeleteInput": delete_input,
    "DeleteInputs": delete_inputs,
}
