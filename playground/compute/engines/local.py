"""Runner processes on this machine: builds what a model needs, starts its runner, watches it, starts it again.

Builds go one at a time, niced, after the deployments that need none are up; so the first model is there at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playground.compute.builds.installer import BuildError
from playground.compute.builds.lines import LogFile
from playground.compute.engines.base import Observed, ReplicaState, State
from playground.compute.engines.processes import RunnerGoneError, RunnerProcess
from playground.compute.services import read_tail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from playground.compute.builds.checkpoints import Checkpoints
    from playground.compute.builds.environments import Environments
    from playground.compute.engines.base import Spec

CRASHES_ALLOWED = 5
CRASH_WINDOW = 60.0
FIRST_WAIT = 0.5
TAIL_LINES = 40
_QUICK_FIRST_SECONDS = 10.0
log = logging.getLogger(__name__)
progress = logging.getLogger("playground.progress")


@dataclass(frozen=True)
class LocalSettings:
    """What the engine needs to know of the installation."""

    environments: Environments
    checkpoints: Checkpoints
    runner_environment: Mapping[str, str]
    fetch_allow: tuple[str, ...] = ()


class LocalEngine:
    """The engine ``local``: one runner process for each deployment."""

    def __init__(self, settings: LocalSettings, on_change: Callable[[Spec, Observed], None]) -> None:
        self.settings = settings
        self._on_change = on_change
        self._units: dict[int, Unit] = {}
        self._build_turn = asyncio.Lock()

    async def apply(self, spec: Spec) -> None:
        unit = self._units.get(spec.id)
        if unit is not None and unit.spec == spec:
            return
        if unit is not None:
            await unit.close()
        self._units[spec.id] = Unit(spec, self)

    def observe(self, deployment_id: int) -> Observed | None:
        unit = self._units.get(deployment_id)
        return unit.observed if unit is not None else None

    async def remove(self, deployment_id: int) -> None:
        unit = self._units.pop(deployment_id, None)
        if unit is not None:
            await unit.close()

    def logs(self, deployment_id: int, lines: int) -> list[str]:
        unit = self._units.get(deployment_id)
        return read_tail(unit.spec.log, lines) if unit is not None else []

    async def close(self) -> None:
        await asyncio.gather(*(unit.close() for unit in self._units.values()))
        self._units.clear()

    def tell(self, unit: Unit) -> None:
        spec, observed = unit.spec, unit.observed
        if observed.state == State.READY:
            progress.info("%s ready after %.1f s", spec.name, time.monotonic() - unit.began)
        else:
            progress.info("%s %s%s", spec.name, observed.state, f": {observed.reason}" if observed.reason else "")
        self._on_change(spec, observed)

    @contextlib.asynccontextmanager
    async def build_turn(self, unit: Unit) -> AsyncIterator[None]:
        """One build at a time, and none before what needs no build has come up (or 10 s have passed)."""
        quick = [other.settled for other in self._units.values() if other is not unit and not other.needs_build]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUICK_FIRST_SECONDS):
                for settled in quick:
                    await settled.wait()
        async with self._build_turn:
            yield


class Unit:
    """One deployment's life: pending, building, starting, ready; again from starting when its runner goes away."""

    def __init__(self, spec: Spec, engine: LocalEngine) -> None:
        self.spec = spec
        self.observed = Observed(spec.generation)
        self.settled = asyncio.Event()
        self.began = time.monotonic()
        self._engine = engine
        self._settings = engine.settings
        self._log = LogFile(spec.log)
        self._log.write(f"--- {spec.name}, version {spec.version_id}")
        self._crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        self._early_ends = 0
        self.needs_build = self._missing() != ""
        self._task = asyncio.create_task(self._live(), name=f"deployment {spec.name}")

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self.observed = Observed(self.spec.generation, State.PENDING)
        self.settled.set()
        self._log.close()

    async def _live(self) -> None:
        try:
            python, checkpoint = await self._prepare()
            while True:
                await self._serve(python, checkpoint)
        except (BuildError, RunnerGoneError, OSError) as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("deployment %s: unexpected", self.spec.name)
            self._fail(f"{type(error).__name__}: {error}")

    async def _prepare(self) -> tuple[Path, Path | None]:
        if not self._missing():
            return await self._build()
        self._show(State.PENDING, f"waiting for its turn: {self._missing()}")
        async with self._engine.build_turn(self):
            return await self._build()

    async def _build(self) -> tuple[Path, Path | None]:
        spec, settings = self.spec, self._settings
        if settings.environments.find(spec.requirements, spec.folder) is None:
            self._show(State.BUILDING, "installing requirements")
        python = await settings.environments.make(spec.requirements, spec.folder, self._log.write)
        if spec.checkpoint is None:
            return python, None
        if settings.checkpoints.find(spec.checkpoint) is None:
            self._show(State.BUILDING, f"fetching {spec.checkpoint.package}")
        return python, await settings.checkpoints.fetch(spec.checkpoint, self._log.write)

    def _missing(self) -> str:
        spec, settings = self.spec, self._settings
        if settings.environments.find(spec.requirements, spec.folder) is None:
            return "requirements are to be installed"
        if spec.checkpoint is not None and settings.checkpoints.find(spec.checkpoint) is None:
            return "its checkpoint is to be fetched"
        return ""

    async def _serve(self, python: Path, checkpoint: Path | None) -> None:
        """One runner from its start to its end, and the wait before the next. Raises RunnerGoneError at the last."""
        self._show(State.STARTING, "loading the model")
        ready_at: float | None = None
        runner = await RunnerProcess.start(
            python,
            self.spec.folder,
            environment=self._environment(checkpoint),
            fetch_allow=self._settings.fetch_allow,
            say=self._log.write,
        )
        try:
            endpoint = await runner.wait_ready()
            ready_at = time.monotonic()
            self._show(State.READY, replicas=(ReplicaState(runner.runner_id, State.READY, endpoint=endpoint),))
            how = await runner.wait_gone()
        except RunnerGoneError as error:
            how = str(error)
        finally:
            self.observed = replace(self.observed, replicas=())
            await runner.stop()
        self._log.write(how)
        await self._wait_after_crash(how, was_ready=ready_at is not None)

    async def _wait_after_crash(self, how: str, *, was_ready: bool) -> None:
        now = time.monotonic()
        self._crashes.append(now)
        self._early_ends = 0 if was_ready else self._early_ends + 1
        recent = [at for at in self._crashes if now - at < CRASH_WINDOW]
        if self._early_ends >= CRASHES_ALLOWED:
            raise RunnerGoneError(f"{how} ({CRASHES_ALLOWED} times before it was ready)")
        if len(recent) >= CRASHES_ALLOWED:
            raise RunnerGoneError(f"{how} ({CRASHES_ALLOWED} times within a minute)")
        wait = FIRST_WAIT * 2 ** (len(recent) - 1)
        self._show(State.STARTING, f"again in {wait:g} s: {how}")
        self.began = now
        await asyncio.sleep(wait)

    def _environment(self, checkpoint: Path | None) -> dict[str, str]:
        environment = {**self._settings.runner_environment, "PYTHONPATH": str(self._settings.environments.source)}
        if checkpoint is not None:
            environment["PLAYGROUND_CHECKPOINT"] = str(checkpoint)
        return environment

    def _show(self, state: State, reason: str = "", **facts: object) -> None:
        self.observed = replace(Observed(self.spec.generation, state, reason), **facts)  # type: ignore[arg-type]
        if self.observed.is_settled:
            self.settled.set()
        self._engine.tell(self)

    def _fail(self, reason: str) -> None:
        self._log.write(f"failed: {reason}")
        tail = "\n".join(read_tail(self.spec.log, TAIL_LINES))
        self._show(State.FAILED, reason, log_tail=tail)
