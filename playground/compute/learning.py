"""The methods of a model, asked of a replica that has loaded it, and kept with its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.catalog.models import ModelVersion
from playground.catalog.services import store_signatures
from playground.compute.engines.processes import CHANNEL_OPTIONS
from playground.compute.models import Deployment
from playground.protocol.errors import ServerError
from playground.protocol.signatures import signatures_from_json

if TYPE_CHECKING:
    from playground.compute.engines.base import Endpoint, Spec

POST_METHOD = "/clarifai.api.V2/PostModelOutputs"
_PATIENCE_SECONDS = 30


async def ask_signatures(endpoint: Endpoint) -> list[resources_pb2.MethodSignature]:
    """The methods of the model behind ``endpoint``, in order of declaration. Raises ServerError, AioRpcError."""
    text = endpoint.signatures or await _ask(endpoint)
    return list(signatures_from_json(text).values())


async def _ask(endpoint: Endpoint) -> str:
    data = resources_pb2.Data(parts=[resources_pb2.Part(data=resources_pb2.Data())])
    data.metadata.update({"_method_name": "_GET_SIGNATURES"})
    request = service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data)])
    async with grpc.aio.insecure_channel(endpoint.address, options=CHANNEL_OPTIONS) as channel:
        ask = channel.unary_unary(POST_METHOD)
        reply = service_pb2.MultiOutputResponse.FromString(
            await ask(request.SerializeToString(), metadata=endpoint.metadata, timeout=_PATIENCE_SECONDS)
        )
    text: str = reply.outputs[0].data.text.raw if reply.outputs else ""
    if not text:
        raise ServerError(f"the runner told no signatures: {reply.status.description or reply.status.code}")
    return text


def keep_signatures(spec: Spec, signatures: list[resources_pb2.MethodSignature]) -> None:
    row = Deployment.objects.filter(pk=spec.id).first()
    version = ModelVersion.objects.filter(model=row.model_id, slug=spec.version_id).first() if row else None
    if version is not None:
        store_signatures(version, signatures)
