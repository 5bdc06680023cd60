"""The request id that a page shows leads through every log, from the web's to the runner's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.gateway.live import wait_for

if TYPE_CHECKING:
    from tests.live import Stack
    from tests.stack.page import Page


def test_a_failed_run_is_found_in_every_log_by_its_id(stack: Stack, page: Page) -> None:
    events = page.events(page.start("fail_midway", text="x"))
    request_id = events[-1]["error"]["request_id"]
    assert request_id.startswith("playground-")
    logs = Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "logs"
    [runner] = logs.glob("*-shared-troubled.log")
    for log in (logs / "web-server.log", logs / "calls.log", runner):
        wait_for(lambda log=log: log.exists() and request_id in log.read_text(), f"the line in {log.name}")
