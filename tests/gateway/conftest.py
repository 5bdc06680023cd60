"""One gateway for the whole folder; an act that ends processes makes its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import live

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    """With ``echo`` ready, a user ``owner`` who has it, and a user ``stranger`` who sees nothing of theirs."""
    running = live.make(tmp_path_factory.mktemp("gateway"), live.ECHO)
    running.start()
    live.wait_for(lambda: running.predict(live.ask()).status.code == live.OK, "echo to be ready")
    yield running
    running.stop()


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    """A gateway of one's own, not started yet."""
    made = live.make(tmp_path_factory.mktemp("fresh"), live.ECHO)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()
