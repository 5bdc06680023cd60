"""Looking at a runner that others keep alive: whether anybody answers, who it is, and which methods its model has.

What is found wrong is told as a ProbeError, in words for whoever wrote the address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from playground.protocol.errors import BY_NAME, OverloadedError, PlaygroundError, from_status
from playground.protocol.signatures import kind_of, signatures_from_json
from playground.sdk.calls import ask_signatures

if TYPE_CHECKING:
    from playground.compute.engines.base import Endpoint

PLAYGROUND, OFFICIAL = "playground", "official"
# A connection that was lost is tried again within a second, however long nobody was there.
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 128 * 2**20),
    ("grpc.max_send_message_length", 128 * 2**20),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.client_idle_timeout_ms", 60_000),  # and not at all while nobody calls
)
ANSWER_SECONDS = 5.0
_METHODS_SECONDS = 20.0
_HEALTH = "/grpc.health.v1.Health/Check"
_POST = "/clarifai.api.V2/PostModelOutputs"
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?):(?P<port>\d{1,5})")
_MOST_METHODS = 256 * 1024  # characters
_BUSY = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED})


class ProbeError(Exception):
    """``is_nonsense``: somebody answers, and it is not what it should be; waiting will hardly mend that.

    ``is_slow``: nothing says that it has gone, only no answer came in time.
    """

    def __init__(self, message: str, *, is_nonsense: bool = False, is_slow: bool = False) -> None:
        super().__init__(message)
        self.is_nonsense = is_nonsense
        self.is_slow = is_slow


@dataclass(frozen=True)
class Found:
    """A model behind an address: the dialect of its runner, and its methods as ``_GET_SIGNATURES`` tells them."""

    dialect: str
    signatures: str


def check_address(address: str) -> None:
    """Raise ProbeError unless it reads ``host:port``."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ProbeError(f"{address!r} is no address: it is written host:port", is_nonsense=True)


def open_channel(endpoint: Endpoint) -> Any:
    """A channel to an endpoint, plaintext or TLS. Channels to the same one share their connection."""
    if not endpoint.tls:
        return grpc.aio.insecure_channel(endpoint.address, options=CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(endpoint.root_certificate.encode() or None)
    return grpc.aio.secure_channel(endpoint.address, credentials, options=CHANNEL_OPTIONS)


async def look(channel: Any) -> Found:
    """Everything there is to know of a runner. Raises ProbeError."""
    is_known_kind = await check_health(channel)
    signatures = await ask_methods(channel)
    is_ours = is_known_kind and await _is_ours(channel)
    return Found(PLAYGROUND if is_ours else OFFICIAL, signatures)


async def check_health(channel: Any) -> bool:
    """Whether it has the standard health service; one without is well when it answers at all. Raises ProbeError.

    The official runner has none, and says so at once, even when all of its threads are busy.
    """
    try:
        answer = await channel.unary_unary(_HEALTH)(b"", timeout=ANSWER_SECONDS)
        status = health_pb2.HealthCheckResponse.FromString(answer).status
    except grpc.aio.AioRpcError as error:
        if error.code() in {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.RESOURCE_EXHAUSTED}:
            return False
        raise _lost(error, ANSWER_SECONDS) from None
    except DecodeError:
        raise ProbeError("answers nonsense when asked for its health", is_nonsense=True) from None
    if status != health_pb2.HealthCheckResponse.SERVING:
        raise ProbeError("says that it is not ready yet")
    return True


async def ask_methods(channel: Any) -> str:
    """The model's signatures, as JSON that ``signatures_from_json`` reads. Raises ProbeError."""
    reply = await _post(channel, ask_signatures(b""))
    if reply.status.code != StatusCode.SUCCESS:
        error = from_status(reply.status)
        said = f"does not tell its model's methods: {error.message[:300]}"
        raise ProbeError(said, is_nonsense=not error.retryable, is_slow=isinstance(error, OverloadedError))
    text: str = reply.outputs[0].data.text.raw if reply.outputs else ""
    if not text or len(text) > _MOST_METHODS:
        raise ProbeError("does not tell its model's methods", is_nonsense=True)
    try:
        for signature in signatures_from_json(text).values():
            kind_of(signature)
    except PlaygroundError as error:
        raise ProbeError(f"tells nonsense of its model's methods: {error.message}", is_nonsense=True) from None
    return text


async def _is_ours(channel: Any) -> bool:
    """Ours refuses a request without inputs, and names the class of its refusal."""
    reply = await _post(channel, b"")
    return reply.status.internal_details in BY_NAME


async def _post(channel: Any, request: bytes) -> service_pb2.MultiOutputResponse:
    try:
        answer = await channel.unary_unary(_POST)(request, timeout=_METHODS_SECONDS)
        return service_pb2.MultiOutputResponse.FromString(answer)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.UNIMPLEMENTED:
            raise ProbeError("speaks gRPC, but is no V2 runner", is_nonsense=True) from None
        if error.code() in _BUSY:
            raise ProbeError("is too busy to tell its model's methods", is_slow=True) from None
        raise _lost(error, _METHODS_SECONDS) from None
    except DecodeError:
        raise ProbeError("answers something that is no V2 reply", is_nonsense=True) from None


# What gRPC says, in its own words, and what that means.
_MEANINGS = (
    ("Connection refused", "does not answer: nobody listens there", False),
    ("name not found", "does not answer: the name of its host is not known", False),
    ("errors resolving", "does not answer: the name of its host is not known", False),
    ("Failed parsing HTTP/2", "answers, but does not speak gRPC", True),
    ("CERTIFICATE_VERIFY_FAILED", "shows a certificate that nobody we trust has signed", True),
    ("WRONG_VERSION_NUMBER", "does not speak TLS, as its nodepool says it does", True),
    ("Hostname Verification Check failed", "shows another host's certificate", True),
    ("Failed to create security handshaker", "cannot be asked: its nodepool's root certificate is none", True),
    ("handshake failed", "does not come to terms on TLS", True),
    ("Socket closed", "hangs up at once: does it speak TLS, or is it no runner?", False),
    ("Connection reset", "hangs up at once: does it speak TLS, or is it no runner?", False),
)


def _lost(error: grpc.aio.AioRpcError, seconds: float) -> ProbeError:
    code, said = error.code(), error.details() or ""
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return ProbeError(f"does not answer within {seconds:g} s", is_slow=True)
    if code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}:
        return ProbeError(f"refuses us: {said[:300]}", is_nonsense=True)
    for mark, meaning, is_nonsense in _MEANINGS:
        if mark in said:
            return ProbeError(meaning, is_nonsense=is_nonsense)
    if code == grpc.StatusCode.UNAVAILABLE:
        return ProbeError(f"does not answer: {said[:300]}")
    return ProbeError(f"answers nonsense ({code.name}: {said[:300]})", is_nonsense=True)
