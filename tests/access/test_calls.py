"""Calls of models through a live gateway, tried by each person; and tokens that open nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.access import world
from tests.access.table import COLUMNS, HIDDEN, IN_THE_APP, MERLES_OWN, OK, OLIVES_OWN, REFUSED, Row
from tests.gateway.live import Live, ask, by_deployment, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = {
    StatusCode.SUCCESS: OK,
    StatusCode.MODEL_DEPLOYING: OK,  # it may, and waits
    StatusCode.CONN_INSUFFICIENT_SCOPES: REFUSED,
    StatusCode.CONN_KEY_INVALID: "no key",
    StatusCode.MODEL_DOES_NOT_EXIST: HIDDEN,
    StatusCode.DEPLOYMENT_DOES_NOT_EXIST: HIDDEN,
    StatusCode.NODEPOOL_DOES_NOT_EXIST: HIDDEN,
    StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST: HIDDEN,
}
ALL: Row = (OK,) * 6


def place(cluster: str, nodepool: str, user: str = "") -> resources_pb2.RunnerSelector:
    where = resources_pb2.ComputeCluster(id=cluster, user_id=user)
    return resources_pb2.RunnerSelector(nodepool=resources_pb2.Nodepool(id=nodepool, compute_cluster=where))


CALLS: list[tuple[str, Any, Row]] = [
    ("the private model", ask(user="olive"), IN_THE_APP),
    ("the public model", ask(user="olive", model="open"), ALL),
    ("no such model", ask(user="olive", model="nothing"), (HIDDEN,) * 6),
    ("a public deployment", ask(user="olive", runner_selector=by_deployment("for-all", "olive")), IN_THE_APP),
    ("a private one", ask(user="olive", runner_selector=by_deployment("olives", "olive")), OLIVES_OWN),
    ("a member's private one", ask(user="olive", runner_selector=by_deployment("merles", "merle")), MERLES_OWN),
    ("by the shared place", ask(user="olive", runner_selector=place("local", "shared")), IN_THE_APP),
    ("by a private place", ask(user="olive", runner_selector=place("olive-cluster", "olives", "olive")), OLIVES_OWN),
]


def outcome(reply: Any) -> str:
    return WORDS.get(reply.status.code, StatusCode.Name(reply.status.code))


@pytest.mark.parametrize(("request_", "row"), [call[1:] for call in CALLS], ids=[call[0] for call in CALLS])
def test_predict(gateway: Live, request_: Any, row: Row) -> None:
    assert tuple(outcome(gateway.predict(request_, user=name)) for name in COLUMNS) == row


def test_generate(gateway: Live) -> None:
    request = ask(user="olive", method="generate")
    assert tuple(outcome(gateway.generate(request, user=name)[-1]) for name in COLUMNS) == IN_THE_APP


def test_stream(gateway: Live) -> None:
    def last(name: str) -> Any:
        with gateway.streaming([ask(user="olive", method="stream")], user=name) as replies:
            return list(replies)[-1]

    assert tuple(outcome(last(name)) for name in COLUMNS) == IN_THE_APP


def test_tracebacks_are_for_the_models_owner(gateway: Live) -> None:
    for name in COLUMNS[:4]:
        status = gateway.predict(ask(user="olive", method="fail"), user=name).status
        assert "no luck with you" in status.details, name
        assert ("model.py" in "\n".join(status.stack_trace)) == (name == world.OWNER), name


@pytest.mark.parametrize("token", ["revoked", world.SHUT_OUT])
def test_what_was_revoked_or_shut_out_opens_nothing(gateway: Live, token: str) -> None:
    for model in ("echo", "open"):
        assert outcome(gateway.predict(ask(user="olive", model=model), user=token)) == "no key"
    request = service_pb2.ListModelsRequest(user_app_id=resources_pb2.UserAppIDSet(user_id="olive"))
    assert outcome(gateway.call("ListModels", request, user=token)) == "no key"
    assert outcome(gateway.generate(ask(user="olive", method="generate"), user=token)[-1]) == "no key"


COMMAND = "from django.core.management import call_command\ncall_command(*sys.argv[1:], stdout=open(os.devnull, 'w'))"


def test_the_gateway_hears_within_a_second(gateway: Live) -> None:
    def is_now(name: str, word: str, **how: Any) -> Callable[[], bool]:
        return lambda: outcome(gateway.predict(ask(user="olive"), user=name, **how)) == word

    gateway.django(COMMAND, "members", "add", "olive/main", "stan")
    wait_for(is_now(world.STRANGER, OK), "the new member to be let in", 2)
    gateway.django(COMMAND, "members", "remove", "olive/main", "stan")
    wait_for(is_now(world.STRANGER, HIDDEN), "the old member to be refused", 2)

    make = 'call_command("token", "--user", "vera")'
    code = f"import io\nfrom django.core.management import call_command\nout = io.StringIO()\n{make[:-1]}, stdout=out)"
    token = gateway.django(f"{code}\nprint(json.dumps(out.getvalue().split()[-1]))")
    assert is_now("", OK, token=token)()
    gateway.django(COMMAND, "token", "--user", "vera", "--revoke", token)
    wait_for(is_now("", "no key", token=token), "the token to be refused", 2)

    gateway.django(COMMAND, "users", "shut-out", "vera")
    wait_for(is_now(world.VIEWER, "no key"), "the user to be shut out", 2)
    gateway.django(COMMAND, "users", "let-in", "vera")
    wait_for(is_now(world.VIEWER, OK), "the user to be let in", 2)


def test_what_is_hidden_reads_as_what_is_not_there(gateway: Live) -> None:
    told = [
        gateway.predict(ask(user="olive", model=model), user=world.STRANGER).status.description.replace(model, "X")
        for model in ("echo", "nothing")
    ]
    assert told[0] == told[1]
    told = [
        gateway.predict(
            ask(user="olive", runner_selector=by_deployment(slug, "olive")), user=world.VIEWER
        ).status.description.replace(slug, "X")
        for slug in ("olives", "nothing")
    ]
    assert told[0] == told[1]
