"""The asynchronous twin of ``model``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from playground.protocol.errors import InputError, PlaygroundError, ServerError
from playground.protocol.signatures import MethodKind
from playground.sdk import calls
from playground.sdk.calls import Answer, Method, Patience, Reply, Signature
from playground.sdk.channel import GET_MODEL_VERSION, POST, NotServedError, Rpc
from playground.sdk.face import Face, Params, reads_as, refuse_kind
from playground.sdk.link import AsyncLink
from playground.sdk.oldform import (
    OldCall,
    OldItemEncoder,
    ReadSource,
    Where,
    from_bytes,
    from_url,
    plan_old_call,
    read_file,
)
from playground.sdk.streams import AsyncStream, OnWait, Plan, Terms


class Pending:
    """A call by name of a method that is not known yet: awaited or iterated, as whatever it turns out to be."""

    def __init__(self, model: AsyncModel, name: str, /, *args: Any, **kwargs: Any) -> None:
        self._model = model
        self._call = name, args, kwargs
        self._stream: AsyncStream[Any] | None = None

    def __await__(self) -> Generator[Any, None, Any]:
        return self.result().__await__()

    async def result(self) -> Any:
        return await (await self._start())

    async def __aenter__(self) -> AsyncStream[Any]:
        return await (await self._open()).__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            await self._stream.aclose()

    async def __aiter__(self) -> AsyncIterator[Any]:
        async with await self._open() as stream:
            async for piece in stream:
                yield piece

    async def _open(self) -> AsyncStream[Any]:
        if self._stream is None:
            started = await self._start()
            if not isinstance(started, AsyncStream):
                started.close()
                raise InputError(f"{self._call[0]} gives one answer, no pieces: await it.")
            self._stream = started
        return self._stream

    async def _start(self) -> Any:
        name, args, kwargs = self._call
        await self._model.load()
        return self._model.method(name)(*args, **kwargs)


class AsyncModel(Face[AsyncLink]):
    """A model, by its page's address or reference, or by its ids.

    >>> model = AsyncModel("http://127.0.0.1:8000/owner/main/models/hello", token=token)
    >>> await model.predict("Ada")
    'Hello, Ada!'
    >>> async for piece in model.generate("Ada"):
    ...     print(piece)

    Its methods are its author's: positional or named arguments, a batch as a list of dicts, and an ``AsyncStream`` from
    those that answer in pieces.
    """

    def __init__(self, url: str | None = None, **options: Any) -> None:
        super().__init__(AsyncLink, url, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.method(name)

    def method(self, name: str) -> Callable[..., Any]:
        """One of the model's methods, also where its name is that of one of ours."""
        known = self._functions.get(name)
        if known is None and self._methods is None:
            return partial(Pending, self, name)
        if known is None:
            known = self._functions[name] = self._make_function(self._pick(name, self._methods or {}))
        return known

    async def load(self) -> Self:
        """Asks for the signatures now rather than at the first call, so that ``help()`` knows the methods."""
        await self._known()
        return self

    async def available_methods(self) -> list[str]:
        return list(await self._known())

    async def method_signature(self, name: str) -> str:
        """A method as Python would declare it."""
        return calls.describe((await self._find(name)).signature)

    async def signatures(self) -> dict[str, Signature]:
        """The model's signatures by name, as the wire has them."""
        return {name: method.signature for name, method in (await self._known()).items()}

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        deadline: float | None = None,
        on_wait: OnWait | None = None,
    ) -> Answer:
        """One answer and all that is known about it; ``deadline`` in seconds."""
        found = await self._find(method)
        refuse_kind(found)
        reply = await self._post(self._request(found, (), arguments), deadline, on_wait)
        return calls.read_answer(found.signature, reply)

    def open_stream(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        inputs: Any = None,
        deadline: float | None = None,
        on_wait: OnWait | None = None,
    ) -> AsyncStream[Answer]:
        """Answers piece by piece, of methods that answer so; ``inputs`` are those of a method that takes a stream."""

        async def plan() -> Plan[Answer]:
            return self._plan_pieces(await self._find(method), arguments, inputs)

        return self._stream(plan, self._terms(deadline, on_wait, keep=False))

    async def close(self) -> None:
        await self._link.close()

    # How it is done.

    async def _known(self) -> dict[str, Method]:
        return self._methods if self._methods is not None else self._learn(await self._fetch())

    async def _find(self, name: str) -> Method:
        return self._pick(name, await self._known())

    async def _fetch(self) -> dict[str, Signature]:
        """The signatures, from the catalog; from the model itself where there is no catalog, or nothing in it."""
        try:
            reply = await self._unary(GET_MODEL_VERSION, calls.ask_version(self._address), self._seconds, self._on_wait)
            if known := calls.read_version(reply):
                return known
        except (NotServedError, ServerError):
            pass
        return calls.read_signatures(await self._post(calls.ask_signatures(self._header), None, None))

    def _make_function(self, method: Method) -> Callable[..., Any]:
        signature = method.signature

        async def ask(*args: Any, **kwargs: Any) -> Any:
            if (batch := calls.as_batch(signature, args, kwargs)) is not None:
                request = calls.make_request(self._header, *calls.encode_batch(signature, batch))
                return calls.read_batch(signature, await self._post(request), count=len(batch))
            return calls.read_value(signature, await self._post(self._request(method, args, kwargs)))

        def stream(*args: Any, **kwargs: Any) -> AsyncStream[Any]:
            return self._stream(self._plan(method, args, kwargs, calls.read_value), self._terms(None, None))

        return reads_as(ask if method.kind is MethodKind.UNARY else stream, method)

    async def _post(self, request: bytes, deadline: float | None = None, on_wait: OnWait | None = None) -> Reply:
        seconds = self._seconds if deadline is None else calls.check_seconds(deadline)
        return await self._unary(POST, request, seconds, on_wait or self._on_wait)

    async def _unary(self, rpc: Rpc, request: bytes, seconds: float, on_wait: OnWait | None) -> Any:
        link, patience = self._link, Patience(seconds)
        while True:
            try:
                reply = await link.transport.unary(rpc, request, patience.left(), link.metadata())
                calls.check(reply)
            except PlaygroundError as error:
                pause = patience.pause_after(error, on_wait)
            else:
                return reply
            await asyncio.sleep(pause)

    def _stream(self, plan: Plan[Any] | Callable[[], Awaitable[Plan[Any]]], terms: Terms) -> AsyncStream[Any]:
        return AsyncStream(plan, terms, self._link.transport, self._link.metadata)

    # The original documentation's forms: one medium in, the wire's own reply out.

    async def predict_by_url(
        self,
        url: str,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Reply:
        """Predicts on what ``url`` leads to; ``where`` takes ``deployment_id`` or ``compute_cluster_id`` with
        ``nodepool_id``, and ``user_id``, whose they are."""
        return await self._predict_old(from_url, url, input_type, inference_params, output_config, where)

    async def predict_by_bytes(
        self,
        input_bytes: bytes,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Reply:
        return await self._predict_old(from_bytes, input_bytes, input_type, inference_params, output_config, where)

    async def predict_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Reply:
        content = await asyncio.to_thread(read_file, filepath)
        return await self._predict_old(from_bytes, content, input_type, inference_params, output_config, where)

    def generate_by_url(
        self,
        url: str,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> AsyncStream[Reply]:
        return self._generate_old(from_url, url, input_type, inference_params, output_config, where)

    def generate_by_bytes(
        self,
        input_bytes: bytes,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> AsyncStream[Reply]:
        return self._generate_old(from_bytes, input_bytes, input_type, inference_params, output_config, where)

    def generate_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> AsyncStream[Reply]:
        return self._generate_old(from_bytes, read_file(filepath), input_type, inference_params, output_config, where)

    def stream_by_url(
        self,
        url_iterator: Any,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> AsyncStream[Reply]:
        return self._stream_old(from_url, url_iterator, input_type, inference_params, output_config, where)

    def stream_by_bytes(
        self,
        input_bytes_iterator: Any,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> AsyncStream[Reply]:
        return self._stream_old(from_bytes, input_bytes_iterator, input_type, inference_params, output_config, where)

    def stream_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> AsyncStream[Reply]:
        return self._stream_old(from_bytes, [read_file(filepath)], input_type, inference_params, output_config, where)

    async def _predict_old(
        self, read: ReadSource, source: Any, medium: str | None, params: Params, config: Params, where: Where
    ) -> Reply:
        call = await self._old_call("predict", read, medium, params, config, where)
        return call.read(await self._post(call.make_request(source)))

    def _generate_old(
        self, read: ReadSource, source: Any, medium: str | None, params: Params, config: Params, where: Where
    ) -> AsyncStream[Reply]:
        async def plan() -> Plan[Reply]:
            call = await self._old_call("generate", read, medium, params, config, where)
            return Plan(call.read, call.make_request(source))

        self._old_header(where, params, config)  # a bad selector is refused here and now
        return self._stream(plan, self._terms(None, None))

    def _stream_old(
        self, read: ReadSource, sources: Any, medium: str | None, params: Params, config: Params, where: Where
    ) -> AsyncStream[Reply]:
        async def plan() -> Plan[Reply]:
            call = await self._old_call("stream", read, medium, params, config, where)
            return Plan(call.read, encoder=OldItemEncoder(call), inputs=items)

        items = calls.check_items(sources, "stream_by")
        self._old_header(where, params, config)  # a bad selector is refused here and now
        return self._stream(plan, self._terms(None, None))

    async def _old_call(
        self, name: str, read: ReadSource, medium: str | None, params: Params, config: Params, where: Where
    ) -> OldCall:
        header = self._old_header(where, params, config)
        method = (await self._known()).get(name) if params or medium is None else None
        return plan_old_call(header, method and method.signature, medium, read, params)
