"""What ``Model`` and ``AsyncModel`` share and needs no network: which model, where it is asked, its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Generic, Self, TypeVar

from playground.protocol import codec, signatures
from playground.protocol.errors import InputError, NotFoundError
from playground.protocol.signatures import MethodKind
from playground.sdk import calls
from playground.sdk.calls import Answer, Method, ModelAddress, Reply, Selector, Signature
from playground.sdk.link import AsyncLink, Link, Token
from playground.sdk.oldform import (
    Where,
)
from playground.sdk.streams import OnWait, Plan, Terms

AnyLink = TypeVar("AnyLink", Link, AsyncLink)
Params = Mapping[str, Any] | None


class Face(Generic[AnyLink]):
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
        self._address = find_address(url, model_id, user_id, app_id, version_id)
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


def find_address(url: str | None, model_id: str, user_id: str, app_id: str, version_id: str) -> ModelAddress:
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


def reads_as(function: Callable[..., Any], method: Method) -> Callable[..., Any]:
    """Dresses a function as the author's method, for ``help()`` and editors."""
    function.__name__ = function.__qualname__ = method.signature.name
    function.__doc__ = method.signature.description
    function.__signature__ = method.help  # type: ignore[attr-defined]
    return function


def refuse_kind(method: Method) -> None:
    if method.kind is not MethodKind.UNARY:
        raise InputError(f"{method.signature.name} answers in pieces: use open_stream().")


# --- ordinary ------------------------------------------------------------------------------------------------------
