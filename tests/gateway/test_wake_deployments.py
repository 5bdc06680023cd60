"""A deployment at zero replicas, by the whole gateway: the first call wakes it, however it is made."""

from __future__ import annotations

import time

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live
from tests.gateway.live import Live, ask

SLEEP = """
from playground.compute.models import Deployment
from playground.compute.services import edit_deployment
row = Deployment.objects.get(slug="shared-echo")
edit_deployment(row.owner, row, min_replicas=0, scale_to_zero_delay_seconds=1)
"""
STATE = """
from playground.compute.models import Deployment
print(json.dumps(Deployment.objects.get(slug="shared-echo").state))
"""


def fall_asleep(gateway: Live) -> None:
    live.wait_for(lambda: gateway.django(STATE) == "scaled to zero", "echo to be at zero", 60)


@pytest.fixture
def sleeping(fresh: Live) -> Live:
    fresh.start()
    live.wait_for(lambda: fresh.predict(ask()).status.code == live.OK, "echo to be ready")
    fresh.django(SLEEP)
    fall_asleep(fresh)
    return fresh


def test_the_first_call_wakes_it(sleeping: Live) -> None:
    with sleeping.streaming([ask(word, "stream") for word in ("a", "b", "c")]) as replies:
        assert [live.text_of(reply) for reply in replies] == ["echo a", "echo b", "echo c"]
    fall_asleep(sleeping)
    began = time.monotonic()
    reply = sleeping.predict(ask())
    while reply.status.code == StatusCode.MODEL_DEPLOYING:
        assert "not ready yet" in reply.status.description
        assert time.monotonic() - began < 20
        reply = sleeping.predict(ask())
    assert live.text_of(reply) == "echo you"
