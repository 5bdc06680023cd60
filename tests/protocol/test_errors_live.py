"""Each class of error through a live server: in-band in the reply's status, and as a plain gRPC status."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from clarifai_grpc.grpc.api import service_pb2

from playground.protocol import errors
from playground.protocol.errors import CLASSES, PlaygroundError


def in_band(request: Any, context: Any) -> Any:
    error = errors.BY_NAME[request.model_id]("It broke.", call_id="id-1")
    return service_pb2.MultiOutputResponse(status=errors.to_status(error))


def aborting(request: Any, context: Any) -> Any:
    error = errors.BY_NAME[request.model_id]("It broke.", call_id="id-1")
    context.set_trailing_metadata(errors.trailing_metadata(error))
    context.abort(error.grpc_code, error.message)


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            act,
            request_deserializer=service_pb2.PostModelOutputsRequest.FromString,
            response_serializer=service_pb2.MultiOutputResponse.SerializeToString,
        )
        for name, act in {"InBand": in_band, "Aborting": aborting}.items()
    }
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=(grpc.method_handlers_generic_handler("test", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            yield channel
        server.stop(None).wait()


def call(channel: grpc.Channel, method: str, kind: type[PlaygroundError]) -> Any:
    ask = channel.unary_unary(
        f"/test/{method}",
        request_serializer=service_pb2.PostModelOutputsRequest.SerializeToString,
        response_deserializer=service_pb2.MultiOutputResponse.FromString,
    )
    return ask(service_pb2.PostModelOutputsRequest(model_id=kind.__name__), timeout=10)


@pytest.mark.parametrize("kind", CLASSES)
def test_in_band(channel: grpc.Channel, kind: type[PlaygroundError]) -> None:
    read = errors.from_status(call(channel, "InBand", kind).status)
    assert (type(read), read.message, read.call_id) == (kind, "It broke.", "id-1")


@pytest.mark.parametrize("kind", CLASSES)
def test_as_a_grpc_status(channel: grpc.Channel, kind: type[PlaygroundError]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, "Aborting", kind)
    failure: Any = caught.value
    read = errors.from_grpc(failure.code(), failure.details(), trailing=failure.trailing_metadata())
    assert (type(read), read.message, read.call_id) == (kind, "It broke.", "id-1")
