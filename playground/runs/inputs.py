"""The inputs of a run's stream: read from what a page sends, and waiting, bounded, until the call takes them.

A page sends them as JSON, or live bytes (a camera's frame, a piece of a microphone's sound) as a binary message: four
bytes with the length of a JSON head, the head, then the bytes, which its ``value`` names as ``{"media": "live"}``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from playground.media.models import Reference
from playground.protocol.errors import ConflictError, InputError, OverloadedError
from playground.protocol.plain import content_type_of
from playground.protocol.signatures import stream_field
from playground.runs.requests import Reader, blanked, check_content, read_value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from clarifai_grpc.grpc.api.resources_pb2 import MethodSignature, ModelTypeField

    from playground.catalog.models import User
    from playground.runs.events import Fields

WAITING = 256
WAITING_BYTES = 16 * 2**20
LIVE = "live"
MAX_KEY = 40
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Given:
    """One more input as a page sends it. ``key`` is how that page knows it."""

    plain: Any
    key: str = ""
    live: bytes | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """An input that fits, with what the run's events tell of it."""

    value: Any
    facts: Fields
    size: int
    media_ids: frozenset[str] = frozenset()


def parse_binary(content: bytes) -> dict[str, Any]:
    """A binary message as the message ``input`` that it stands for. Raises InputError."""
    start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES])
    if len(content) < _LENGTH_BYTES or start > len(content):
        raise InputError("A message of bytes begins with the length of its head, in four bytes.")
    try:
        head = orjson.loads(content[_LENGTH_BYTES:start])
    except orjson.JSONDecodeError:
        raise InputError("The head of a message of bytes is JSON.") from None
    if not isinstance(head, dict):
        raise InputError("The head of a message of bytes is a JSON object.")
    return head | {"type": "input", "live": content[start:]}


def parse_given(message: dict[str, Any]) -> Given:
    """Raises InputError."""
    key = message.get("key", "")
    if not isinstance(key, str) or len(key) > MAX_KEY:
        raise InputError(f"key: text of at most {MAX_KEY} characters is needed.")
    live = message.get("live")
    return Given(message.get("value"), key, live if isinstance(live, bytes) else None)


def read(user: User, signature: MethodSignature, given: Given) -> Read:
    """The input as a value; in a thread. Raises InputError, ConflictError where there is no stream."""
    field = stream_field(signature)
    if field is None:
        raise ConflictError(f"{signature.name} takes no stream of inputs.")
    key = {"key": given.key} if given.key else {}
    if given.live is not None:
        value = read_value(given.plain, field, _live_fetcher(given.live, field))
        about = {"size": len(given.live), "content_type": content_type_of(given.live)}
        return Read(value, about | key, len(given.live))
    reader = Reader(user)
    value = read_value(given.plain, field, reader.fetcher(field))
    if reader.ids:
        Reference.objects.filter(pk__in=reader.ids, is_kept=False).update(is_kept=True)
    size = len(given.plain if isinstance(given.plain, str) else repr(given.plain))
    return Read(value, {"value": blanked(given.plain, field)} | key, size, frozenset(reader.ids))


def _live_fetcher(content: bytes, field: ModelTypeField) -> Callable[[str], bytes]:
    def fetch(name: str) -> bytes:
        if name != LIVE:
            raise InputError(f"media: bytes that are sent along are named {LIVE!r}.")
        check_content(content_type_of(content), "What was sent", field)
        return content

    return fetch


class Inputs:
    """What waits for the call; it is never let grow without end."""

    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open
        self.is_live = False
        self._waiting: asyncio.Queue[Read | None] = asyncio.Queue()
        self._bytes = 0

    def put(self, entry: Read) -> None:
        """Raises ConflictError when the input is closed, OverloadedError while too much waits."""
        if not self.is_open:
            raise ConflictError("This run takes no more inputs.")
        if self._waiting.qsize() >= WAITING or self._bytes + entry.size > WAITING_BYTES:
            raise OverloadedError("The model has not taken the last inputs yet: send this one again later.")
        self.is_live = self.is_live or "size" in entry.facts
        self._bytes += entry.size
        self._waiting.put_nowait(entry)

    def close(self) -> None:
        """None follows; what waits is still taken."""
        if self.is_open:
            self.is_open = False
            self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Read]:
        while self.is_open or not self._waiting.empty():
            entry = await self._waiting.get()
            if entry is None:
                return
            self._bytes -= entry.size
            yield entry
