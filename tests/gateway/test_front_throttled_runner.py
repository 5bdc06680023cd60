"""Somebody's runner that says it is throttled, behind our gateway: each client comes again as the contract has it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol.errors import PlaygroundError
from tests.gateway import live
from tests.gateway.client_process import Client
from tests.gateway.test_front_official_runner import place
from tests.sdk.v2_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.live import Live
    from tests.sdk.v2_server import V2Server

CALL = """
from clarifai.client import Model
model = Model("https://x/owner/main/models/weak", deployment_id="limited", deployment_user_id="owner")
"""


@pytest.fixture(scope="module")
def limited() -> Iterator[V2Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, limited: V2Server) -> Iterator[Live]:
    running = live.make(tmp_path_factory.mktemp("front"))
    place(running, {"limited": [limited.target]})
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("code", [StatusCode.CONN_THROTTLED, StatusCode.CONN_EXCEED_HOURLY_LIMIT])
def test_the_official_client_comes_again_after_five_seconds(
    front: Live, limited: V2Server, tmp_path: Path, code: int
) -> None:
    """2: codes 11005 and 11003 reach the client as they are, and it asks again."""
    client = Client(front, tmp_path)
    client.told(f'{CALL}told["first"] = model.predict(text="warm")')
    limited.refusals.append(PlaygroundError("slow down", code=code))
    began = time.monotonic()
    told = client.told(f'{CALL}told["second"] = model.predict(text="again {code}")')
    assert told["second"] == f"again {code}"
    assert len([request for request in limited.requests if f"again {code}" in str(request)]) == 2
    assert time.monotonic() - began >= 5
