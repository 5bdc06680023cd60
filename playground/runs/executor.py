"""All runs of this process: started, stopped, followed; with the heartbeat and the other housekeeping around them.

One executor for each event loop (a web process has one). Everything here is called on that loop and never blocks it:
what reads the database or decodes bytes goes to a few threads of our own, what writes to the writer's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, connection

from playground.catalog.tokens import mint_gateway_token
from playground.media import services as media
from playground.protocol.errors import ConflictError, OverloadedError, PlaygroundError
from playground.runs import housekeeping, requests, services
from playground.runs.execution import LiveRun
from playground.runs.feed import Feed, LiveCursor, Pace, StoredCursor
from playground.runs.workflows import LiveWorkflow
from playground.runs.writer import Journal, Writer
from playground.sdk import AsyncClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from playground.catalog.models import User
    from playground.runs.inputs import Given
    from playground.runs.requests import Request
    from playground.runs.services import SignedIn

logger = logging.getLogger(__name__)

THREADS = 8
MAX_RUNNING = 100  # of one user at once
GRACE_SECONDS = 10.0
SESSION_CHECK_SECONDS = 2.0
DEAD_CHECK_SECONDS = 10.0
SWEEP_SECONDS = 3600.0
TOKEN_SECONDS = 40.0
SIGNED_OUT = 4401

_executors: WeakKeyDictionary[asyncio.AbstractEventLoop, Executor] = WeakKeyDictionary()


def current() -> Executor:
    """The running loop's executor, made when it is first asked for."""
    loop = asyncio.get_running_loop()
    executor = _executors.get(loop)
    if executor is None:
        executor = _executors[loop] = Executor()
    return executor


async def shutdown() -> None:
    """End the loop's runs as failed ("the server was stopped"), and store everything. Await it before the loop ends."""
    executor = _executors.pop(asyncio.get_running_loop(), None)
    if executor is not None:
        await executor.shutdown()


class Executor:
    """Holds the runs of one loop while they run, and for a short grace after they are stored."""

    def __init__(self) -> None:
        self.worker_id = services.new_worker_id(secrets.token_hex(4))
        self._loop = asyncio.get_running_loop()
        self._runs: dict[UUID, LiveRun] = {}
        self._running: Counter[int] = Counter()  # by user
        self._feeds: dict[Feed, Callable[[int], Awaitable[None]]] = {}
        self._clients: dict[int, AsyncClient] = {}
        self._abandoned: dict[UUID, asyncio.TimerHandle] = {}
        self._beaten_at = -settings.RUN_HEARTBEAT_SECONDS * 1.0
        self._pace = Pace()
        self._tasks: set[asyncio.Task[Any]] = {asyncio.create_task(self._pace.watch())}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="runs")
        self._writer = Writer(self._closed_in_thread)
        self._every(settings.RUN_HEARTBEAT_SECONDS, self._beat)
        self._every(SESSION_CHECK_SECONDS, self._check_sessions)
        self._every(DEAD_CHECK_SECONDS, self._check_dead, at_once=True)
        self._every(SWEEP_SECONDS, self._sweep)

    # Sockets.

    def open_feed(
        self, send: Callable[[str], Awaitable[None]], close: Callable[[int], Awaitable[None]], signed_in: SignedIn
    ) -> Feed:
        """A feed for a socket; ``close`` is called with a close code when its user is signed out, or shut out."""
        feed = Feed(send, self._pace, signed_in)
        self._feeds[feed] = close
        return feed

    def close_feed(self, feed: Feed) -> None:
        """The socket is gone. Its runs go on."""
        self._feeds.pop(feed, None)
        feed.close()
        self._check_audience()

    # What pages ask for. Each raises errors that name what is wrong.

    def start(self, user: User, request: Request, feed: Feed) -> None:
        """Start a run and follow it; starting it again only follows it."""
        run = self._runs.get(request.run_id)
        if run is not None:
            self.attach(user, request.run_id, 0, feed)
            return
        user_pk = user.pk
        if self._running[user_pk] >= MAX_RUNNING:
            raise OverloadedError(f"{MAX_RUNNING} of your runs are still going on: stop one, or wait for its end.")
        self._beat_if_due()
        kind = LiveWorkflow if request.is_workflow else LiveRun
        run = self._runs[request.run_id] = kind(
            user,
            request,
            worker=self.worker_id,
            client=self._client_of(user),
            writer=self._writer,
            in_thread=self.in_thread,
            on_refused=self._refused,
        )
        self._running[user_pk] += 1
        run.task.add_done_callback(lambda _: self._running.subtract([user_pk]))
        feed.follow(run.id, LiveCursor(run.tail, 0))

    def attach(self, user: User, run_id: UUID, after: int, feed: Feed, key: str = "") -> None:
        """Follow a run from behind event ``after``: live where it runs here, else from storage.

        ``key`` is that of the link to another's run, which is read as it is stored: each time it is asked whether the
        link still stands.
        """
        run = self._runs.get(run_id)
        if run is None or run.user_pk != user.pk:
            feed.follow(run_id, StoredCursor(run_id, after, user, self.in_thread, key))
            return
        feed.follow(run_id, LiveCursor(run.tail, after))
        if (timer := self._abandoned.pop(run_id, None)) is not None:
            timer.cancel()

    def detach(self, run_id: UUID, feed: Feed) -> None:
        """Follow no longer; the run goes on."""
        feed.unfollow(run_id)
        self._check_audience()

    def stop(self, user: User, run_id: UUID) -> None:
        """Stop the computation. A run that has finished stays finished."""
        self._find(user, run_id).stop()

    async def give(self, user: User, run_id: UUID, given: Given) -> None:
        """One more input for a stream's open input."""
        await self._find(user, run_id).give(given)

    def close_input(self, user: User, run_id: UUID) -> None:
        self._find(user, run_id).close_input()

    def _find(self, user: User, run_id: UUID) -> LiveRun:
        run = self._runs.get(run_id)
        if run is None or run.user_pk != user.pk:
            raise ConflictError("This run is not going on here: it had finished first, or there is none for you.")
        return run

    def _client_of(self, user: User) -> AsyncClient:
        """One light client for each user; they share one channel to the gateway."""
        client = self._clients.get(user.pk)
        if client is None:
            address = f"http://{_host(settings.GATEWAY_HOST)}:{settings.GATEWAY_PORT}"
            client = self._clients[user.pk] = AsyncClient(address, _Token(user))
            client.local_socket = settings.GATEWAY_SOCKET
        return client

    # Threads.

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """The function's result, from one of our threads."""
        return await self._loop.run_in_executor(self._threads, _with_database, function, args)

    # The ends of runs.

    def _refused(self, run: LiveRun, refusal: Exception) -> None:
        """A run that never began: its followers hear why, or are led to the run that it repeats."""
        if self._runs.get(run.id) is run:
            del self._runs[run.id]
        for feed in [follower for follower in run.tail.followers if isinstance(follower, Feed)]:
            feed.unfollow(run.id)
            if isinstance(refusal, requests.AlreadyStarted):
                self.attach(run.user, run.id, 0, feed)
            elif isinstance(refusal, PlaygroundError):
                feed.refuse(run.id, refusal)

    def _closed_in_thread(self, journal: Journal) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody follows any more
            self._loop.call_soon_threadsafe(self._leave_later, journal.row.pk)

    def _leave_later(self, run_id: UUID) -> None:
        run = self._runs.get(run_id)
        if run is not None and not run.task.done():  # what it is a run of was deleted: it can still be stopped
            run.task.add_done_callback(lambda _: self._leave_later(run_id))
            return
        self._loop.call_later(GRACE_SECONDS, self._runs.pop, run_id, None)

    # Open inputs without a page.

    def _check_audience(self) -> None:
        """Close the open input of runs that no page follows, after a grace in which one may come back."""
        for run in self._runs.values():
            if run.has_open_input and not run.tail.followers and run.id not in self._abandoned:
                grace = settings.RUN_INPUT_GRACE_SECONDS
                self._abandoned[run.id] = self._loop.call_later(grace, self._close_abandoned, run)

    def _close_abandoned(self, run: LiveRun) -> None:
        self._abandoned.pop(run.id, None)
        if not run.tail.followers:
            run.close_input()

    # Housekeeping.

    def _every(self, seconds: float, act: Callable[[], Awaitable[None]], *, at_once: bool = False) -> None:
        async def repeat() -> None:
            if at_once:
                await _logged(act)
            while True:
                await asyncio.sleep(seconds)
                await _logged(act)

        self._tasks.add(asyncio.create_task(repeat()))

    async def _beat(self) -> None:
        if any(not run.is_ended for run in self._runs.values()):
            self._beat_if_due()

    def _beat_if_due(self) -> None:
        """A worker is heard of while it has runs, from before the first of them is stored."""
        now = self._loop.time()
        if now - self._beaten_at >= settings.RUN_HEARTBEAT_SECONDS / 2:
            self._beaten_at = now
            self._writer.submit(lambda: services.beat(self.worker_id))

    async def _check_sessions(self) -> None:
        known = {feed.signed_in for feed in self._feeds if feed.signed_in.session_key}
        if not known:
            return
        alive = await self.in_thread(services.still_signed_in, known)
        for feed, close in list(self._feeds.items()):
            if feed.signed_in in known - alive:
                self.close_feed(feed)
                await close(SIGNED_OUT)

    async def _check_dead(self) -> None:
        await self.in_thread(services.fail_dead_runs, self.worker_id)

    async def _sweep(self) -> None:
        await self.in_thread(housekeeping.sweep)
        await self.in_thread(media.sweep)

    async def shutdown(self) -> None:
        for task in self._tasks:
            task.cancel()
        running = [run for run in self._runs.values() if not run.is_ended]
        for run in running:
            run.abandon()
        if running:
            await asyncio.wait([run.task for run in running], timeout=1)
        await asyncio.sleep(0)
        for feed in list(self._feeds):
            self.close_feed(feed)
        for client in self._clients.values():
            await client.close()
        for timer in self._abandoned.values():
            timer.cancel()
        await asyncio.to_thread(self._writer.close)
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Token:
    """A minted token, made anew before it gets old: a run may outlive many."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._token = ""
        self._minted_at = 0.0

    def __call__(self) -> str:
        now = time.monotonic()
        if not self._token or now - self._minted_at > TOKEN_SECONDS:
            self._token, self._minted_at = mint_gateway_token(self._user), now
        return self._token


async def _logged(act: Callable[[], Awaitable[None]]) -> None:
    try:
        await act()
    except Exception:  # the door of housekeeping: it goes on at the next turn
        logger.exception("Housekeeping of runs failed")


def _with_database(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call in a thread that keeps its database connection, unless that broke."""
    try:
        return function(*args)
    except DatabaseError:
        connection.close()
        raise


def _host(host: str) -> str:
    """Where to reach what listens on ``host``."""
    if host in {"0.0.0.0", "::", ""}:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
