from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doors.web_process import WebProcess, running_web


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    with running_web(tmp_path_factory.mktemp("web")) as process:
        yield process
