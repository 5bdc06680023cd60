"""One live runner of a model that has a method of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.runner.server import Limits
from playground.runner.testing import running
from tests.runner.calling import Caller, calling
from tests.runner.kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def kinds_address() -> Iterator[str]:
    with running(Kinds, limits=Limits(grace=0.2, threads=16, queue=16)) as address:
        yield address


@pytest.fixture
def kinds(kinds_address: str) -> Iterator[Caller]:
    with calling(kinds_address) as caller:
        yield caller
