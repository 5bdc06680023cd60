"""One gateway for the whole folder; an act that ends processes makes its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import asking, live
from tests.gateway.client_process import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    """With ``echo`` ready, a user ``owner`` who has it, and a user ``stranger`` who sees nothing of theirs."""
    running = live.make(tmp_path_factory.mktemp("gateway"), live.ECHO)
    running.start()
    live.wait_for(lambda: running.predict(live.ask()).status.code == live.OK, "echo to be ready")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def official_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    """For official clients: with ``echo``, ``wire`` (every kind of value) and ``chat``, and a team."""
    running = asking.add_team(live.make(tmp_path_factory.mktemp("official"), live.ECHO, live.WIRE, live.CHAT))
    running.start()
    for model in ("echo", "wire", "chat"):
        asked = live.ask("x", "predict", model=model)
        live.wait_for(lambda asked=asked: running.predict(asked).status.code == live.OK, f"{model} to be ready", 60)
    yield running
    running.stop()


@pytest.fixture
def official(official_gateway: live.Live, tmp_path: Path) -> Client:
    """The owner, with the official package."""
    return Client(official_gateway, tmp_path)


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    """A gateway of one's own, not started yet."""
    made = live.make(tmp_path_factory.mktemp("fresh"), live.ECHO)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()
