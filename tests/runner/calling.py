"""A plain V2 client for the runner's tests: raw messages over a synchronous channel."""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.protocol import codec
from playground.protocol.signatures import signatures_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

Data = resources_pb2.Data
Request = service_pb2.PostModelOutputsRequest
Reply = service_pb2.MultiOutputResponse
SUCCESS = 10000


def request(*data: Any) -> Any:
    return Request(inputs=[resources_pb2.Input(data=one) for one in data])


class Caller:
    """Calls one runner's methods by name; ``metadata`` goes along with every call."""

    def __init__(self, channel: grpc.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self._channel = channel
        self._metadata = metadata
        self.signatures = signatures_from_json(self.post(self._get_signatures()).outputs[0].data.text.raw)

    @staticmethod
    def _get_signatures() -> Any:
        data = Data(parts=[resources_pb2.Part()])
        data.metadata["_method_name"] = "_GET_SIGNATURES"
        return request(data)

    def rpc(self, kind: str, name: str) -> Any:
        call = getattr(self._channel, kind)(
            f"/clarifai.api.V2/{name}",
            request_serializer=Request.SerializeToString,
            response_deserializer=Reply.FromString,
        )
        return lambda message, **options: call(message, metadata=self._metadata, **{"timeout": 20, **options})

    def post(self, message: Any, **options: Any) -> Any:
        return self.rpc("unary_unary", "PostModelOutputs")(message, **options)

    def generate(self, message: Any, **options: Any) -> Any:
        return self.rpc("unary_stream", "GenerateModelOutputs")(message, **options)

    def stream(self, messages: Any, **options: Any) -> Any:
        return self.rpc("stream_stream", "StreamModelOutputs")(messages, **options)

    def arguments(self, method: str, **arguments: Any) -> Any:
        return codec.encode_arguments(self.signatures[method], arguments)

    def value(self, method: str, reply: Any) -> Any:
        assert reply.status.code == SUCCESS, reply.status
        return codec.decode_output(self.signatures[method], reply.outputs[0].data)

    def predict(self, method: str, **arguments: Any) -> Any:
        return self.value(method, self.post(request(self.arguments(method, **arguments))))

    def pieces(self, method: str, **arguments: Any) -> list[Any]:
        return [self.value(method, reply) for reply in self.generate(request(self.arguments(method, **arguments)))]

    def status(self, method: str, **arguments: Any) -> Any:
        return self.post(request(self.arguments(method, **arguments))).status


class Conversation:
    """A stream in both directions, one step at a time."""

    def __init__(self, caller: Caller, method: str, **arguments: Any) -> None:
        self._caller = caller
        self._method = method
        self._arguments = arguments
        self._messages: queue.Queue[Any] = queue.Queue()
        self._is_first = True
        self.replies = caller.stream(iter(self._messages.get, None))

    def say(self, item: Any) -> None:
        signature = self._caller.signatures[self._method]
        if self._is_first:
            self._messages.put(request(codec.encode_arguments(signature, self._arguments, item=item)))
        else:
            self._messages.put(request(codec.encode_stream_item(signature, item)))
        self._is_first = False

    def send(self, data: Any) -> None:
        self._messages.put(request(data))
        self._is_first = False

    def hear(self) -> Any:
        return self._caller.value(self._method, next(self.replies))

    def end(self) -> None:
        self._messages.put(None)


@contextlib.contextmanager
def calling(address: str, *metadata: tuple[str, str]) -> Iterator[Caller]:
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(address, options=options) as channel:
        yield Caller(channel, metadata)
