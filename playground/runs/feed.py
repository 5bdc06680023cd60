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
    from playground.runs.services import SignedIn
    from playground.runs.tail import Tail

    InThread = Callable[..., Awaitable[Any]]

logger = logging.getLogger(__name__)

FRAME_SECONDS = 0.016
LONGEST_FRAME_SECONDS = 0.2
LAG_SECONDS = 0.05
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

    def open(self, feed: Feed) -> None: ...
    def take(self) -> list[bytes]: ...
    def close(self) -> None: ...


class LiveCursor:
    """A place in the tail of a run of this process."""

    def __init__(self, tail: Tail, after: int) -> None:
        self.is_done = False
        self.is_paced = True
        self._tail = tail
        self._after = after
        self._passed = tail.passed_count
        self._feed: Feed | None = None

    def open(self, feed: Feed) -> None:
        self._feed = feed
        self._tail.followers.add(feed)

    def take(self) -> list[bytes]:
        events = self._tail.events[self._after : self._after + FRAME_EVENTS]
        if len(events) > 1:
            _shorten(events)
        self._after += len(events)
        self.is_paced = self._after > self._tail.unpaced
        if self._after < len(self._tail.events):
            if self._feed is not None:
                self._feed.wake()
        elif self._tail.is_ended:
            self.is_done = True
        return self._take_passed() + events  # what passes came before the end, if that is among them

    def _take_passed(self) -> list[bytes]:
        fresh, self._passed = self._tail.passed_count - self._passed, self._tail.passed_count
        return list(self._tail.passed)[-fresh:] if fresh else []

    def close(self) -> None:
        if self._feed is not None:
            self._tail.followers.discard(self._feed)


def _shorten(events: list[bytes]) -> None:
    """Keep as many events as fit into a frame, and one at least."""
    size = 0
    for index, event in enumerate(events):
        size += len(event)
        if size > FRAME_BYTES and index:
            del events[index:]
            return


class StoredCursor:
    """A place in a stored run: one that has ended, or that another process executes and stores as it goes.

    Its task reads one page ahead of the socket.
    """

    def __init__(self, run_id: UUID, after: int, user: User, in_thread: InThread, key: str = "") -> None:
        self.is_done = False
        self.is_paced = True
        self._run_id = run_id
        self._key = key
        self._after = after
        self._user = user
        self._in_thread = in_thread
        self._page: services.Page | None = None
        self._taken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self, feed: Feed) -> None:
        self._task = asyncio.create_task(self._read(feed))

    def take(self) -> list[bytes]:
        page, self._page = self._page, None
        if page is None:
            return []
        self.is_done = page.is_end
        self._taken.set()
        return page.events

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _read(self, feed: Feed) -> None:
        try:
            while not self.is_done:
                page = await self._in_thread(services.read_events, self._user, self._run_id, self._after, self._key)
                if not page.events and not page.is_end:
                    await asyncio.sleep(POLL_SECONDS)
                    continue
                self._after = page.last
                self._page = page
                self._taken.clear()
                feed.wake()
                await self._taken.wait()
        except PlaygroundError as error:
            feed.drop(self._run_id, self, error)
        except Exception:  # the door of this task: a run that cannot be read says so
            call_id = secrets.token_hex(8)
            logger.exception("The events of run %s could not be read (request id %s)", self._run_id, call_id)
            feed.drop(self._run_id, self, ServerError("The run's events could not be read.", call_id=call_id))


class Pace:
    """How far apart frames are: 16 ms, and further when the loop is late, so that each carries more and costs less."""

    def __init__(self) -> None:
        self.seconds = FRAME_SECONDS
        self._lag = 0.0

    async def watch(self) -> None:
        """Measure how late the loop is, and set the pace by it."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(LAG_SECONDS)
            self._lag = max(loop.time() - began - LAG_SECONDS, self._lag * 0.7)
            self.seconds = min(max(FRAME_SECONDS, self._lag * 2), LONGEST_FRAME_SECONDS)


class Feed:
    """One socket's cursors and the task that sends what lies behind them."""

    def __init__(self, send: Callable[[str], Awaitable[None]], pace: Pace, signed_in: SignedIn) -> None:
        self.signed_in = signed_in
        self._send = send
        self._pace = pace
        self._cursors: dict[UUID, Cursor] = {}
        self._refusals: list[bytes] = []
        self._has_news = False
        self._waiter: asyncio.Future[None] | None = None
        self._task = asyncio.create_task(self._pump())

    def wake(self) -> None:
        """There is news behind a cursor. Called for every event, so it costs next to nothing."""
        if not self._has_news:
            self._has_news = True
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def follow(self, run_id: UUID, cursor: Cursor) -> None:
        """Send the run's events from this cursor on. Raises OverloadedError past the limit of one socket."""
        if run_id not in self._cursors and len(self._cursors) >= MAX_FOLLOWED:
            raise OverloadedError(f"One socket follows at most {MAX_FOLLOWED} runs.")
        self.unfollow(run_id)
        self._cursors[run_id] = cursor
        cursor.open(self)
        self.wake()

    def unfollow(self, run_id: UUID) -> None:
        cursor = self._cursors.pop(run_id, None)
        if cursor is not None:
            cursor.close()

    def drop(self, run_id: UUID, cursor: Cursor, error: PlaygroundError) -> None:
        """Follow a run no longer that cannot be read, and say why."""
        if self._cursors.get(run_id) is cursor:
            del self._cursors[run_id]
            self.refuse(run_id, error)

    def refuse(self, run_id: UUID | str | None, error: PlaygroundError, key: str | None = None) -> None:
        """Say that something was not done, and why; ``field`` names the argument it was about, ``key`` the input."""
        if len(self._refusals) < MAX_REFUSALS:
            field = getattr(error, "argument", "")
            described = describe_error(error) | ({"field": field} if field else {})
            run = str(run_id) if run_id else None
            about = {} if key is None else {"key": key}
            self._refusals.append(orjson.dumps({"type": "refused", "run": run, "error": described, **about}))
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
                if not self._has_news:
                    self._waiter = loop.create_future()
                    await self._waiter
                if (pause := sent_at + self._pace.seconds - loop.time()) > 0:
                    await asyncio.sleep(pause)
                self._has_news = False
                if await self._send_frame():  # else nothing was sent, or nothing that the next has to wait for
                    sent_at = loop.time()
        except Exception:  # a door: the socket went away under us
            logger.exception("A socket's feed ended")

    async def _send_frame(self) -> bool:
        is_paced = False
        if self._refusals:
            is_paced = True
            await self._send_refusals()
        for run_id, cursor in list(self._cursors.items()):
            events = cursor.take()
            if cursor.is_done:
                self.unfollow(run_id)
            if events:
                is_paced |= cursor.is_paced
                await self._send(_frame(run_id, events))
        return is_paced

    async def _send_refusals(self) -> None:
        refusals, self._refusals = self._refusals, []
        for refusal in refusals:
            await self._send(refusal.decode())


def _frame(run_id: UUID, events: list[bytes]) -> str:
    return '{"type":"events","run":"%s","events":[%s]}' % (run_id, b",".join(events).decode())  # noqa: UP031
