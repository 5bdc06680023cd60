"""Datasets and concepts of an app over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from inputs.models import Concept, Dataset
from inputs.services.concepts import rename_concepts
from inputs.services.datasets import create_dataset
from inputs.services.datasets import delete_datasets as remove
from playground.catalog.access import Role
from playground.gateway.families import owners
from playground.gateway.families.inputs import INVALID, find_shelf
from playground.gateway.families.paging import page_of
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import User


def get_dataset(caller: User, request: service_pb2.GetDatasetRequest) -> service_pb2.SingleDatasetResponse:
    app = find_shelf(caller, request.user_app_id)
    row = Dataset.objects.filter(app=app, slug=request.dataset_id).select_related("app__owner").first()
    if row is None:
        raise NotFoundError(f"The app {app} has no dataset {request.dataset_id}.")
    return service_pb2.SingleDatasetResponse(dataset=dataset_message(row))


def list_datasets(caller: User, request: service_pb2.ListDatasetsRequest) -> service_pb2.MultiDatasetResponse:
    rows = Dataset.objects.filter(app=find_shelf(caller, request.user_app_id)).select_related("app__owner")
    if text := request.id or request.search:
        rows = rows.filter(slug__icontains=text)
    return service_pb2.MultiDatasetResponse(datasets=[dataset_message(row) for row in page_of(caller, rows, request)])


def post_datasets(caller: User, request: service_pb2.PostDatasetsRequest) -> service_pb2.MultiDatasetResponse:
    app = find_shelf(caller, request.user_app_id, Role.MEMBER)
    owners.require_some(request.datasets, "dataset", INVALID)
    rows = [create_dataset(caller, app, message.id) for message in request.datasets]
    return service_pb2.MultiDatasetResponse(datasets=[dataset_message(row) for row in rows])


def delete_datasets(caller: User, request: service_pb2.DeleteDatasetsRequest) -> Any:
    """The inputs in them stay."""
    app = find_shelf(caller, request.user_app_id)
    owners.require_some(request.dataset_ids, "dataset", INVALID)
    remove(caller, app, list(request.dataset_ids))
    return status_pb2.BaseResponse()


def list_concepts(caller: User, request: service_pb2.ListConceptsRequest) -> service_pb2.MultiConceptResponse:
    app = find_shelf(caller, request.user_app_id)
    rows = Concept.objects.filter(app=app)
    if request.id:
        rows = rows.filter(slug__icontains=request.id)
    found = [_concept_message(row) for row in page_of(caller, rows, request)]
    return service_pb2.MultiConceptResponse(concepts=found)


def patch_concepts(caller: User, request: service_pb2.PatchConceptsRequest) -> service_pb2.MultiConceptResponse:
    """Another name for each, the only thing of a concept that changes. All of them or none."""
    app = find_shelf(caller, request.user_app_id, Role.MEMBER)
    owners.require_some(request.concepts, "concept", INVALID)
    owners.check_action(request.action, INVALID)
    rows = rename_concepts(caller, app, {message.id: message.name for message in request.concepts})
    return service_pb2.MultiConceptResponse(concepts=[_concept_message(row) for row in rows])


def dataset_message(row: Dataset) -> resources_pb2.Dataset:
    message = resources_pb2.Dataset(id=row.slug, app_id=row.app.slug, user_id=row.app.owner.username)
    owners.write_time(message.created_at, row.created_at)
    return message


def _concept_message(row: Concept) -> resources_pb2.Concept:
    message = resources_pb2.Concept(id=row.slug, name=row.name, value=1.0)
    owners.write_time(message.created_at, row.created_at)
    return message


HANDLERS: dict[str, Callable[..., object]] = {
    "GetDataset": get_dataset,
    "ListDatasets": list_datasets,
    "PostDatasets": post_datasets,
    "DeleteDatasets": delete_datasets,
    "ListConcepts": list_concepts,
    "PatchConcepts": patch_concepts,
}
