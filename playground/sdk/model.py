"""A model as an object: its author's methods under their own names, beside the few that every model has.

``Model`` and ``AsyncModel`` are twins written by hand over ``calls`` and ``oldform``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

from playground.protocol.errors import PlaygroundError, ServerError
from playground.protocol.signatures import MethodKind
from playground.sdk import calls
from playground.sdk.calls import Answer, Method, Patience, Reply, Signature
from playground.sdk.channel import GET_MODEL_VERSION, POST, NotServedError, Rpc
from playground.sdk.face import Face, Params, reads_as, refuse_kind
from playground.sdk.link import Link
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
from playground.sdk.streams import OnWait, Plan, Stream, Terms


class Model(Face[Link]):
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
        refuse_kind(found)
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

        return reads_as(ask if method.kind is MethodKind.UNARY else stream, method)

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
