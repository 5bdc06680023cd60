"""A world whose time passes only when everybody waits: controllers on loops of their own, runners that are objects."""

from __future__ import annotations

import asyncio
import errno
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection

from playground.compute.builds.checkpoints import Checkpoints
from playground.compute.builds.environments import Environments
from playground.compute.builds.installer import Installer
from playground.compute.controller import Controller
from playground.compute.engines.base import Endpoint, Stage
from playground.compute.engines.local import LocalEngine, LocalSettings
from playground.compute.engines.processes import RunnerGoneError
from playground.compute.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playground.compute.engines.base import CallsAt, OnChange

_NOBODY: list[object] = []  # what was killed: kept, so that no clean-up of it ever runs


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer instead of waiting for it."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._virtual_now = now
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(timeout: float | None) -> Any:
            ready = select(0)
            if not ready and timeout is None:
                raise AssertionError("nothing will ever happen")
            if not ready and timeout:
                self._virtual_now += timeout
            return ready

        selector.select = jump

    def time(self) -> float:
        return self._virtual_now


@dataclass
class FakeRunner:
    """Stands for a runner's process. Its folder's name says how it behaves."""

    world: World
    owner: Leader
    folder: Path
    environment: Mapping[str, str]
    number: int
    is_alive: bool = True
    memory: int = 50 * 2**20
    how: str = ""
    lost_calls: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"runner:{self.number}", secret="s", signatures="{}")

    @property
    def calls(self) -> int:
        return self.owner.traffic.at(self.endpoint)

    async def wait_ready(self, on_stage: Callable[[Stage], None]) -> Endpoint:
        on_stage(Stage.LOADING)
        await asyncio.sleep(self.world.load_seconds)
        if "broken" in self.folder.name:
            self.die("it cannot be loaded")
        if not self.is_alive:
            raise RunnerGoneError(self.how)
        return self.endpoint

    async def wait_gone(self) -> str:
        await self.gone.wait()
        return self.how

    def resident_bytes(self) -> int:
        return self.memory if self.is_alive else 0

    async def stop(self) -> None:
        if self.is_alive and not self.how:
            self.lost_calls = self.calls
        self.is_alive = False

    def die(self, how: str) -> None:
        self.is_alive, self.how = False, how
        self.gone.set()


class Leader:
    """A gateway's controller, on its own loop."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.loop = VirtualLoop(world.now)
        self.traffic = Traffic()
        self.controller: Controller = self._run(self._make)
        self._run(self.controller.start)

    async def _make(self) -> Controller:
        return Controller(
            Inline(self.world),  # type: ignore[arg-type]
            self.traffic,
            engines={"local": self._engine},
            name=self.name,
        )

    def _engine(self, on_change: OnChange, calls_at: CallsAt) -> LocalEngine:
        installer = Installer(environment={}, cache=Path())
        environments = Environments(self.world.folder / "environments", self.world.folder, installer)
        chosen = LocalSettings(environments, Checkpoints(self.world.folder, installer), {}, start=self._start)
        return LocalEngine(chosen, on_change, calls_at)

    async def _start(self, python: Path, folder: Path, *, environment: Mapping[str, str], **_: Any) -> FakeRunner:
        if self.world.has_no_processes:
            raise OSError(errno.EAGAIN, "no more processes")
        runner = FakeRunner(self.world, self, folder, environment, next(self.world.numbers))
        self.world.runners.append(runner)
        return runner

    def advance(self, seconds: float) -> None:
        self._run(partial(asyncio.sleep, seconds))

    def close(self) -> None:
        self._run(self.controller.close)
        self.loop.close()

    def kill(self) -> None:
        """SIGKILL: nothing is cleaned up, and its runners end, as those whose standard input closes."""
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        _NOBODY.append(self)
        for runner in self.world.runners:
            if runner.owner is self:
                runner.is_alive, runner.how = False, "its gateway was killed"

    def _run(self, work: Callable[[], Any]) -> Any:
        return self.loop.run_until_complete(work())


@dataclass
class World:
    folder: Path
    now: float = 1000.0
    load_seconds: float = 0.4
    is_disk_full: bool = False
    has_no_processes: bool = False
    runners: list[FakeRunner] = field(default_factory=list)
    leaders: list[Leader] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)
    executor: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1))

    def begin(self, name: str) -> Leader:
        leader = Leader(self, name)
        self.leaders.append(leader)
        return leader

    def end(self, leader: Leader, *, cleanly: bool) -> None:
        self.leaders.remove(leader)
        if cleanly:
            leader.close()
        else:
            leader.kill()

    def advance(self, seconds: float, *, step: float = 1.0) -> None:
        """All loops side by side."""
        end = self.now + seconds
        step = step if len(self.leaders) > 1 else seconds
        while self.now < end:
            self.now += step
            for leader in self.leaders:
                leader.advance(self.now - leader.loop.time())

    def close(self) -> None:
        self.executor.submit(lambda: connection.close()).result()
        self.executor.shutdown()

    def alive(self, folder: str = "") -> list[FakeRunner]:
        return [runner for runner in self.runners if runner.is_alive and folder in str(runner.folder)]


class Inline:
    """A database thread that the loop stands still for; on a full disk it takes no changes."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.world.is_disk_full and getattr(function, "__name__", "") != "read_desired":
            raise OperationalError("database or disk is full")
        return self.world.executor.submit(function, *args, **kwargs).result()
