"""Runs a model's methods: blocking ones in the pool's threads, which also prepare arguments and encode what comes
back; async ones on the loop. However a call ends, its model's generator is closed in the place where it runs."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import codec
from playground.protocol.errors import PlaygroundError, StoppedError
from playground.protocol.signatures import MISSING
from playground.runner import replies
from playground.runner.handoff import CallEndedError, Inbox, Outbox
from playground.runner.methods import Fetch, Method
from playground.runner.model import Call
from playground.runner.pool import Pool

Data: TypeAlias = resources_pb2.Data
Result = TypeVar("Result")
Send: TypeAlias = Callable[[bytes], Awaitable[None]]
Read: TypeAlias = Callable[[], Awaitable[Data | None]]


class Answering:
    """How calls are carried out. The task that asks has made its ``Call`` the current one, and ends it afterwards."""

    def __init__(self, pool: Pool, fetch: Fetch) -> None:
        self._pool = pool
        self._fetch = fetch

    # -- one answer --

    async def answer(self, call: Call, methods: Sequence[Method], inputs: Sequence[Data]) -> bytes:
        """The reply to a request: one output for each input, in order."""
        if len(methods) == 1 and not methods[0].is_async:
            return await self._in_thread(call, lambda: self._answer_one(call, methods[0], inputs[0]))
        pairs = list(zip(methods, inputs, strict=True))
        if not any(method.is_async for method in methods):
            return await self._in_thread(call, lambda: self._answer_all(call, pairs))
        results = [await self._attempt_async(call, method, data) for method, data in pairs]
        return replies.batch(results, is_owner=call.is_owner)

    def _answer_one(self, call: Call, method: Method, data: Data) -> bytes:
        outcome = self._attempt(call, method, data)
        return replies.success((outcome,)) if isinstance(outcome, tuple) else _failure(outcome, call)

    def _answer_all(self, call: Call, pairs: Sequence[tuple[Method, Data]]) -> bytes:
        results = [self._attempt(call, method, data) for method, data in pairs if not call.is_ended]
        return replies.batch(results, is_owner=call.is_owner)

    def _attempt(self, call: Call, method: Method, data: Data) -> replies.Outcome:
        call.tokens = None
        try:
            is_old = codec.is_old_form(data)
            value = method.function(**method.arguments(data, self._fetch))
            return replies.output(method.signature, value, call, old_form=is_old)
        except BaseException as error:  # noqa: BLE001 - the model's own code: whatever it raises is its answer
            return replies.as_error(error, call_id=call.call_id)

    async def _attempt_async(self, call: Call, method: Method, data: Data) -> replies.Outcome:
        if not method.is_async:
            return await self._in_thread(call, lambda: self._attempt(call, method, data))
        call.tokens = None
        try:
            is_old = codec.is_old_form(data)
            arguments = await self._prepare(call, method, data)
            value = await self._until_ended(call, method.function(**arguments))
            return replies.output(method.signature, value, call, old_form=is_old)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the model's own code: whatever it raises is its answer
            return replies.as_error(error, call_id=call.call_id)

    async def _prepare(self, call: Call, method: Method, data: Data) -> dict[str, Any]:
        if method.has_media:
            return await self._in_thread(call, lambda: method.arguments(data, self._fetch))
        return method.arguments(data, self._fetch)

    async def _in_thread(self, call: Call, function: Callable[[], Result]) -> Result:
        """Run it in the pool, inside the call's context; a call that ends early leaves the thread to itself."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        run = contextvars.copy_context().run

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def work() -> Callable[[], None] | None:
            if call.is_ended:
                return None
            outcome: tuple[Any, BaseException | None]
            call.work.add(work)
            try:
                outcome = (run(function), None)
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                outcome = (None, error)
            finally:
                call.work.discard(work)
            return lambda: _call_soon(loop, settle, *outcome)

        before, call.on_end = call.on_end, lambda: settle(None, call.failure or StoppedError("the call has ended"))
        try:
            self._pool.submit(work)
            return await future
        finally:
            call.on_end = before

    async def _until_ended(self, call: Call, awaitable: Awaitable[Result]) -> Result:
        """Await the model's own coroutine; it is cancelled when its call ends."""
        task = asyncio.current_task()
        assert task is not None

        def on_end() -> None:
            task.cancel()

        call.on_end = on_end
        try:
            return await awaitable
        except asyncio.CancelledError:
            if call.failure is None:
                raise
            task.uncancel()
            raise call.failure from None
        finally:
            call.on_end = None

    # -- many answers --

    async def generate(self, call: Call, method: Method, data: Data, send: Send) -> None:
        """Send each piece as it is made. Raises the PlaygroundError that ended the answer early."""
        if method.is_async:
            await self._until_ended(call, self._send_async(call, method, data, None, send))
        else:
            await self._send_threaded(call, method, data, None, send)

    async def stream(self, call: Call, method: Method, first: Data, read: Read, send: Send) -> None:
        """The same, with the caller's stream coming in meanwhile."""
        inbox = Inbox(asyncio.get_running_loop())
        inbox.give(first)
        feeding = asyncio.ensure_future(inbox.feed(read))
        try:
            if method.is_async:
                await self._until_ended(call, self._send_async(call, method, first, inbox, send))
            else:
                await self._send_threaded(call, method, first, inbox, send)
        finally:
            inbox.stop()
            feeding.cancel()
            await asyncio.wait([feeding])

    async def _send_threaded(self, call: Call, method: Method, data: Data, inbox: Inbox | None, send: Send) -> None:
        outbox = Outbox(asyncio.get_running_loop())
        run = contextvars.copy_context().run

        def on_end() -> None:
            outbox.close()
            if inbox is not None:
                inbox.stop()

        def work() -> Callable[[], None]:
            call.work.add(work)
            try:
                run(self._produce, call, method, data, inbox, outbox)
            finally:
                call.work.discard(work)
            return outbox.finish

        call.on_end = on_end
        self._pool.submit(work)
        if call.takes_joined:
            while (piece := await outbox.get_joined()) is not None:
                await send(piece)
        else:
            while (piece := await outbox.get()) is not None:
                await send(piece)
        if failure := call.failure or outbox.failure:
            raise failure

    def _produce(self, call: Call, method: Method, data: Data, inbox: Inbox | None, outbox: Outbox) -> None:
        """In the model's thread: its generator from first to last piece, or until nobody reads on."""
        try:
            is_old = codec.is_old_form(data)
            arguments = method.arguments(data, self._fetch)
            if inbox is not None and method.stream is not None:
                arguments[method.stream] = _Inputs(call, method, inbox, self._fetch, outbox)
            if call.is_ended:
                return
            pieces = method.function(**arguments)
            try:
                for value in pieces:
                    message = replies.output(method.signature, value, call, old_form=is_old)
                    if not outbox.put(replies.success((message,))):
                        return
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except BaseException as error:  # noqa: BLE001 - the model's own code: whatever it raises is its answer
            if not call.is_ended and outbox.failure is None:
                outbox.failure = replies.as_error(error, call_id=call.call_id)

    async def _send_async(self, call: Call, method: Method, data: Data, inbox: Inbox | None, send: Send) -> None:
        arguments = await self._prepare(call, method, data)
        inputs = None if inbox is None else _AsyncInputs(self, call, method, inbox)
        if inputs is not None and method.stream is not None:
            arguments[method.stream] = inputs
        is_old = codec.is_old_form(data)
        try:
            pieces = method.function(**arguments)
            if not hasattr(pieces, "__aiter__"):
                pieces = await pieces
            async with contextlib.aclosing(_as_async(pieces)) as values:
                async for value in values:
                    await send(replies.success([replies.output(method.signature, value, call, old_form=is_old)]))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the model's own code: whatever it raises is its answer
            failure = inputs.failure if inputs is not None else None
            raise failure or replies.as_error(error, call_id=call.call_id) from None

    async def take_item(self, call: Call, method: Method, data: Data) -> Any:
        """An item of a stream for an async method, fetched and checked off the loop where that may block."""
        if method.has_media:
            return await self._in_thread(call, lambda: method.item(data, self._fetch))
        return method.item(data, self._fetch)


def _failure(error: PlaygroundError, call: Call) -> bytes:
    return replies.failure(error, is_owner=call.is_owner)


async def _as_async(pieces: Any) -> AsyncGenerator[Any, None]:
    if not hasattr(pieces, "__aiter__"):
        for value in pieces:
            yield value
        return
    try:
        async for value in pieces:
            yield value
    finally:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
        loop.call_soon_threadsafe(function, *arguments)


class _Inputs:
    """A caller's stream as a blocking model iterates over it."""

    def __init__(self, call: Call, method: Method, inbox: Inbox, fetch: Fetch, outbox: Outbox) -> None:
        self._call = call
        self._method = method
        self._inbox = inbox
        self._fetch = fetch
        self._outbox = outbox

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            while (item := self._method.item(self._inbox.take(), self._fetch)) is MISSING:
                pass
        except PlaygroundError as error:
            self._outbox.failure = error
            raise CallEndedError(error.message) from None
        self._call.taken += 1
        return item


class _AsyncInputs:
    """The same for an async method; the failure of an input is kept, as the model's code may hide it."""

    def __init__(self, answering: Answering, call: Call, method: Method, inbox: Inbox) -> None:
        self._answering = answering
        self._call = call
        self._method = method
        self._inbox = inbox
        self.failure: PlaygroundError | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __iter__(self) -> NoReturn:
        raise TypeError(f'"{self._method.name}" is async: iterate over "{self._method.stream}" with async for')

    async def __anext__(self) -> Any:
        while True:
            message = await self._inbox.take_async()
            try:
                item = await self._answering.take_item(self._call, self._method, message)
            except PlaygroundError as error:
                self.failure = error
                raise
            if item is not MISSING:
                self._call.taken += 1
                return item
