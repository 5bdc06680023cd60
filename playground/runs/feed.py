"""What one socket is sent: everything behind its cursors, at most once a frame, several events together.

The first event after a quiet moment goes out at once. Cursors pull, and the next frame is built only when the server
has taken the last one; so a slow socket costs no more memory than one frame.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from playground.protocol.errors import OverloadedError, PlaygroundError, ServerError
from playground.runs import services
from playground.runs.events import describe_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from playground.catalog.models import User
    from playground.runs.tail import Tail

    InThread = Callable[..., Awaitable[Any]]

logger = logging.getLogger(__name__)

FRAME_SECONDS = 0.016
FRAME_BYTES = 2**18
FRAME_EVENTS = 2000
POLL_SECONDS = 0.5
MAX_FOLLOWED = 200
MAX_REFUSALS = 1000


class Cursor(Protocol):
    """A place in a run's events. ``is_done`` once the last event has been taken.

    ``is_paced`` from the first output on: what comes before it must not make it wait for the next frame.
    """

    is_done: bool
    is_paced: bool

    def open(self) -> None: ...
    async def take(self) -> list[bytes]: ...
    def close(self) -> None: ...


class LiveCursor:
    """A place in the tail of a run of this process."""

    def __init__(self, tail: Tail, after: int, feed: Feed) -> None:
        self.is_done = False
        self.is_paced = True
        self._tail = tail
        self._after = after
        self._feed = feed

    def open(self) -> None:
        self._tail.followers.add(self._feed)

    async def take(self) -> list[bytes]:
        events = self._tail.events[self._after : self._after + FRAME_EVENTS]
        size = 0
        for index, event in enumerate(events):
            size += len(event)
            if size > FRAME_BYTES:
                del events[index + 1 :]
                break
        self._after += len(events)
        self.is_paced = self._after > self._tail.unpaced
        if self._after < len(self._tail.events):
            self._feed.wake()
        elif self._tail.is_ended:
            self.is_done = True
        return events

    def close(self) -> None:
        self._tail.followers.discard(self._feed)


class StoredCursor:
    """A place in a stored run: one that has ended, or that another process executes and stores as it goes."""

    def __init__(self, run_id: UUID, after: int, user: User, in_thread: InThread, feed: Feed) -> None:
        self.is_done = False
        self.is_paced = True
        self._run_id = run_id
        self._after = after
        self._user = user
        self._in_thread = in_thread
        self._feed = feed
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Nothing tells of news in storage: it is asked again and again."""

    async def take(self) -> list[bytes]:
        if self._timer is not None and self._timer.when() > asyncio.get_running_loop().time():
            return []
        page = await self._in_thread(services.read_events, self._user, self._run_id, self._after)
        self._after = max(self._after, page.last)
        self.is_done = page.is_end
        if page.events:
            self._feed.wake()
        elif not page.is_end:
            self._timer = asyncio.get_running_loop().call_later(POLL_SECONDS, self._feed.wake)
        return list(page.events)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Feed:
    """One socket's cursors and the task that sends what lies behind them."""

    def __init__(self, send: Callable[[str], Awaitable[None]], *, session_key: str = "") -> None:
        self.session_key = session_key
        self._send = send
        self._news = asyncio.Event()
        self._cursors: dict[UUID, Cursor] = {}
        self._refusals: list[bytes] = []
        self._task = asyncio.create_task(self._pump())

    def wake(self) -> None:
        self._news.set()

    def follow(self, run_id: UUID, cursor: Cursor) -> None:
        """Send the run's events from this cursor on. Raises OverloadedError past the limit of one socket."""
        if run_id not in self._cursors and len(self._cursors) >= MAX_FOLLOWED:
            raise OverloadedError(f"One socket follows at most {MAX_FOLLOWED} runs.")
        self.unfollow(run_id)
        self._cursors[run_id] = cursor
        cursor.open()
        self.wake()

    def unfollow(self, run_id: UUID) -> None:
        cursor = self._cursors.pop(run_id, None)
        if cursor is not None:
            cursor.close()

    def refuse(self, run_id: UUID | str | None, error: PlaygroundError) -> None:
        """Say that something was not done, and why; ``field`` names the argument it was about."""
        if len(self._refusals) < MAX_REFUSALS:
            field = getattr(error, "argument", "")
            described = describe_error(error) | ({"field": field} if field else {})
            run = str(run_id) if run_id else None
            self._refusals.append(orjson.dumps({"type": "refused", "run": run, "error": described}))
        self.wake()

    def close(self) -> None:
        self._task.cancel()
        for run_id in list(self._cursors):
            self.unfollow(run_id)

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        sent_at = 0.0
        try:
            while True:
                await self._news.wait()
                if (pause := sent_at + FRAME_SECONDS - loop.time()) > 0:
                    await asyncio.sleep(pause)
                self._news.clear()
                if await self._send_frame():  # else nothing was sent, or nothing that the next has to wait for
                    sent_at = loop.time()
        except Exception:  # a door: the socket went away under us, or the database did
            logger.exception("A socket's feed ended")

    async def _send_frame(self) -> bool:
        is_paced = False
        refusals, self._refusals = self._refusals, []
        for refusal in refusals:
            is_paced = True
            await self._send(refusal.decode())
        for run_id, cursor in list(self._cursors.items()):
            events = await self._take(run_id, cursor)
            if self._cursors.get(run_id) is not cursor:
                continue
            if cursor.is_done:
                self.unfollow(run_id)
            if events:
                is_paced |= cursor.is_paced
                await self._send(_frame(run_id, events))
        return is_paced

    async def _take(self, run_id: UUID, cursor: Cursor) -> list[bytes]:
        try:
            return await cursor.take()
        except PlaygroundError as error:
            self.unfollow(run_id)
            self.refuse(run_id, error)
        except Exception:  # a door: one run that cannot be read must not silence the socket's others
            call_id = secrets.token_hex(8)
            logger.exception("The events of run %s could not be read (request id %s)", run_id, call_id)
            self.unfollow(run_id)
            self.refuse(run_id, ServerError("The run's events could not be read.", call_id=call_id))
        return []


def _frame(run_id: UUID, events: list[bytes]) -> str:
    return '{"type":"events","run":"%s","events":[%s]}' % (run_id, b",".join(events).decode())  # noqa: UP031
