"""A way to one gateway (or one runner): its address, token, time limits, and the transport that carries the calls.

Making one opens nothing; the connection is made by the first call and shared by all links to one address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from playground import __version__
from playground.protocol.errors import ConfigError
from playground.sdk.calls import STREAM_SECONDS, UNARY_SECONDS, check_seconds
from playground.sdk.channel import AsyncGrpcTransport, AsyncTransport, GrpcTransport, Metadata, Transport
from playground.sdk.config import Address, clean_token, read_config
from playground.sdk.pipes import AsyncPipeTransport
from playground.sdk.streams import OnWait

Token = str | Callable[[], str] | None
PREFIX = ("x-clarifai-request-id-prefix", f"playground-{__version__}")


class _Settings:
    """What both twins are made of: where to, with which token, for how long.

    ``token`` may be a function, asked before each call. ``timeout`` is for one answer, ``stream_timeout`` for a
    stream, in seconds; ``on_wait`` is told while a model is being deployed.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: Token = None,
        *,
        timeout: float | None = None,
        stream_timeout: float | None = None,
        on_wait: OnWait | None = None,
        root_certificates: str | Path | None = None,
        metadata: Iterable[tuple[str, str]] = (),
    ) -> None:
        config = read_config(base_url, "" if callable(token) else token)
        self.address: Address = config.address
        self.timeout = check_seconds(UNARY_SECONDS if timeout is None else timeout)
        self.stream_timeout = check_seconds(STREAM_SECONDS if stream_timeout is None else stream_timeout)
        self.on_wait = on_wait
        self._extra: Metadata = (PREFIX, *metadata)
        self._mint = token if callable(token) else None
        self._constant = self._with_token(config.token)
        self._certificates = _read_certificates(root_certificates)

    def metadata(self) -> Metadata:
        """Headers of one call; a token that is made afresh is made here."""
        return self._constant if self._mint is None else self._with_token(clean_token(self._mint()))

    def _with_token(self, token: str) -> Metadata:
        return (("authorization", f"Key {token}"), *self._extra) if token else self._extra


class Link(_Settings):
    """Carries calls from ordinary code; safe to share between threads."""

    @cached_property
    def transport(self) -> Transport:
        return GrpcTransport(self.address, self._certificates)

    def close(self) -> None:
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class AsyncLink(_Settings):
    """The asynchronous twin: its connections belong to the loop that runs when a call is made."""

    local_socket: Path | None = None
    """Where the gateway of the same installation listens beside gRPC, for who may open that file."""

    @cached_property
    def transport(self) -> AsyncTransport:
        plain = AsyncGrpcTransport(self.address, self._certificates)
        return AsyncPipeTransport(self.local_socket, plain) if self.local_socket is not None else plain

    async def close(self) -> None:
        await self.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()


def _read_certificates(path: str | Path | None) -> bytes | None:
    try:
        return Path(path).read_bytes() if path else None
    except OSError as error:
        raise ConfigError(f"Cannot read the root certificates {path}: {error.strerror}.") from None
