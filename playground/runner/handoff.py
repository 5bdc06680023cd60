"""How pieces pass between a model's thread and the event loop, bounded both ways.

``Outbox`` carries what a model makes to the loop that sends it. A loop is woken only when it waits, so a fast model
costs one wake-up for many pieces; a slow reader fills the box, and the model waits. ``Inbox`` carries a caller's stream
to the model, which waits in ``next()``.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import Any, Final

from playground.protocol.errors import PlaygroundError

MAX_PIECES = 64
MAX_BYTES = 4 * 1024 * 1024
MAX_INPUTS = 16
MAX_JOINED_BYTES = 64 * 1024


class CallEndedError(GeneratorExit):
    """Raised into a model's code where it waits for its caller's next input and the call has ended.

    A GeneratorExit, as a model's generator gets at its next ``yield``: ``finally`` runs, ``except Exception`` does not.
    """


class Outbox:
    """Filled by one thread (or the loop itself), emptied by one coroutine."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pieces: deque[bytes] = deque()
        self._bytes_in = 0
        self._bytes_out = 0
        self._is_awaited = False
        self._waiter: asyncio.Future[None] | None = None
        self._room = threading.Event()
        self._is_finished = False
        self.is_closed = False
        self.failure: PlaygroundError | None = None

    # -- the model's side --

    def put(self, piece: bytes) -> bool:
        """Hand a piece over, waiting while the box is full; False when nobody reads any more."""
        if self.is_closed:
            return False
        self._pieces.append(piece)
        self._bytes_in += len(piece)
        if self._is_awaited:
            self._is_awaited = False
            self._call_loop(self._wake)
        if self._is_full():
            self._wait_for_room()
        return not self.is_closed

    def finish(self) -> None:
        """No piece follows; ``failure`` says why, where that was not the end of the answer."""
        self._is_finished = True
        self._call_loop(self._wake)

    def _is_full(self) -> bool:
        return len(self._pieces) >= MAX_PIECES or self._bytes_in - self._bytes_out >= MAX_BYTES

    def _wait_for_room(self) -> None:
        while self._is_full() and not self.is_closed:
            self._room.clear()
            if self._is_full() and not self.is_closed:
                self._room.wait()

    def _call_loop(self, function: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
            self._loop.call_soon_threadsafe(function)

    # -- the loop's side --

    def close(self) -> None:
        """Nobody reads on: the model is told at its next piece, and stops waiting for room."""
        self.is_closed = True
        self._room.set()
        self._call_loop(self._wake)

    async def get(self) -> bytes | None:
        """The next piece; None after the last, or once closed."""
        pieces = self._pieces
        while not self.is_closed:
            if pieces:
                piece = pieces.popleft()
                self._bytes_out += len(piece)
                if not self._room.is_set() and len(pieces) <= MAX_PIECES // 2:
                    self._room.set()
                return piece
            if self._is_finished:
                return None
            await self._wait()
        return None

    async def get_joined(self) -> bytes | None:
        """The next piece and what is ready behind it, as one message: joined messages merge. It waits for the first."""
        first = await self.get()
        if first is None or not self._pieces:
            return first
        parts, size = [first], len(first)
        while self._pieces and size < MAX_JOINED_BYTES:
            parts.append(self._pieces.popleft())
            size += len(parts[-1])
        self._bytes_out += size - len(first)
        if not self._room.is_set() and len(self._pieces) <= MAX_PIECES // 2:
            self._room.set()
        return b"".join(parts)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        self._is_awaited = True
        try:
            if not self._pieces and not self._is_finished and not self.is_closed:
                await self._waiter
        finally:
            self._is_awaited = False
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


_END: Final = object()
_STOP: Final = object()


class Inbox:
    """A caller's stream, read ahead by a few messages only. ``read`` is what the loop calls for the next message."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._messages: SimpleQueue[Any] = SimpleQueue()
        self._given = 0
        self._taken = 0
        self._waiter: asyncio.Future[None] | None = None
        self._news: asyncio.Future[None] | None = None

    # -- the loop's side --

    async def feed(self, read: Callable[[], Awaitable[Any]]) -> None:
        """Take messages in until ``read`` gives None, no faster than the model takes them out."""
        try:
            while (message := await read()) is not None:
                self.give(message)
                while self._given - self._taken >= MAX_INPUTS:
                    await self._wait_taken()
            self.give(_END)
        except PlaygroundError as error:
            self.give(error)

    def give(self, message: Any) -> None:
        self._given += 1
        self._messages.put(message)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def stop(self) -> None:
        """The call has ended: whoever waits for a message wakes up."""
        self.give(_STOP)

    async def _wait_taken(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            if self._given - self._taken >= MAX_INPUTS:
                await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- the model's side --

    def take(self) -> Any:
        """The next message, waiting for it in this thread.

        Raises StopIteration after the last, CallEndedError when the call has ended, and what was wrong with a message.
        """
        return self._opened(self._messages.get())

    async def take_async(self) -> Any:
        """The same without blocking the loop; raises StopAsyncIteration after the last."""
        while self._messages.empty():
            self._news = self._loop.create_future()
            await self._news
        try:
            return self._opened(self._messages.get())
        except StopIteration:
            raise StopAsyncIteration from None

    def _opened(self, message: Any) -> Any:
        self._taken += 1
        if message is _END or message is _STOP:
            self._messages.put(message)  # so that asking again gives the same answer
            if message is _STOP:
                raise CallEndedError("the call has ended")
            raise StopIteration
        if isinstance(message, PlaygroundError):
            raise message
        if self._waiter is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._wake)
        return message
