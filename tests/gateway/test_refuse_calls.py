"""Refusals travel in-band, each as one message, in words; a stranger is told what anybody is told of nothing."""

from __future__ import annotations

from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live
from tests.gateway.live import Live, ask

WAYS = ["predict", "generate", "stream"]


def refusal(gateway: Live, way: str, request: Any, **who: Any) -> Any:
    """The one message that a call is refused with."""
    if way == "predict":
        return gateway.predict(request, **who)
    if way == "generate":
        replies = gateway.generate(request, **who)
    else:
        with gateway.streaming([request], **who) as stream:
            replies = list(stream)
    assert len(replies) == 1
    return replies[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", StatusCode.CONN_INVALID_REQUEST),
        ("pg_wrong", StatusCode.CONN_KEY_INVALID),
        ("odd:1:x", StatusCode.CONN_KEY_INVALID),
    ],
)
def test_it_needs_a_token(gateway: Live, way: str, token: str, code: int) -> None:
    reply = refusal(gateway, way, ask(method=way), token=token)
    assert reply.status.code == code
    assert reply.status.req_id


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (ask(model="ecko"), StatusCode.MODEL_DOES_NOT_EXIST, ["ecko", "owner/main/models/echo"]),
        (ask(version_id="v9"), StatusCode.MODEL_DOES_NOT_EXIST, ["v9"]),
        (
            ask(runner_selector=live.by_deployment("night")),
            StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
            ["night", "shared-echo"],
        ),
        (
            ask(runner_selector=resources_pb2.RunnerSelector(nodepool=resources_pb2.Nodepool(id="shared"))),
            StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT,
            ["shared", "compute_cluster_id"],
        ),
    ],
)
def test_it_names_what_is_wrong(gateway: Live, way: str, request_: Any, code: int, words: list[str]) -> None:
    reply = refusal(gateway, way, request_)
    assert reply.status.code == code
    for word in words:
        assert word in reply.status.description


@pytest.mark.parametrize("way", WAYS)
def test_a_stranger_reads_the_same_of_hidden_and_absent(gateway: Live, way: str) -> None:
    hidden = refusal(gateway, way, ask(), user="stranger").status
    absent = refusal(gateway, way, ask(model="nope"), user="stranger").status
    assert hidden.code == absent.code == StatusCode.MODEL_DOES_NOT_EXIST
    assert hidden.description.replace("echo", "nope") == absent.description


def test_a_revoked_token_is_refused_within_a_second(gateway: Live) -> None:
    token = gateway.django(MAKE_TOKEN)
    assert gateway.predict(ask(), token=token).status.code == live.OK
    gateway.django(REVOKE_TOKEN, token)
    live.wait_for(
        lambda: gateway.predict(ask(), token=token).status.code == StatusCode.CONN_KEY_INVALID, "the refusal", 1
    )


def test_a_minted_token_opens_the_gateway(gateway: Live) -> None:
    token = gateway.django(MINT_TOKEN)
    assert live.text_of(gateway.predict(ask("x"), token=token)) == "echo x"


def test_an_empty_stream_is_refused_in_band(gateway: Live) -> None:
    with gateway.streaming([]) as stream:
        replies = list(stream)
    assert [reply.status.code for reply in replies] == [StatusCode.MODEL_INVALID_ARGUMENT]


def test_garbage_is_refused_in_band(gateway: Live) -> None:
    class Garbage:
        def SerializeToString(self) -> bytes:
            return b"\xff\xff\xff"

    reply = gateway.predict(Garbage())
    assert reply.status.code == StatusCode.MODEL_INVALID_ARGUMENT


def test_an_unknown_call_is_answered_in_band(gateway: Live) -> None:
    reply = gateway.call("ListKeys", service_pb2.ListKeysRequest())
    assert reply.status.code == StatusCode.NOT_IMPLEMENTED
    assert "ListKeys" in reply.status.description


MAKE_TOKEN = """
from playground.catalog.models import User
from playground.catalog.tokens import create_token
print(json.dumps(create_token(User.objects.get(username="owner"))))
"""
REVOKE_TOKEN = """
from playground.catalog.models import AccessToken
from playground.catalog.tokens import digest, revoke_token
revoke_token(AccessToken.objects.get(digest=digest(sys.argv[1])))
"""
MINT_TOKEN = """
from playground.catalog.models import User
from playground.catalog.tokens import mint_gateway_token
print(json.dumps(mint_gateway_token(User.objects.get(username="owner"))))
"""
