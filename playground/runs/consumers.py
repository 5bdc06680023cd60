"""The one socket of runs: authorises, parses, calls the executor, and hands its feed the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from playground.protocol.errors import AccessError, InputError, PlaygroundError
from playground.runs import executor, inputs, requests, services

if TYPE_CHECKING:
    from playground.catalog.models import User
    from playground.runs.feed import Feed

MAX_MESSAGE = 4 * 2**20


class RunConsumer(AsyncConsumer):  # type: ignore[misc] # Channels has no types
    """``ws/runs/``: JSON and live bytes in, events and refusals out. Leaving it detaches; only ``stop`` cancels."""

    user: User
    feed: Feed | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels would first hop to a thread to mind database connections: none is used here."""
        kind = message["type"]
        if kind == "websocket.receive":
            if self.feed is not None:
                await self.receive(self.feed, message)
        elif kind == "websocket.connect":
            await self.connect()
        elif kind == "websocket.disconnect":
            self.leave()
            raise StopConsumer

    async def connect(self) -> None:
        await self.send({"type": "websocket.accept"})
        if not self.scope["user"].is_authenticated:
            await self.close(executor.SIGNED_OUT)
            return
        self.user = self.scope["user"]
        session_key = getattr(self.scope.get("session"), "session_key", None) or ""
        signed_in = services.SignedIn(self.user.pk, session_key)
        self.feed = executor.current().open_feed(self.send_text, self.close, signed_in)

    def leave(self) -> None:
        if self.feed is not None:
            executor.current().close_feed(self.feed)
            self.feed = None

    async def receive(self, feed: Feed, frame: dict[str, Any]) -> None:
        message: dict[str, Any] = {}
        try:
            message = parse(frame)
            await self.act(feed, message)
        except PlaygroundError as error:
            feed.refuse(_run_of(message), error, _key_of(message))

    async def act(self, feed: Feed, message: dict[str, Any]) -> None:
        runs, kind = executor.current(), message.get("type")
        if kind == "start":
            runs.start(self.user, requests.parse_start(message), feed)
            return
        run_id = requests.parse_run_id(message)
        if kind == "attach":
            runs.attach(self.user, run_id, requests.parse_after(message), feed, requests.parse_key(message))
        elif kind == "detach":
            runs.detach(run_id, feed)
        elif kind == "stop":
            runs.stop(self.user, run_id)
        elif kind == "input":
            await runs.give(self.user, run_id, inputs.parse_given(message))
        elif kind == "close_input":
            runs.close_input(self.user, run_id)
        else:
            raise InputError("type: one of start, attach, detach, stop, input, close_input is needed.")

    async def send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        self.feed = None
        await self.send({"type": "websocket.close", "code": code})


def parse(frame: dict[str, Any]) -> dict[str, Any]:
    """The message in a frame. Raises InputError, AccessError."""
    text = frame.get("text")
    content = frame.get("bytes") or b""
    if len(content if text is None else text) > MAX_MESSAGE:
        raise AccessError(f"A message may have at most {MAX_MESSAGE // 2**20} MB. Files are uploaded, not sent here.")
    if text is None:
        return inputs.parse_binary(content)
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InputError("The message is no JSON.") from None
    if not isinstance(message, dict):
        raise InputError("The message is no JSON object.")
    return message


def _key_of(message: dict[str, Any]) -> str | None:
    """How the page knows the input that was refused; None where it was no input."""
    key = message.get("key", "")
    return key[: inputs.MAX_KEY] if message.get("type") == "input" and isinstance(key, str) else None


def _run_of(message: dict[str, Any]) -> str | None:
    run = message.get("run")
    return run[:64] if isinstance(run, str) else None
