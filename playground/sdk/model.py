"""A model as an object: its author's methods under their own names, beside the few that every model has.

``Model`` and ``AsyncModel`` are twins written by hand over ``calls`` and ``oldform``; what they share and
needs no network is in ``_Face``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack

from playground.protocol import codec, signatures
from playground.protocol.errors import InputError, NotFoundError, PlaygroundError, ServerError
from playground.protocol.signatures import MethodKind
from playground.sdk import calls
from playground.sdk.calls import Answer, Method, ModelAddress, Patience, Reply, Selector, Signature
from playground.sdk.channel import GET_MODEL_VERSION, POST, NotServedError, Rpc
from playground.sdk.link import AsyncLink, Link, Token
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
from playground.sdk.streams import AsyncStream, OnWait, Plan, Stream, Terms

AnyLink = TypeVar("AnyLink", Link, AsyncLink)
Params = Mapping[str, Any] | None


class _Face(Generic[AnyLink]):
    """Which model, where it is asked, and its methods once they are known."""

    def __init__(
        self,
        make_link: Callable[..., AnyLink],
        url: str | None = None,
        *,
        model_id: str = "",
        user_id: str = "",
        app_id: str = "",
        version_id: str = "",
        deployment_id: str = "",
        deployment_user_id: str = "",
        compute_cluster_id: str = "",
        nodepool_id: str = "",
        base_url: str | None = None,
        pat: Token = None,
        token: Token = None,
        signatures: Iterable[Signature] | None = None,
        link: AnyLink | None = None,
    ) -> None:
        self._address = _find_address(url, model_id, user_id, app_id, version_id)
        self._selector = Selector(deployment_id, deployment_user_id, compute_cluster_id, nodepool_id).check()
        self._link: AnyLink = link if link is not None else make_link(base_url, pat if token is None else token)
        self._header = calls.make_header(self._address, self._selector)
        self._methods: dict[str, Method] | None = None
        self._functions: dict[str, Callable[..., Any]] = {}
        if signatures is not None:
            self._learn({signature.name: signature for signature in signatures})
        self._seconds = self._link.timeout
        self._stream_seconds = self._link.stream_timeout
        self._on_wait = self._link.on_wait

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address.model_id} at {self._link.address.target}>"

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *(self._methods or ())]

    def _learn(self, known: Mapping[str, Signature]) -> dict[str, Method]:
        self._methods = {name: Method.of(signature) for name, signature in known.items()}
        return self._methods

    def _pick(self, name: str, known: Mapping[str, Method]) -> Method:
        if method := known.get(name):
            return method
        has = f"it has {', '.join(known)}" if known else "it has none; call it by predict_by_bytes and its like"
        raise NotFoundError(f"{self._address.model_id} has no method {name!r}: {has}.")

    def _clone(self) -> Self:
        """The same model over the same connection, to be changed by ``using``."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, _functions={})
        return twin

    def using(
        self,
        *,
        deployment_id: str | None = None,
        deployment_user_id: str | None = None,
        compute_cluster_id: str | None = None,
        nodepool_id: str | None = None,
        timeout: float | None = None,
        stream_timeout: float | None = None,
        on_wait: OnWait | None = None,
    ) -> Self:
        """The same model asked elsewhere or with other limits.

        >>> model.using(deployment_id="fast", timeout=5).predict("Ada")
        """
        twin = self._clone()
        twin._selector = self._selector.override(
            deployment_id=deployment_id,
            deployment_user_id=deployment_user_id,
            compute_cluster_id=compute_cluster_id,
            nodepool_id=nodepool_id,
        )
        twin._header = calls.make_header(twin._address, twin._selector)
        twin._seconds = calls.check_seconds(self._seconds if timeout is None else timeout)
        twin._stream_seconds = calls.check_seconds(self._stream_seconds if stream_timeout is None else stream_timeout)
        twin._on_wait = on_wait or self._on_wait
        return twin

    # What a call sends, once its method is known.

    def _request(self, method: Method, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        arguments = signatures.bind(method.signature, args, kwargs)
        return calls.make_request(self._header, codec.encode_arguments(method.signature, arguments))

    def _plan(
        self, method: Method, args: tuple[Any, ...], kwargs: Mapping[str, Any], read: Callable[[Signature, Reply], Any]
    ) -> Plan[Any]:
        read_reply = partial(read, method.signature)
        if method.kind is not MethodKind.STREAM:
            return Plan(read_reply, self._request(method, args, kwargs))
        bound = signatures.bind(method.signature, args, kwargs)
        arguments, items = method.split(bound)
        return Plan(read_reply, encoder=calls.ItemEncoder(self._header, method.signature, arguments), inputs=items)

    def _plan_pieces(self, method: Method, arguments: Mapping[str, Any], inputs: Any) -> Plan[Answer]:
        if method.kind is MethodKind.UNARY:
            raise InputError(f"{method.signature.name} gives one answer, no pieces: use call().")
        if inputs is not None and method.kind is not MethodKind.STREAM:
            raise InputError(f"{method.signature.name} takes no stream of inputs.")
        given = arguments if inputs is None else {**arguments, method.stream_name: inputs}
        return self._plan(method, (), given, calls.AnswerReader().read)

    def _terms(self, deadline: float | None, on_wait: OnWait | None, *, keep: bool = True) -> Terms:
        seconds = self._stream_seconds if deadline is None else calls.check_seconds(deadline)
        return Terms(seconds, on_wait or self._on_wait, keep)

    # Calls of the old form: what they need to know first, and what they send.

    def _old_header(self, where: Where, params: Params, config: Params) -> bytes:
        unknown = set(where) - set(Where.__annotations__)
        if unknown:
            raise InputError(f"No such option: {', '.join(sorted(unknown))}.")
        selector = self._selector.override(
            deployment_id=where.get("deployment_id"),
            compute_cluster_id=where.get("compute_cluster_id"),
            nodepool_id=where.get("nodepool_id"),
            deployment_user_id=where.get("user_id"),
        )
        return calls.make_header(self._address, selector, inference_params=params, output_config=config)


def _find_address(url: str | None, model_id: str, user_id: str, app_id: str, version_id: str) -> ModelAddress:
    if bool(url) == bool(model_id):
        raise InputError("Name the model either by url or by model_id.")
    if not url:
        return ModelAddress(model_id, user_id, app_id or "main", version_id)
    if user_id or app_id:
        raise InputError("The url says whose model it is: leave user_id and app_id out.")
    address = calls.parse_reference(url)
    if version_id and address.version_id not in ("", version_id):
        raise InputError(f"The url names version {address.version_id}, version_id another: {version_id}.")
    return ModelAddress(address.model_id, address.user_id, address.app_id, version_id or address.version_id)


def _reads_as(function: Callable[..., Any], method: Method) -> Callable[..., Any]:
    """Dresses a function as the author's method, for ``help()`` and editors."""
    function.__name__ = function.__qualname__ = method.signature.name
    function.__doc__ = method.signature.description
    function.__signature__ = method.help  # type: ignore[attr-defined]
    return function


def _refuse_kind(method: Method) -> None:
    if method.kind is not MethodKind.UNARY:
        raise InputError(f"{method.signature.name} answers in pieces: use open_stream().")


# --- ordinary ------------------------------------------------------------------------------------------------------


class Model(_Face[Link]):
    """A model, by its page's address or reference, or by its ids.

    >>> model = Model("http://127.0.0.1:8000/owner/main/models/hello", token=token)
    >>> model.predict("Ada")
    'Hello, Ada!'
    >>> model.available_methods()
    ['predict', 'generate', 'stream']

    Its methods are its author's: positional or named arguments, a batch as a list of dicts, and a ``Stream`` from those
    that answer in pieces.
    """

    def __init__(self, url: str | None = None, **options: Any) -> None:
        super().__init__(Link, url, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.method(name)

    def method(self, name: str) -> Callable[..., Any]:
        """One of the model's methods, also where its name is that of one of ours."""
        known = self._functions.get(name)
        if known is None:
            known = self._functions[name] = self._make_function(self._find(name))
        return known

    def available_methods(self) -> list[str]:
        return list(self._known())

    def method_signature(self, name: str) -> str:
        """A method as Python would declare it."""
        return calls.describe(self._find(name).signature)

    def signatures(self) -> dict[str, Signature]:
        """The model's signatures by name, as the wire has them."""
        return {name: method.signature for name, method in self._known().items()}

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        deadline: float | None = None,
        on_wait: OnWait | None = None,
    ) -> Answer:
        """One answer and all that is known about it; ``deadline`` in seconds."""
        found = self._find(method)
        _refuse_kind(found)
        reply = self._post(self._request(found, (), arguments), deadline, on_wait)
        return calls.read_answer(found.signature, reply)

    def open_stream(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        inputs: Any = None,
        deadline: float | None = None,
        on_wait: OnWait | None = None,
    ) -> Stream[Answer]:
        """Answers piece by piece, of methods that answer so; ``inputs`` are those of a method that takes a stream."""
        plan = self._plan_pieces(self._find(method), arguments, inputs)
        return self._stream(plan, self._terms(deadline, on_wait, keep=False))

    def close(self) -> None:
        self._link.close()

    # How it is done.

    def _known(self) -> dict[str, Method]:
        return self._methods if self._methods is not None else self._learn(self._fetch())

    def _find(self, name: str) -> Method:
        return self._pick(name, self._known())

    def _fetch(self) -> dict[str, Signature]:
        """The signatures, from the catalog; from the model itself where there is no catalog, or nothing in it."""
        try:
            reply = self._unary(GET_MODEL_VERSION, calls.ask_version(self._address), self._seconds, self._on_wait)
            if known := calls.read_version(reply):
                return known
        except (NotServedError, ServerError):
            pass
        return calls.read_signatures(self._post(calls.ask_signatures(self._header), None, None))

    def _make_function(self, method: Method) -> Callable[..., Any]:
        signature = method.signature

        def ask(*args: Any, **kwargs: Any) -> Any:
            if (batch := calls.as_batch(signature, args, kwargs)) is not None:
                request = calls.make_request(self._header, *calls.encode_batch(signature, batch))
                return calls.read_batch(signature, self._post(request), count=len(batch))
            return calls.read_value(signature, self._post(self._request(method, args, kwargs)))

        def stream(*args: Any, **kwargs: Any) -> Stream[Any]:
            return self._stream(self._plan(method, args, kwargs, calls.read_value), self._terms(None, None))

        return _reads_as(ask if method.kind is MethodKind.UNARY else stream, method)

    def _post(self, request: bytes, deadline: float | None = None, on_wait: OnWait | None = None) -> Reply:
        seconds = self._seconds if deadline is None else calls.check_seconds(deadline)
        return self._unary(POST, request, seconds, on_wait or self._on_wait)

    def _unary(self, rpc: Rpc, request: bytes, seconds: float, on_wait: OnWait | None) -> Any:
        link, patience = self._link, Patience(seconds)
        while True:
            try:
                reply = link.transport.unary(rpc, request, patience.left(), link.metadata())
                calls.check(reply)
            except PlaygroundError as error:
                pause = patience.pause_after(error, on_wait)
            else:
                return reply
            time.sleep(pause)

    def _stream(self, plan: Plan[Any], terms: Terms) -> Stream[Any]:
        return Stream(plan, terms, self._link.transport, self._link.metadata)

    # The original documentation's forms: one medium in, the wire's own reply out.

    def predict_by_url(
        self,
        url: str,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Reply:
        """Predicts on what ``url`` leads to; ``where`` takes ``deployment_id`` or ``compute_cluster_id`` with
        ``nodepool_id``, and ``user_id``, whose they are."""
        return self._predict_old(from_url, url, input_type, inference_params, output_config, where)

    def predict_by_bytes(
        self,
        input_bytes: bytes,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Reply:
        return self._predict_old(from_bytes, input_bytes, input_type, inference_params, output_config, where)

    def predict_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Reply:
        return self._predict_old(from_bytes, read_file(filepath), input_type, inference_params, output_config, where)

    def generate_by_url(
        self,
        url: str,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Stream[Reply]:
        return self._generate_old(from_url, url, input_type, inference_params, output_config, where)

    def generate_by_bytes(
        self,
        input_bytes: bytes,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Stream[Reply]:
        return self._generate_old(from_bytes, input_bytes, input_type, inference_params, output_config, where)

    def generate_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Stream[Reply]:
        return self._generate_old(from_bytes, read_file(filepath), input_type, inference_params, output_config, where)

    def stream_by_url(
        self,
        url_iterator: Any,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Stream[Reply]:
        return self._stream_old(from_url, url_iterator, input_type, inference_params, output_config, where)

    def stream_by_bytes(
        self,
        input_bytes_iterator: Any,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Stream[Reply]:
        return self._stream_old(from_bytes, input_bytes_iterator, input_type, inference_params, output_config, where)

    def stream_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        inference_params: Params = None,
        output_config: Params = None,
        **where: Unpack[Where],
    ) -> Stream[Reply]:
        return self._stream_old(from_bytes, [read_file(filepath)], input_type, inference_params, output_config, where)

    def _predict_old(
        self, read: ReadSource, source: Any, medium: str | None, params: Params, config: Params, where: Where
    ) -> Reply:
        call = self._old_call("predict", read, medium, params, config, where)
        return call.read(self._post(call.make_request(source)))

    def _generate_old(
        self, read: ReadSource, source: Any, medium: str | None, params: Params, config: Params, where: Where
    ) -> Stream[Reply]:
        call = self._old_call("generate", read, medium, params, config, where)
        return self._stream(Plan(call.read, call.make_request(source)), self._terms(None, None))

    def _stream_old(
        self, read: ReadSource, sources: Any, medium: str | None, params: Params, config: Params, where: Where
    ) -> Stream[Reply]:
        items = calls.check_items(sources, "stream_by")
        call = self._old_call("stream", read, medium, params, config, where)
        return self._stream(Plan(call.read, encoder=OldItemEncoder(call), inputs=items), self._terms(None, None))

    def _old_call(
        self, name: str, read: ReadSource, medium: str | None, params: Params, config: Params, where: Where
    ) -> OldCall:
        header = self._old_header(where, params, config)
        method = self._known().get(name) if params or medium is None else None
        return plan_old_call(header, method and method.signature, medium, read, params)


# --- asynchronous --------------------------------------------------------------------------------------------------


class Pending:
    """A call by name of a method that is not known yet: awaited or iterated, as whatever it turns out to be."""

    def __init__(self, model: AsyncModel, name: str, *args: Any, **kwargs: Any) -> None:
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


class AsyncModel(_Face[AsyncLink]):
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
        _refuse_kind(found)
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

        return _reads_as(ask if method.kind is MethodKind.UNARY else stream, method)

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
