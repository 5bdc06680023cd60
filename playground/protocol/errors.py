"""The one tree of errors, and the one table between it, gRPC's status codes and the V2 status codes.

    PlaygroundError
      ConfigError        address, token or setting missing or malformed
      InputError         a value does not fit the signature (also a ValueError)
      AccessError        unknown token, or not allowed
      NotFoundError      no such model, version, method, deployment
      ConflictError      exists already, or is not in the right state
      OverloadedError    queue full                         (retryable)
      DeployingError     the model is on its way up         (retryable: clients poll)
      UnavailableError   nobody answered                    (retryable)
      DeadlineError      time ran out                       (also a TimeoutError)
      StoppedError       somebody cancelled the call
      ModelError         the model's own code failed; kept apart from ours
      ServerError        anything else on the far side

The V2 wire reports failures in-band (gRPC OK, ``status.code`` set), so each class has a V2 code it is sent as and a
set of V2 codes it is read from. Where a plain gRPC status is used, trailing metadata names the class. No Django here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

import grpc
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol.headers import REQUEST_ID


class PlaygroundError(Exception):
    """Base of all. ``message`` is for a person; the rest is what a catcher decides on.

    ``code`` is the V2 status code it travels as, ``call_id`` the request id that the logs carry too, ``details`` what
    the model or the far side said in its own words, ``traceback`` a model's traceback (for its owner alone).
    ``served_by`` is the SDK's word for where the call had got to, when it got anywhere.
    """

    grpc_code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    v2_code: ClassVar[int] = StatusCode.INTERNAL_UNCATEGORIZED
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, code: int | None = None, call_id: str = "", details: str = "", traceback: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = int(code if code is not None else self.v2_code)
        self.call_id = call_id
        self.details = details
        self.traceback = traceback
        self.served_by: object | None = None

    @property
    def name(self) -> str:
        """The class's name, by which the far side tells apart classes that share a status."""
        return type(self).__name__


class ConfigError(PlaygroundError):
    grpc_code = grpc.StatusCode.FAILED_PRECONDITION
    v2_code = StatusCode.CONN_BAD_REQUEST_FORMAT


class InputError(PlaygroundError, ValueError):
    """A value that does not fit. ``argument`` names the one at fault, when it is one, also across the wire."""

    grpc_code = grpc.StatusCode.INVALID_ARGUMENT
    v2_code = StatusCode.MODEL_INVALID_ARGUMENT

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        call_id: str = "",
        details: str = "",
        traceback: str = "",
        argument: str = "",
    ) -> None:
        super().__init__(message, code=code, call_id=call_id, details=details, traceback=traceback)
        self.argument = argument


class AccessError(PlaygroundError):
    grpc_code = grpc.StatusCode.PERMISSION_DENIED
    v2_code = StatusCode.CONN_INSUFFICIENT_SCOPES


class NotFoundError(PlaygroundError):
    grpc_code = grpc.StatusCode.NOT_FOUND
    v2_code = StatusCode.CONN_DOES_NOT_EXIST


class ConflictError(PlaygroundError):
    grpc_code = grpc.StatusCode.ALREADY_EXISTS
    v2_code = StatusCode.DEPLOYMENT_INVALID_REQUEST


class OverloadedError(PlaygroundError):
    grpc_code = grpc.StatusCode.RESOURCE_EXHAUSTED
    v2_code = StatusCode.MODEL_BUSY_PLEASE_RETRY
    retryable = True


class DeployingError(PlaygroundError):
    grpc_code = grpc.StatusCode.UNAVAILABLE
    v2_code = StatusCode.MODEL_DEPLOYING
    retryable = True


class UnavailableError(PlaygroundError):
    """Nobody answered. Sent as MODEL_NOT_DEPLOYED, which official clients take as final: at once, not after 45 s."""

    grpc_code = grpc.StatusCode.UNAVAILABLE
    v2_code = StatusCode.MODEL_NOT_DEPLOYED
    retryable = True


class DeadlineError(PlaygroundError, TimeoutError):
    grpc_code = grpc.StatusCode.DEADLINE_EXCEEDED
    v2_code = StatusCode.INTERNAL_UNEXPECTED_TIMEOUT


class StoppedError(PlaygroundError):
    grpc_code = grpc.StatusCode.CANCELLED
    v2_code = StatusCode.INTERNAL_CONTEXT_CANCELED


class ModelError(PlaygroundError):
    grpc_code = grpc.StatusCode.ABORTED
    v2_code = StatusCode.FAILURE


class ServerError(PlaygroundError):
    grpc_code = grpc.StatusCode.INTERNAL
    v2_code = StatusCode.INTERNAL_UNCATEGORIZED


CLASSES: tuple[type[PlaygroundError], ...] = (
    ConfigError,
    InputError,
    AccessError,
    NotFoundError,
    ConflictError,
    OverloadedError,
    DeployingError,
    UnavailableError,
    DeadlineError,
    StoppedError,
    ModelError,
    ServerError,
)
BY_NAME: dict[str, type[PlaygroundError]] = {error.__name__: error for error in CLASSES}

# V2 codes read as a class, beyond the one each class is sent as.
_READ_AS: dict[type[PlaygroundError], tuple[int, ...]] = {
    InputError: (
        StatusCode.BAD_REQUEST,
        StatusCode.FILETYPE_UNSUPPORTED,
        StatusCode.RPC_MAX_MESSAGE_SIZE_EXCEEDED,
    ),
    AccessError: (
        StatusCode.CONN_ACCOUNT_ISSUES,
        StatusCode.CONN_TOKEN_INVALID,
        StatusCode.CONN_CREDENTIALS_INVALID,
        StatusCode.CONN_KEY_INVALID,
        StatusCode.CONN_KEY_NOT_FOUND,
        StatusCode.CONN_NO_GDPR_CONSENT,
        StatusCode.CONN_AUTH_METHOD_DISABLED,
    ),
    NotFoundError: (StatusCode.RPC_UNKNOWN_METHOD, StatusCode.CONN_METHOD_NOT_ALLOWED, StatusCode.NOT_IMPLEMENTED),
    ConflictError: (StatusCode.DEPLOYMENT_DISABLED, StatusCode.DATABASE_DUPLICATE_KEY),
    OverloadedError: (
        StatusCode.CONN_THROTTLED,
        StatusCode.CONN_EXCEED_HOURLY_LIMIT,
        StatusCode.CONN_EXCEED_MONTHLY_LIMIT,
        StatusCode.CONN_EXCEEDS_LIMITS,
        StatusCode.RPC_REQUEST_QUEUE_FULL,
        StatusCode.INTERNAL_RESOURCE_EXHAUSTED,
    ),
    DeployingError: (StatusCode.MODEL_LOADING, StatusCode.MODEL_QUEUED_FOR_DEPLOYMENT),
    UnavailableError: (
        StatusCode.TRY_AGAIN,
        StatusCode.RUNNER_NEEDS_RETRY,
        StatusCode.MODEL_DEPLOYMENT_FAILED,
        StatusCode.RPC_SERVER_UNAVAILABLE,
        StatusCode.REQUEST_DISABLED_FOR_MAINTENANCE,
    ),
    DeadlineError: (StatusCode.RPC_REQUEST_TIMEOUT,),
    StoppedError: (StatusCode.RPC_CANCELED, StatusCode.REQUEST_CANCELED_BY_USER, StatusCode.RUNNER_ITEM_CANCELLED),
    ModelError: (
        StatusCode.MODEL_PREDICTION_FAILED,
        StatusCode.MIXED_STATUS,
        StatusCode.RUNNER_PROCESSING_FAILED,
    ),
}
# The rest of the several hundred V2 codes go by how they are named.
_READ_BY_NAME: tuple[tuple[tuple[str, ...], type[PlaygroundError]], ...] = (
    (("_DOES_NOT_EXIST", "_NOT_FOUND", "_MISSING"), NotFoundError),
    (("_INVALID", "_UNSUPPORTED_FORMAT", "_OVER_LIMIT"), InputError),
    (("_PERMISSION_DENIED",), AccessError),
    (("_DUPLICATE", "_CONFLICT"), ConflictError),
    (("_TIMEOUT", "_TIMED_OUT"), DeadlineError),
    (("_CANCELLED", "_CANCELED"), StoppedError),
)


def _class_by_name(name: str) -> type[PlaygroundError]:
    return next((kind for marks, kind in _READ_BY_NAME if any(mark in name for mark in marks)), ServerError)


_BY_V2_CODE: dict[int, type[PlaygroundError]] = (
    {code: _class_by_name(name) for name, code in StatusCode.items()}
    | {int(code): kind for kind, codes in _READ_AS.items() for code in codes}
    | {int(kind.v2_code): kind for kind in CLASSES}
)
_BY_GRPC_CODE: dict[grpc.StatusCode, type[PlaygroundError]] = {
    **{kind.grpc_code: kind for kind in CLASSES if kind is not DeployingError},
    grpc.StatusCode.UNKNOWN: ServerError,
    grpc.StatusCode.DATA_LOSS: ServerError,
    grpc.StatusCode.UNAUTHENTICATED: AccessError,
    grpc.StatusCode.OUT_OF_RANGE: InputError,
    grpc.StatusCode.UNIMPLEMENTED: NotFoundError,
}
_TOO_LARGE = re.compile(r"message larger than max \((\d+) vs\. (\d+)\)")  # gRPC's own words
ERROR_KEY = "x-playground-error"


def to_status(error: PlaygroundError) -> status_pb2.Status:
    """The in-band status an error travels as; its class (and argument) go along in ``internal_details``."""
    return status_pb2.Status(
        code=error.code,
        description=error.message,
        details=error.details or error.message,
        req_id=error.call_id,
        internal_details=_label(error),
    )


def from_status(status: status_pb2.Status) -> PlaygroundError:
    """The error an in-band status stands for: by the class it names, else by its code."""
    name, _, argument = status.internal_details.partition(":")
    named = BY_NAME.get(name)
    kind = named or _BY_V2_CODE.get(status.code, ServerError)
    details = status.details if status.details != status.description else ""
    message = status.description or details or _code_text(status.code)
    if kind is ModelError and details and named is None:
        message, details = details, ""  # an official runner describes every failure as "Failure"
    error = kind(
        message,
        code=status.code or None,
        call_id=status.req_id,
        details=details,
        traceback="\n".join(status.stack_trace),
    )
    return _with_argument(error, argument)


def trailing_metadata(error: PlaygroundError) -> tuple[tuple[str, str], ...]:
    """What goes beside a plain gRPC status, so that classes sharing one are told apart by name."""
    metadata = ((ERROR_KEY, _label(error)),)
    return (*metadata, (REQUEST_ID, error.call_id)) if error.call_id else metadata


def from_grpc(
    code: grpc.StatusCode,
    details: str | None,
    *,
    call_id: str = "",
    trailing: Iterable[tuple[str, str | bytes]] | None = None,
) -> PlaygroundError:
    """The error a plain gRPC failure stands for: by the class its trailing metadata names, else by its code."""
    metadata = dict(trailing or ())
    name, _, argument = str(metadata.get(ERROR_KEY, "")).partition(":")
    kind = BY_NAME.get(name) or _BY_GRPC_CODE.get(code, ServerError)
    message = details or f"the call ended with gRPC status {code.name}"
    if sizes := _TOO_LARGE.search(message):
        too_large = f"The message is too large: {int(sizes[1]):,} bytes, and at most {int(sizes[2]):,} pass."
        return InputError(too_large, code=StatusCode.RPC_MAX_MESSAGE_SIZE_EXCEEDED, call_id=call_id)
    return _with_argument(kind(message, call_id=call_id or str(metadata.get(REQUEST_ID, ""))), argument)


def _label(error: PlaygroundError) -> str:
    # Metadata values are ASCII; an argument's name need not be.
    argument = error.argument if isinstance(error, InputError) and error.argument.isascii() else ""
    return f"{error.name}:{argument}" if argument else error.name


def _with_argument(error: PlaygroundError, argument: str) -> PlaygroundError:
    if isinstance(error, InputError):
        error.argument = argument
    return error


def _code_text(code: int) -> str:
    if not code:
        return "the reply has no status"
    return str(StatusCode.Name(code)) if code in _BY_V2_CODE else f"status code {code}"
