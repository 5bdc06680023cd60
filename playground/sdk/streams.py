"""Answers that come in pieces: iterate for pieces, ``result()`` for the whole; leaving the ``with`` block cancels.

A call that fails before its first piece may be tried again; its inputs never are: what was taken from an iterable is
gone, so a stream that has taken any is not repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from playground.protocol import headers
from playground.protocol.errors import PlaygroundError, StoppedError
from playground.sdk.calls import (
    Patience,
    Reply,
    ServedBy,
    Waiting,
    holds_something,
    join,
    read_served_by,
    split,
)
from playground.sdk.channel import AsyncDuplex, AsyncReplies, AsyncTransport, Metadata, Replies, Transport

OnWait = Callable[[Waiting], None]
JOINED = (headers.JOINED, "1")
T = TypeVar("T")


class Encoder(Protocol):
    """Makes requests of a stream's inputs, and says how many it has made."""

    count: int

    def encode(self, item: Any) -> bytes: ...
    def finish(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """What a stream asks and how it reads a reply: one ``request``, or ``inputs`` that an encoder turns into many."""

    read: Callable[[Reply], T]
    request: bytes = b""
    encoder: Encoder | None = None
    inputs: Any = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a stream may take, who is told while it waits, and whether its pieces are kept for ``result()``."""

    seconds: float
    on_wait: OnWait | None = None
    keep: bool = True


class _Progress(Generic[T]):
    """What both twins keep: the pieces so far, and what the latest reply said."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._patience: Patience | None = None
        self._pieces: list[T] | None = [] if terms.keep else None
        self._plan: Plan[T] | None = None
        self._last: Reply | None = None
        self._ready: deque[Reply] = deque()  # pieces that came in one reply, behind the one read
        self._served_by: ServedBy | None = None
        self._request_id = ""
        self._input_error: BaseException | None = None
        self._is_stopped = False
        self._is_over = False

    @property
    def request_id(self) -> str:
        """The call's id, that the server's logs carry too; known from the first piece on."""
        return self._request_id

    @property
    def served_by(self) -> ServedBy | None:
        """Where the call runs; known from the first piece on."""
        if self._served_by is None and self._last is not None:
            self._served_by = read_served_by(self._last)
        return self._served_by

    @property
    def tokens(self) -> tuple[int, int, int]:
        """Prompt, completion and cached tokens, as the latest piece has them."""
        if self._last is None or not self._last.outputs:
            return 0, 0, 0
        output = self._last.outputs[0]
        return output.prompt_tokens, output.completion_tokens, output.cached_tokens

    def _accept(self, reply: Reply) -> T:
        assert self._plan is not None
        try:
            piece = self._plan.read(reply)
        except PlaygroundError as error:
            error.call_id = error.call_id or self._request_id
            raise
        if self._last is None:
            self._note(reply)
        self._last = reply
        if self._pieces is not None:
            self._pieces.append(piece)
        return piece

    def _first_of(self, reply: Reply) -> Reply:
        """The reply itself, or the first of several pieces in it; the others wait in ``_ready``."""
        if len(reply.outputs) < 2:
            return reply
        self._ready.extend(split(reply))
        return self._ready.popleft()

    def _note(self, reply: Reply) -> None:
        self._request_id = reply.status.req_id or self._request_id
        self._served_by = read_served_by(reply) or self._served_by

    def _pause_after(self, error: PlaygroundError) -> float:
        """Seconds until the next try; raises the error when inputs are gone, or patience is."""
        assert self._patience is not None
        if self._is_stopped or (self._plan and self._plan.encoder and self._plan.encoder.count):
            raise error
        return self._patience.pause_after(error, self._terms.on_wait)

    def _why(self, error: BaseException) -> BaseException:
        """What truly ended the call, where we cancelled it ourselves."""
        if self._input_error is not None:
            return self._input_error
        if self._is_stopped:
            return StoppedError("The call was stopped.", call_id=self._request_id)
        if isinstance(error, PlaygroundError):
            error.call_id = error.call_id or self._request_id
        return error

    def _whole(self, rest: list[T]) -> Any:
        pieces = rest if self._pieces is None else list(self._pieces)
        is_one_answer = self._plan is not None and self._plan.encoder is None
        return join(pieces) if is_one_answer else pieces


class Stream(_Progress[T]):
    """Pieces as they come.

    >>> with model.generate("Tell me a story") as stream:
    ...     for piece in stream:
    ...         print(piece, end="", flush=True)
    """

    def __init__(self, plan: Plan[T], terms: Terms, transport: Transport, metadata: Callable[[], Metadata]) -> None:
        super().__init__(terms)
        self._plan: Plan[T] = plan
        self._transport = transport
        self._metadata = metadata
        self._replies: Replies | None = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._is_over:
            raise StopIteration
        try:
            return self._accept(self._take()) if self._last is not None else self._take_first()
        except BaseException:
            self.close()
            raise

    def result(self) -> Any:
        """The whole, read to its end: one text where one answer came in texts, else the list of pieces."""
        return self._whole(list(self))

    def stop(self) -> None:
        """Cancels the call, from any thread; whoever waits for a piece gets ``StoppedError``."""
        self._is_stopped = True
        if self._replies is not None:
            self._replies.cancel()

    def close(self) -> None:
        """Cancels what still runs. Reading on finds the end."""
        self._is_over = True
        if self._replies is not None:
            self._replies.cancel()

    def _open(self) -> None:
        if self._replies is None and not self._is_over:
            self._patience = self._patience or Patience(self._terms.seconds)
            self._replies = self._call(self._patience.left())
            if self._input_error is not None or self._is_stopped:
                self._replies.cancel()

    def _call(self, seconds: float) -> Replies:
        if self._plan.encoder is None:
            return self._transport.generate(self._plan.request, seconds, (*self._metadata(), JOINED))
        return self._transport.stream(
            self._feed(self._plan.encoder, self._plan.inputs), seconds, (*self._metadata(), JOINED)
        )

    def _take_first(self) -> T:
        while True:
            self._open()
            try:
                return self._accept(self._take())
            except PlaygroundError as error:
                pause = self._pause_after(error)
            self._replies = None
            time.sleep(pause)

    def _take(self) -> Reply:
        if self._ready:
            return self._ready.popleft()
        assert self._replies is not None
        try:
            while not holds_something(reply := next(self._replies)):
                self._note(reply)
            return self._first_of(reply)
        except (PlaygroundError, StopIteration) as error:
            raise self._why(error) from error.__cause__

    def _feed(self, encoder: Encoder, items: Any) -> Iterator[bytes]:
        """The requests; runs in gRPC's thread. An error in the caller's iterable is kept for the reader of pieces."""
        try:
            for item in _drive(items) if hasattr(items, "__aiter__") else items:
                yield encoder.encode(item)
            if (last := encoder.finish()) is not None:
                yield last
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - a door: the caller's own code, raised again where pieces are read
            self._input_error = error
            if self._replies is not None:
                self._replies.cancel()


def _drive(items: AsyncIterator[Any]) -> Iterator[Any]:
    """An async iterable's items, from a loop of their own."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        iterator = items.__aiter__()
        with contextlib.suppress(StopAsyncIteration):
            while True:
                yield loop.run_until_complete(_next(iterator))


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await iterator.__anext__()


class AsyncStream(_Progress[T]):
    """Pieces as they come; ``await`` gives the whole.

    >>> async with model.generate("Tell me a story") as stream:
    ...     async for piece in stream:
    ...         print(piece, end="", flush=True)
    """

    def __init__(
        self,
        plan: Plan[T] | Callable[[], Awaitable[Plan[T]]],
        terms: Terms,
        transport: AsyncTransport,
        metadata: Callable[[], Metadata],
    ) -> None:
        super().__init__(terms)
        self._make_plan = plan
        self._transport = transport
        self._metadata = metadata
        self._replies: AsyncReplies | None = None
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._is_over:
            raise StopAsyncIteration
        try:
            return self._accept(await self._take()) if self._last is not None else await self._take_first()
        except BaseException:
            await self.aclose()
            raise

    def __await__(self) -> Generator[Any, None, Any]:
        return self.result().__await__()

    async def result(self) -> Any:
        """The whole, read to its end: one text where one answer came in texts, else the list of pieces."""
        return self._whole([piece async for piece in self])

    def stop(self) -> None:
        """Cancels the call, from another task; whoever waits for a piece gets ``StoppedError``."""
        self._is_stopped = True
        if self._replies is not None:
            self._replies.cancel()

    async def aclose(self) -> None:
        """Cancels what still runs. Reading on finds the end."""
        self._is_over = True
        if self._replies is not None:
            self._replies.cancel()
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            await asyncio.wait([self._pump])

    async def _open(self) -> None:
        if self._replies is None and not self._is_over:
            self._patience = self._patience or Patience(self._terms.seconds)
            if self._plan is None:
                self._plan = self._make_plan if isinstance(self._make_plan, Plan) else await self._make_plan()
            self._replies = self._call(self._plan, self._patience.left())
            if self._is_stopped:
                self._replies.cancel()

    def _call(self, plan: Plan[T], seconds: float) -> AsyncReplies:
        metadata = (*self._metadata(), JOINED)
        if plan.encoder is None:
            return self._transport.generate(plan.request, seconds, metadata)
        duplex = self._transport.stream(seconds, metadata)
        self._pump = asyncio.create_task(self._feed(duplex, plan.encoder, plan.inputs))
        return duplex

    async def _take_first(self) -> T:
        while True:
            await self._open()
            try:
                return self._accept(await self._take())
            except PlaygroundError as error:
                pause = self._pause_after(error)
            self._replies = None
            if self._pump is not None:
                self._pump.cancel()
            await asyncio.sleep(pause)

    async def _take(self) -> Reply:
        if self._ready:
            return self._ready.popleft()
        assert self._replies is not None
        try:
            while not holds_something(reply := await self._replies.__anext__()):
                self._note(reply)
            return self._first_of(reply)
        except (PlaygroundError, StopAsyncIteration) as error:
            raise self._why(error) from error.__cause__

    async def _feed(self, duplex: AsyncDuplex, encoder: Encoder, items: Any) -> None:
        """Writes the requests. An error in the caller's iterable is kept for the reader of pieces."""
        try:
            async for item in iterate(items):
                if not await duplex.write(encoder.encode(item)):
                    return
            if (last := encoder.finish()) is not None:
                await duplex.write(last)
            await duplex.done_writing()
        except Exception as error:  # noqa: BLE001 - a door: the caller's own code, raised again where pieces are read
            self._input_error = error
            duplex.cancel()


def iterate(items: Any) -> AsyncIterator[Any]:
    """Any iterable, asynchronously. What may block is iterated in a thread of its own, one item ahead of nothing."""
    if hasattr(items, "__aiter__"):
        return items.__aiter__()  # type: ignore[no-any-return]
    if isinstance(items, (list, tuple, range, set, frozenset)):
        return _walk(items)
    return _walk_in_thread(items)


async def _walk(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


_END = object()


async def _walk_in_thread(items: Iterable[Any]) -> AsyncIterator[Any]:
    """Asks a daemon thread for one item at a time: a blocked iterable holds up neither the loop nor its end."""
    loop = asyncio.get_running_loop()
    wanted, hand = threading.Semaphore(0), _Hand(loop)
    threading.Thread(target=hand.serve, args=(items, wanted), daemon=True, name="stream-inputs").start()
    try:
        while True:
            hand.waiter = loop.create_future()
            wanted.release()
            if (item := await hand.waiter) is _END:
                return
            yield item
    finally:
        hand.is_over = True
        wanted.release()


class _Hand:
    """Passes items from the thread that makes them to the loop that waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiter: asyncio.Future[Any] = loop.create_future()
        self.is_over = False

    def serve(self, items: Iterable[Any], wanted: threading.Semaphore) -> None:
        iterator = None
        while wanted.acquire() and not self.is_over:
            try:
                iterator = iter(items) if iterator is None else iterator
                self._pass(next(iterator, _END), None)
            except BaseException as error:  # noqa: BLE001 - a door between threads: raised again in the loop
                self._pass(None, error)

    def _pass(self, item: Any, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self.loop.call_soon_threadsafe(self._settle, self.waiter, item, error)

    @staticmethod
    def _settle(waiter: asyncio.Future[Any], item: Any, error: BaseException | None) -> None:
        if waiter.done():
            return
        if error is None:
            waiter.set_result(item)
        elif isinstance(error, StopIteration):
            waiter.set_exception(RuntimeError("the inputs' iterator raised StopIteration"))
        else:
            waiter.set_exception(error)
