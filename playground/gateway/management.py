"""All V2 calls that are no prediction: one door that authenticates, finds the handler and answers in-band.

A call that we do not have is answered by its own reply type with a status that says so. Reads and acts have a thread
each, so that neither holds up calls that want to be routed, nor an act a read. Uploads, which take long, have a few of
their own.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction
from google.protobuf import message_factory
from google.protobuf.message import DecodeError

from playground.catalog.models import User
from playground.compute.database import DatabaseThread
from playground.gateway.access import read_token
from playground.gateway.families import (
    apps,
    clusters,
    datasets,
    deployment_edits,
    deployments,
    input_edits,
    inputs,
    labels,
    logs,
    model_edits,
    model_types,
    models,
    nodepools,
    places,
    runners,
    small_models,
    uploads,
    users,
    workflows,
)
from playground.gateway.requests import new_request_id
from playground.gateway.workflows import Workflows
from playground.protocol.errors import InputError, NotFoundError, PlaygroundError, ServerError, to_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from playground.gateway.access import Authenticator

FAMILIES = (
    users,
    apps,
    models,
    model_edits,
    small_models,
    model_types,
    clusters,
    nodepools,
    deployments,
    deployment_edits,
    runners,
    logs,
    places,
    inputs,
    input_edits,
    uploads,
    labels,
    datasets,
    workflows,
)
HANDLERS: dict[str, Callable[[User, Any], Any]] = {
    name: handler for family in FAMILIES for name, handler in family.HANDLERS.items()
}
ACTS = ("Post", "Patch", "Put", "Delete")
UPLOADS = frozenset(uploads.HANDLERS)
UPLOADS_AT_ONCE = 3
RUN_WORKFLOW = "PostWorkflowResults"
Answer: TypeAlias = Callable[[bytes, Any], Awaitable[bytes]]
_SERVICE = service_pb2.DESCRIPTOR.services_by_name["V2"]
log = logging.getLogger(__name__)


class Management:
    """Makes a gRPC handler for each V2 method that takes one request."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._reads = DatabaseThread("management-reads")
        self._acts = DatabaseThread("management-acts")
        self._uploads = DatabaseThread("management-uploads", threads=UPLOADS_AT_ONCE)
        self._workflows = Workflows(self._reads)

    def answers_at(self, address: str) -> None:
        """Where this gateway is called: workflows call their models there."""
        self._workflows.address = address

    async def close(self) -> None:
        await self._reads.close()
        await self._acts.close()
        await self._uploads.close()

    def handler(self, name: str) -> grpc.RpcMethodHandler[Any, Any] | None:
        """None for what the protocol does not have, or has as a stream of requests."""
        method = _SERVICE.methods_by_name.get(name)
        if method is None or method.client_streaming:
            return None
        answer = self._answer(name, method)
        if not method.server_streaming:
            return grpc.unary_unary_rpc_method_handler(answer)

        async def answer_once(content: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[bytes]:
            yield await answer(content, context)  # official clients cannot take an end without a message

        return grpc.unary_stream_rpc_method_handler(answer_once)

    def _answer(self, name: str, method: MethodDescriptor) -> Answer:
        database = self._thread_of(name)
        request_type = message_factory.GetMessageClass(method.input_type)
        reply_type = message_factory.GetMessageClass(method.output_type)

        async def answer(content: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            metadata = tuple(context.invocation_metadata() or ())
            request_id = new_request_id(metadata)
            try:
                caller = await self._authenticator.caller(metadata)
                if name == RUN_WORKFLOW:
                    token = read_token(metadata)
                    reply = await self._workflows.results(caller.pk, token, _parse(request_type, content))
                else:
                    reply = await database(_answer, name, caller.pk, request_type, content)
            except PlaygroundError as error:
                reply = _failure(reply_type, error, request_id)
            except Exception:
                log.exception("%s: %s: unexpected", request_id, name)
                reply = _failure(reply_type, ServerError("The gateway failed; its log says more."), request_id)
            reply.status.req_id = request_id
            return bytes(reply.SerializeToString())

        return answer

    def _thread_of(self, name: str) -> DatabaseThread:
        if name in UPLOADS:
            return self._uploads
        return self._acts if name.startswith(ACTS) else self._reads


def _parse(request_type: type[Message], content: bytes) -> Any:
    try:
        return request_type.FromString(content)
    except DecodeError:
        raise InputError(f"The request is no {request_type.DESCRIPTOR.name}.") from None


def _answer(name: str, user_pk: int, request_type: type[Message], content: bytes) -> Any:
    request, handler = _parse(request_type, content), HANDLERS.get(name)
    if handler is None:
        raise NotFoundError(f"This server does not have the call {name} yet.", code=StatusCode.NOT_IMPLEMENTED)
    caller = User.objects.get(pk=user_pk)
    if name.startswith(ACTS) and name not in UPLOADS:
        with transaction.atomic():  # a request that names several things does all of it or nothing
            reply = handler(caller, request)
    else:
        reply = handler(caller, request)
    if not reply.status.code:  # what went wrong with some of several, the reply tells itself
        reply.status.code = StatusCode.SUCCESS
        reply.status.description = "Ok"
    return reply


def _failure(reply_type: type[Message], error: PlaygroundError, request_id: str) -> Any:
    log.info("%s: %s: %s", request_id, error.name, error.message)
    reply: Any = reply_type()
    reply.status.CopyFrom(to_status(error))
    return reply
