"""One replica's life: its runner is started, loads, serves, and ends; because it was told to, or by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, Protocol

from playground.compute.engines.base import ReplicaState, Stage, State
from playground.compute.engines.processes import RunnerGoneError
from playground.compute.machine import in_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playground.compute.engines.base import CallsAt, Endpoint, Spec

DRAIN_SECONDS = 300.0
_LOOK_EVERY = 0.1
_MEMORY_EVERY = 1.0
log = logging.getLogger(__name__)


class Runner(Protocol):
    """A process that was started. ``stop`` in any case."""

    async def wait_ready(self, on_stage: Callable[[Stage], None]) -> Endpoint:
        """``on_stage`` hears how far it is. Raises RunnerGoneError."""

    async def wait_gone(self) -> str:
        """How it ended, in words."""

    def resident_bytes(self) -> int: ...

    async def stop(self) -> None: ...


class Replica:
    """``on_change`` is told of each change; ``ended`` is set after the last one, with ``how`` if nobody ended it."""

    def __init__(
        self,
        spec: Spec,
        start: Callable[[], Awaitable[Runner]],
        *,
        calls_at: CallsAt,
        on_change: Callable[[Replica], None],
    ) -> None:
        self.spec = spec
        self.runner_id = secrets.token_hex(16)
        self.state = State.STARTING
        self.stage = Stage.PROCESS
        self.endpoint: Endpoint | None = None
        self.memory_bytes = 0
        self.how = ""
        self.has_ended = False
        self._calls_at = calls_at
        self._on_change = on_change
        self._told_to_leave = asyncio.Event()
        self._told_to_end = asyncio.Event()
        self._task = asyncio.create_task(self._live(start), name=f"replica of {spec.name}")

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY

    @property
    def is_leaving(self) -> bool:
        return self._told_to_leave.is_set()

    @property
    def calls(self) -> int:
        return self._calls_at(self.endpoint) if self.endpoint is not None else 0

    def describe(self) -> ReplicaState:
        return ReplicaState(
            self.runner_id,
            self.state,
            endpoint=self.endpoint,
            version_id=self.spec.version_id,
            memory_bytes=self.memory_bytes,
            nodepool_id=self.spec.nodepool_id,
        )

    def leave(self) -> None:
        """No new calls from here on; the end when those that run are over, or after 300 s."""
        self._told_to_leave.set()
        if not self.has_ended:
            self.state = State.DRAINING

    async def close(self) -> None:
        """The end, now."""
        self.leave()
        self._told_to_end.set()
        await self._task

    async def _live(self, start: Callable[[], Awaitable[Runner]]) -> None:
        """Never cancelled, so that whatever was started is stopped too."""
        try:
            self.how = await self._run(await start())
        except OSError as error:
            self.how = f"the runner cannot be started: {error.strerror or error}"
        except Exception as error:
            log.exception("a replica of %s: unexpected", self.spec.name)
            self.how = f"{type(error).__name__}: {error}"
        self.has_ended = True
        self._on_change(self)

    async def _run(self, runner: Runner) -> str:
        serving = asyncio.create_task(self._serve(runner))
        growing = asyncio.create_task(self._watch_memory(runner))
        leaving = asyncio.create_task(self._wait_to_leave())
        try:
            done, _ = await asyncio.wait({serving, growing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return next((task.result() for task in (growing, serving) if task in done), "")
        finally:
            self.state = State.DRAINING
            if not self.is_leaving:
                self._on_change(self)
            for task in (serving, growing, leaving):
                task.cancel()
            await asyncio.gather(serving, growing, leaving, return_exceptions=True)
            await runner.stop()

    async def _serve(self, runner: Runner) -> str:
        try:
            endpoint = await runner.wait_ready(self._reach)
        except RunnerGoneError as error:
            return str(error)
        if not self.is_leaving:
            self.endpoint, self.state = endpoint, State.READY
            self._on_change(self)
        return await runner.wait_gone()

    def _reach(self, stage: Stage) -> None:
        self.stage = stage
        if not self.is_leaving:
            self._on_change(self)

    async def _watch_memory(self, runner: Runner) -> str:
        limit = self.spec.memory_limit
        while True:
            self.memory_bytes = runner.resident_bytes()
            if 0 < limit < self.memory_bytes:
                return f"out of memory: it took {in_words(self.memory_bytes)}, and may have {in_words(limit)}"
            await asyncio.sleep(_MEMORY_EVERY)

    async def _wait_to_leave(self) -> None:
        """Until nothing runs here any more. A call that was on its way when we left ``endpoints`` has begun by then."""
        await self._told_to_leave.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self.endpoint is not None and not self._told_to_end.is_set():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_EVERY):
                            await self._told_to_end.wait()
                    if not self.calls:
                        return
