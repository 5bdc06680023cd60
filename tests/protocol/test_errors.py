"""Every status has a class, and every class survives both ways of travelling."""

from __future__ import annotations

import grpc
import pytest
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import errors
from playground.protocol.errors import CLASSES, InputError, ModelError, PlaygroundError, ServerError


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_survives_in_band(kind: type[PlaygroundError]) -> None:
    sent = kind("It broke.", call_id="id-1", details="how")
    read = errors.from_status(status_pb2.Status.FromString(errors.to_status(sent).SerializeToString()))
    assert type(read) is kind
    assert (read.message, read.code, read.call_id, read.details) == ("It broke.", sent.code, "id-1", "how")


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_survives_beside_a_grpc_status(kind: type[PlaygroundError]) -> None:
    sent = kind("It broke.", call_id="id-1")
    read = errors.from_grpc(kind.grpc_code, sent.message, trailing=errors.trailing_metadata(sent))
    assert type(read) is kind
    assert (read.message, read.call_id) == ("It broke.", "id-1")


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_is_read_by_its_code_alone(kind: type[PlaygroundError]) -> None:
    assert type(errors.from_status(status_pb2.Status(code=kind.v2_code))) is kind


def test_every_v2_code_has_a_class_and_words() -> None:
    every = {code: errors.from_status(status_pb2.Status(code=code)) for code in StatusCode.values()}
    assert [code for code, read in every.items() if type(read) not in CLASSES or not read.message] == []


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_grpc_code_has_a_class(code: grpc.StatusCode) -> None:
    read = errors.from_grpc(code, None)
    assert type(read) in CLASSES
    assert code.name in read.message


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (StatusCode.CONN_KEY_INVALID, "AccessError"),
        (StatusCode.CONN_INVALID_REQUEST, "InputError"),
        (StatusCode.MODEL_DOES_NOT_EXIST, "NotFoundError"),
        (StatusCode.PIPELINE_DOES_NOT_EXIST, "NotFoundError"),
        (StatusCode.MODEL_DEPLOYING, "DeployingError"),
        (StatusCode.MODEL_LOADING, "DeployingError"),
        (StatusCode.MODEL_BUSY_PLEASE_RETRY, "OverloadedError"),
        (StatusCode.CONN_THROTTLED, "OverloadedError"),
        (StatusCode.MODEL_NOT_DEPLOYED, "UnavailableError"),
        (StatusCode.MODEL_PREDICTION_FAILED, "ModelError"),
        (StatusCode.INPUT_DUPLICATE, "ConflictError"),
        (StatusCode.RPC_CANCELED, "StoppedError"),
        (StatusCode.RPC_REQUEST_TIMEOUT, "DeadlineError"),
        (StatusCode.INTERNAL_UNCATEGORIZED, "ServerError"),
        (123456, "ServerError"),
    ],
)
def test_codes_of_others(code: int, name: str) -> None:
    assert errors.from_status(status_pb2.Status(code=code)).name == name


def test_a_status_without_code_keeps_its_words() -> None:
    assert errors.from_status(status_pb2.Status(description="odd")).message == "odd"
    assert errors.from_status(status_pb2.Status()).message == "the reply has no status"


def test_an_official_failure_says_what_failed() -> None:
    read = errors.from_status(status_pb2.Status(code=StatusCode.FAILURE, description="Failure", details="no such cat"))
    assert type(read) is ModelError
    assert (read.message, read.details) == ("no such cat", "")


def test_the_argument_at_fault_travels_along() -> None:
    sent = InputError("no", argument="max_tokens")
    for read in (
        errors.from_status(errors.to_status(sent)),
        errors.from_grpc(grpc.StatusCode.INVALID_ARGUMENT, "no", trailing=errors.trailing_metadata(sent)),
    ):
        assert isinstance(read, InputError)
        assert read.argument == "max_tokens"
    foreign = InputError("no", argument="größe")
    assert errors.trailing_metadata(foreign) == ((errors.ERROR_KEY, "InputError"),)


def test_a_message_past_the_limit_is_the_callers_to_mend() -> None:
    said = "CLIENT: Sent message larger than max (136314967 vs. 134217728)"
    read = errors.from_grpc(grpc.StatusCode.RESOURCE_EXHAUSTED, said)
    assert type(read) is InputError
    assert read.message == "The message is too large: 136,314,967 bytes, and at most 134,217,728 pass."


def test_they_are_pythons_own_errors_too() -> None:
    assert issubclass(InputError, ValueError)
    assert issubclass(errors.DeadlineError, TimeoutError)
    assert [kind.__name__ for kind in CLASSES if kind.retryable] == [
        "OverloadedError",
        "DeployingError",
        "UnavailableError",
    ]


def test_the_docstring_draws_every_class() -> None:
    assert errors.__doc__ is not None
    for kind in CLASSES:
        assert f"\n      {kind.__name__} " in errors.__doc__


def test_unknown_names_and_codes_are_a_server_error() -> None:
    read = errors.from_status(status_pb2.Status(code=7, internal_details="NoSuchError"))
    assert type(read) is ServerError
    assert read.message == "status code 7"
