"""What a page does at its socket, without the page."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.sync.client import ClientConnection

Event = dict[str, Any]
LAST = {"finished", "failed", "stopped"}
TROUBLED = "owner/main/models/troubled"


def open_socket(web: str, cookie: str = "", *, origin: str | None = None, path: str = "/ws/runs/") -> ClientConnection:
    headers = {"Cookie": cookie} if cookie else {}
    address = web.replace("http", "ws", 1) + path
    return connect(
        address, origin=origin or web, additional_headers=headers, proxy=None, compression=None, max_size=None
    )  # type: ignore[arg-type]


class Page:
    """Starts runs and gathers their events; each wait has an end."""

    socket: ClientConnection

    def __init__(self, web: str, cookie: str, *, path: str = "/ws/runs/") -> None:
        self._opening = open_socket(web, cookie, path=path)

    def __enter__(self) -> Self:
        self.socket = self._opening.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, kind: str, run: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, "run": run, **fields}))

    def start(self, method: str, *, model: str = TROUBLED, version: str = "", **arguments: Any) -> str:
        run = str(uuid.uuid4())
        self.say("start", run, model=model, version=version, method=method, arguments=arguments)
        return run

    def hear(self, patience: float = 30) -> dict[str, Any]:
        """The next message."""
        heard: dict[str, Any] = json.loads(self.socket.recv(patience))
        return heard

    def events(self, run: str, until: Callable[[Event], bool] | None = None, *, patience: float = 40) -> list[Event]:
        """The run's events, to its last or the first that fits."""
        events: list[Event] = []
        end = time.monotonic() + patience
        while True:
            message = self.hear(max(0.01, end - time.monotonic()))
            assert message["type"] == "events", message
            if message["run"] == run:
                events += message["events"]
            if any(until(event) if until else event["kind"] in LAST for event in events):
                return events

    def refusal(self) -> dict[str, Any]:
        message = self.hear()
        assert message["type"] == "refused", message
        error: dict[str, Any] = message["error"]
        return error


def outputs(events: list[Event]) -> list[Any]:
    return [event["value"] for event in events if event["kind"] == "output"]


def is_output(event: Event) -> bool:
    return bool(event["kind"] == "output")
