"""A gateway and its model in one small server: answers the three RPCs with plain coroutines, in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import codec, errors
from playground.protocol.signatures import build_signatures
from playground.protocol.values import Concept, Image

METHODS = ("predict", "picture", "concepts", "ranged", "generate", "endless", "breaks", "quick", "stream", "watch")


class Declared:
    """The methods as an author would declare them; what they do is below, in ``Gateway``."""

    def predict(self, text: str) -> str:
        raise NotImplementedError

    def picture(self, image: Image) -> Image:
        raise NotImplementedError

    def concepts(self, text: str) -> list[Concept]:
        raise NotImplementedError

    def ranged(self, count: int, text: str = "x") -> str:
        raise NotImplementedError

    def generate(self, text: str) -> Iterator[str]:
        raise NotImplementedError

    def endless(self, text: str) -> Iterator[str]:
        raise NotImplementedError

    def breaks(self, text: str) -> Iterator[str]:
        raise NotImplementedError

    def quick(self, text: str, count: int) -> Iterator[str]:
        raise NotImplementedError

    def stream(self, text: Iterator[str]) -> Iterator[str]:
        raise NotImplementedError

    def watch(self, frame: Iterator[Image]) -> Iterator[str]:
        raise NotImplementedError


for name in METHODS:
    getattr(Declared, name)._is_model_method = True
SIGNATURES = build_signatures(Declared, where="tests/runs/gateway.py")


class Gateway:
    """Serves, and remembers which tokens came, whether calls were cancelled, and how many go on."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.cancelled = 0
        self.deploying = 0
        self.gone = False
        self.says_taken = True
        self.port = 0
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self.served_by = resources_pb2.RunnerSelector(
            deployment=resources_pb2.Deployment(id="shared-echo", user_id="ada"),
            nodepool=resources_pb2.Nodepool(id="shared", compute_cluster=resources_pb2.ComputeCluster(id="local")),
        )

    async def start(self) -> None:
        request = service_pb2.PostModelOutputsRequest.FromString
        reply = service_pb2.MultiOutputResponse.SerializeToString
        codecs = {"request_deserializer": request, "response_serializer": reply}
        handlers = {
            "PostModelOutputs": grpc.unary_unary_rpc_method_handler(self._unary, **codecs),
            "GenerateModelOutputs": grpc.unary_stream_rpc_method_handler(self._generate, **codecs),
            "StreamModelOutputs": grpc.stream_stream_rpc_method_handler(self._stream, **codecs),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("clarifai.api.V2", handlers),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(0)

    async def _unary(self, request: Any, context: Any) -> Any:
        if self.deploying:
            self.deploying -= 1
            return self._refusal(errors.DeployingError("building: installing requirements"))
        signature, arguments = self._read(request, context)
        match signature.name:
            case "predict" if arguments["text"] == "raise":
                failure = self._refusal(errors.ModelError("The model failed: KeyError: 'x'", call_id="req-1"))
                failure.runner_selector.CopyFrom(self.served_by)
                return failure
            case "predict" if arguments["text"] == "hang":
                with self._noting_cancel():
                    await asyncio.sleep(60)
            case "predict" | "ranged":
                return self._reply(signature, f"Hello, {arguments['text']}!", tokens=3)
            case "picture":
                return self._reply(signature, arguments["image"])
            case "concepts":
                return self._reply(signature, [Concept("cat", 0.9), Concept("dog", 0.1)])
        raise AssertionError(signature.name)

    async def _generate(self, request: Any, context: Any) -> AsyncIterator[Any]:
        signature, arguments = self._read(request, context)
        if self.gone:
            yield self._refusal(errors.UnavailableError("Nobody answers."))
            return
        with self._noting_cancel():
            match signature.name:
                case "generate":
                    for number, word in enumerate(arguments["text"].split()):
                        yield self._reply(signature, f"{word} ", tokens=number + 1)
                case "quick":
                    for _ in range(arguments["count"]):
                        yield self._reply(signature, arguments["text"])
                case "endless":
                    while True:
                        yield self._reply(signature, arguments["text"])
                        await asyncio.sleep(0.01)
                case "breaks":
                    yield self._reply(signature, "one ")
                    yield self._reply(signature, "two ")
                    yield self._refusal(errors.UnavailableError("The replica went away after 2 outputs."))

    async def _stream(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        taken = 0
        async for request in requests:
            data = request.inputs[0].data
            signature = SIGNATURES[codec.method_name(data) or "stream"]
            with contextlib.suppress(errors.InputError):
                item = codec.decode_stream_item(signature, data)
                taken += 1
                said = f"{len(item.bytes)} bytes" if isinstance(item, Image) else f"<{item}>"
                reply = self._reply(signature, said)
                if self.says_taken:
                    reply.outputs[0].input.id = str(taken)
                yield reply

    def _read(self, request: Any, context: Any) -> tuple[Any, dict[str, Any]]:
        metadata = dict(context.invocation_metadata())
        self.tokens.append(metadata["authorization"].removeprefix("Key "))
        data = request.inputs[0].data
        signature = SIGNATURES[codec.method_name(data) or "predict"]
        return signature, codec.decode_arguments(signature, data)

    def _reply(self, signature: Any, value: Any, tokens: int = 0) -> Any:
        ok = status_pb2.Status(code=StatusCode.SUCCESS, req_id="req-1")
        data = codec.encode_output(signature, value)
        output = resources_pb2.Output(status=ok, data=data, prompt_tokens=tokens and 5, completion_tokens=tokens)
        return service_pb2.MultiOutputResponse(status=ok, outputs=[output], runner_selector=self.served_by)

    def _refusal(self, error: errors.PlaygroundError) -> Any:
        return service_pb2.MultiOutputResponse(status=errors.to_status(error))

    @contextlib.contextmanager
    def _noting_cancel(self) -> Iterator[None]:
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
