"""Model types: what a model of each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.gateway.families.paging import slice_of
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import User

# Official clients ask for these when a call by URL, bytes or file names no input_type.
INPUT_FIELDS = {
    "text-to-text": ["text"],
    "text-classifier": ["text"],
    "text-embedder": ["text"],
    "text-to-image": ["text"],
    "text-to-audio": ["text"],
    "visual-classifier": ["image"],
    "visual-detector": ["image"],
    "visual-embedder": ["image"],
    "visual-segmenter": ["image"],
    "visual-keypointer": ["image"],
    "image-to-image": ["image"],
    "image-to-text": ["image"],
    "audio-to-text": ["audio"],
    "video-to-text": ["video"],
    "multimodal-to-text": ["image", "text"],
    "any-to-any": ["text"],
}


def get_model_type(caller: User, request: service_pb2.GetModelTypeRequest) -> service_pb2.SingleModelTypeResponse:
    if request.model_type_id not in INPUT_FIELDS:
        raise NotFoundError(f"No model type {request.model_type_id}. The types are {', '.join(INPUT_FIELDS)}.")
    return service_pb2.SingleModelTypeResponse(model_type=_message(request.model_type_id))


def list_model_types(caller: User, request: service_pb2.ListModelTypesRequest) -> service_pb2.MultiModelTypeResponse:
    found = slice_of(list(INPUT_FIELDS), request)
    return service_pb2.MultiModelTypeResponse(model_types=[_message(type_id) for type_id in found])


def _message(type_id: str) -> resources_pb2.ModelType:
    return resources_pb2.ModelType(id=type_id, title=type_id, input_fields=INPUT_FIELDS[type_id])


HANDLERS: dict[str, Callable[..., object]] = {"GetModelType": get_model_type, "ListModelTypes": list_model_types}
