"""All V2 calls that are no prediction: one door that authenticates, finds the handler and answers in-band.

A call that we do not have yet is answered by its own reply type with a status that says so.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from google.protobuf import message_factory
from google.protobuf.message import DecodeError

from playground.catalog.models import User
from playground.gateway.families import deployments, models, users
from playground.gateway.requests import new_request_id
from playground.protocol.errors import InputError, NotFoundError, PlaygroundError, ServerError, to_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from playground.compute.database import DatabaseThread
    from playground.gateway.access import Authenticator

HANDLERS = {**users.HANDLERS, **models.HANDLERS, **deployments.HANDLERS}
_SERVICE = service_pb2.DESCRIPTOR.services_by_name["V2"]
log = logging.getLogger(__name__)


class Management:
    """Makes a gRPC handler for each unary V2 method."""

    def __init__(self, authenticator: Authenticator, database: DatabaseThread) -> None:
        self._authenticator = authenticator
        self._database = database

    def handler(self, name: str) -> grpc.RpcMethodHandler[Any, Any] | None:
        """None for what the protocol does not have, or has as a stream."""
        method = _SERVICE.methods_by_name.get(name)
        if method is None or method.client_streaming or method.server_streaming:
            return None
        request_type = message_factory.GetMessageClass(method.input_type)
        reply_type = message_factory.GetMessageClass(method.output_type)

        async def answer(content: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            metadata = tuple(context.invocation_metadata() or ())
            request_id = new_request_id(metadata)
            try:
                caller = await self._authenticator.caller(metadata)
                reply = await self._database(_answer, name, caller.pk, _parse(request_type, content))
            except PlaygroundError as error:
                reply = _failure(reply_type, error, request_id)
            except Exception:
                log.exception("%s: %s: unexpected", request_id, name)
                reply = _failure(reply_type, ServerError("The gateway failed; its log says more."), request_id)
            reply.status.req_id = request_id
            return bytes(reply.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(answer)


def _parse(request_type: type[Message], content: bytes) -> Message:
    try:
        return request_type.FromString(content)
    except DecodeError:
        raise InputError(f"The request is no {request_type.DESCRIPTOR.name}.") from None


def _answer(name: str, user_pk: int, request: Message) -> Any:
    handler: Callable[[User, Message], Any] | None = HANDLERS.get(name)
    if handler is None:
        raise NotFoundError(f"This server does not have the call {name} yet.", code=StatusCode.NOT_IMPLEMENTED)
    reply = handler(User.objects.get(pk=user_pk), request)
    reply.status.code = StatusCode.SUCCESS
    reply.status.description = "Ok"
    return reply


def _failure(reply_type: type[Message], error: PlaygroundError, request_id: str) -> Any:
    log.info("%s: %s: %s", request_id, error.name, error.message)
    reply: Any = reply_type()
    reply.status.CopyFrom(to_status(error))
    return reply
