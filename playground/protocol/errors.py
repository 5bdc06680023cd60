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
set of V2 codes it is read from; a plain gRPC failure is read through the second column. No Django here.
"""

from __future__ import annotations

from typing import ClassVar

import grpc
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode


class PlaygroundError(Exception):
    """Base of all. ``message`` is for a person; the rest is what a catcher decides on.

    ``code`` is the V2 status code it travels as, ``call_id`` the request id that the logs carry too, ``details`` what
    the model or the far side said in its own words, ``traceback`` a model's traceback (for its owner alone).
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

    @property
    def name(self) -> str:
        """The class's name, by which the far side tells apart classes that share a status."""
        return type(self).__name__


class ConfigError(PlaygroundError):
    grpc_code = grpc.StatusCode.FAILED_PRECONDITION
    v2_code = StatusCode.CONN_BAD_REQUEST_FORMAT


class InputError(PlaygroundError, ValueError):
    grpc_code = grpc.StatusCode.INVALID_ARGUMENT
    v2_code = StatusCode.MODEL_INVALID_ARGUMENT


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
        StatusCode.MODEL_INVALID_REQUEST,
        StatusCode.INPUT_INVALID_ARGUMENT,
        StatusCode.INPUT_INVALID_REQUEST,
        StatusCode.INPUT_UNSUPPORTED_FORMAT,
        StatusCode.INPUT_INVALID_URL,
        StatusCode.CONN_INVALID_REQUEST,
        StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        StatusCode.NODEPOOL_INVALID_ARGUMENT,
        StatusCode.NODEPOOL_INVALID_REQUEST,
        StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT,
        StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST,
        StatusCode.RUNNER_INVALID_ARGUMENT,
        StatusCode.RUNNER_INVALID_REQUEST,
    ),
    AccessError: (
        StatusCode.CONN_TOKEN_INVALID,
        StatusCode.CONN_CREDENTIALS_INVALID,
        StatusCode.CONN_KEY_INVALID,
        StatusCode.CONN_KEY_NOT_FOUND,
        StatusCode.MODEL_PERMISSION_DENIED,
        StatusCode.RUNNER_PERMISSION_DENIED,
    ),
    NotFoundError: (
        StatusCode.MODEL_DOES_NOT_EXIST,
        StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        StatusCode.NODEPOOL_DOES_NOT_EXIST,
        StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST,
        StatusCode.RUNNER_DOES_NOT_EXIST,
        StatusCode.WORKFLOW_DOES_NOT_EXIST,
        StatusCode.INPUT_DOES_NOT_EXIST,
    ),
    ConflictError: (StatusCode.INPUT_DUPLICATE, StatusCode.DEPLOYMENT_DISABLED),
    OverloadedError: (StatusCode.CONN_THROTTLED, StatusCode.CONN_EXCEED_HOURLY_LIMIT),
    DeployingError: (StatusCode.MODEL_LOADING, StatusCode.MODEL_QUEUED_FOR_DEPLOYMENT),
    UnavailableError: (StatusCode.RUNNER_NEEDS_RETRY, StatusCode.MODEL_DEPLOYMENT_FAILED),
    ModelError: (
        StatusCode.MODEL_PREDICTION_FAILED,
        StatusCode.MIXED_STATUS,
        StatusCode.RUNNER_PROCESSING_FAILED,
    ),
}
_BY_V2_CODE: dict[int, type[PlaygroundError]] = {int(error.v2_code): error for error in CLASSES} | {
    int(code): error for error, codes in _READ_AS.items() for code in codes
}
_BY_GRPC_CODE: dict[grpc.StatusCode, type[PlaygroundError]] = {
    **{error.grpc_code: error for error in CLASSES if error is not DeployingError},
    grpc.StatusCode.UNAUTHENTICATED: AccessError,
    grpc.StatusCode.OUT_OF_RANGE: InputError,
    grpc.StatusCode.UNIMPLEMENTED: NotFoundError,
}


def to_status(error: PlaygroundError) -> status_pb2.Status:
    """The in-band status an error travels as; its class goes along in ``internal_details``."""
    return status_pb2.Status(
        code=error.code,
        description=error.message,
        details=error.details or error.message,
        req_id=error.call_id,
        internal_details=error.name,
    )


def from_status(status: status_pb2.Status) -> PlaygroundError:
    """The error an in-band status stands for: by the class it names, else by its code."""
    kind = BY_NAME.get(status.internal_details) or _BY_V2_CODE.get(status.code, ServerError)
    details = status.details if status.details != status.description else ""
    message = status.description or details or StatusCode.Name(status.code) if status.code else "no status in the reply"
    if kind is ModelError and details and not status.internal_details:
        message, details = details, ""  # an official runner describes every failure as "Failure"
    return kind(
        message,
        code=status.code,
        call_id=status.req_id,
        details=details,
        traceback="\n".join(status.stack_trace),
    )


def from_grpc(code: grpc.StatusCode, details: str | None, *, call_id: str = "") -> PlaygroundError:
    """The error a plain gRPC failure stands for."""
    kind = _BY_GRPC_CODE.get(code, ServerError)
    return kind(details or f"the call ended with gRPC status {code.name}", call_id=call_id)
