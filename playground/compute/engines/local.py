"""Runner processes on this machine: builds what a model needs, keeps as many replicas as it is told to.

Builds go one at a time, niced, after the deployments that need none are up; so the first model is there at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.compute.engines.base import Observed, Stage, State
from playground.compute.engines.fleet import Fleet
from playground.compute.engines.processes import RunnerProcess
from playground.compute.engines.replica import Replica
from playground.compute.services.logs import read_tail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from playground.compute.builds.checkpoints import Checkpoints
    from playground.compute.builds.environments import Environments
    from playground.compute.engines.base import CallsAt, OnChange, Spec
    from playground.compute.engines.replica import Runner

_QUICK_FIRST_SECONDS = 10.0
# What numeric libraries take their number of threads from.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
progress = logging.getLogger("playground.progress")


@dataclass(frozen=True)
class LocalSettings:
    """What the engine needs to know of the installation; ``start`` is how a runner's process is begun."""

    environments: Environments
    checkpoints: Checkpoints
    runner_environment: Mapping[str, str]
    fetch_allow: tuple[str, ...] = ()
    start: Callable[..., Awaitable[Runner]] = RunnerProcess.start


class LocalEngine:
    """The engine ``local``: a fleet of runner processes for each deployment."""

    def __init__(self, settings: LocalSettings, on_change: OnChange, calls_at: CallsAt) -> None:
        self.settings = settings
        self._on_change = on_change
        self._calls_at = calls_at
        self._fleets: dict[int, Fleet] = {}
        self._build_turn = asyncio.Lock()

    def apply(self, spec: Spec, replicas: int) -> None:
        fleet = self._fleets.get(spec.id)
        if fleet is None:
            fleet = self._fleets[spec.id] = Fleet(spec, self)
        fleet.aim(spec, replicas)

    def observe(self, deployment_id: int) -> Observed | None:
        fleet = self._fleets.get(deployment_id)
        return fleet.observed if fleet is not None else None

    def remove(self, deployment_id: int) -> None:
        fleet = self._fleets.get(deployment_id)
        if fleet is not None:
            fleet.remove()

    def logs(self, deployment_id: int, lines: int) -> list[str]:
        fleet = self._fleets.get(deployment_id)
        return read_tail(fleet.spec.log, lines) if fleet is not None else []

    async def close(self) -> None:
        fleets = list(self._fleets.values())
        self._fleets.clear()
        await asyncio.gather(*(fleet.close() for fleet in fleets))

    # What its fleets use.

    @staticmethod
    def now() -> float:
        """Monotonic: a clock that is set changes nothing here."""
        return asyncio.get_running_loop().time()

    def tell(self, fleet: Fleet, before: Observed) -> None:
        spec, observed = fleet.spec, fleet.observed
        if fleet.has_gone and self._fleets.get(spec.id) is fleet:
            del self._fleets[spec.id]
            fleet.close_log()
        is_news = (observed.state, observed.reason) != (before.state, before.reason)
        if is_news and observed.state != State.READY and observed.reason not in {Stage.PROCESS, Stage.CHECK}:
            progress.info("%s %s%s", spec.name, observed.state, f": {observed.reason}" if observed.reason else "")
        elif observed.state == State.READY != before.state:
            progress.info("%s ready after %.1f s", spec.name, self.now() - fleet.began)
        self._on_change(spec, observed)

    def start(
        self,
        spec: Spec,
        python: Path,
        checkpoint: Path | None,
        say: Callable[[str], None],
        on_change: Callable[[Replica], None],
    ) -> Replica:
        environment = self._environment(spec, checkpoint)

        async def begin() -> Runner:
            settings = self.settings
            return await settings.start(
                python, spec.folder, environment=environment, fetch_allow=settings.fetch_allow, say=say
            )

        return Replica(spec, begin, calls_at=self._calls_at, on_change=on_change)

    def find(self, spec: Spec) -> tuple[Path, Path | None] | None:
        """The interpreter and the checkpoint, when all is there."""
        python = self.settings.environments.find(spec.requirements, spec.folder)
        checkpoint = self.settings.checkpoints.find(spec.checkpoint) if spec.checkpoint is not None else None
        if python is None or (spec.checkpoint is not None and checkpoint is None):
            return None
        return python, checkpoint

    async def build(
        self, spec: Spec, fleet: Fleet, say: Callable[[str], None], show: Callable[[State, str], None]
    ) -> None:
        """Make what is missing, in its turn. Raises BuildError."""
        environments, checkpoints = self.settings.environments, self.settings.checkpoints
        has_python = environments.find(spec.requirements, spec.folder) is not None
        missing = "its checkpoint is to be fetched" if has_python else "requirements are to be installed"
        show(State.PENDING, f"waiting for its turn: {missing}")
        async with self._turn(fleet):
            if environments.find(spec.requirements, spec.folder) is None:
                show(State.BUILDING, "installing requirements")
                await environments.make(spec.requirements, spec.folder, say)
            if spec.checkpoint is not None and checkpoints.find(spec.checkpoint) is None:
                show(State.BUILDING, f"fetching {spec.checkpoint.package}")
                await checkpoints.fetch(spec.checkpoint, say)

    @contextlib.asynccontextmanager
    async def _turn(self, fleet: Fleet) -> AsyncIterator[None]:
        """One build at a time, and none before what needs no build has come up (or 10 s have passed)."""
        quick = [other.settled for other in self._fleets.values() if other is not fleet and not other.needs_build]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUICK_FIRST_SECONDS):
                for settled in quick:
                    await settled.wait()
        async with self._build_turn:
            yield

    def _environment(self, spec: Spec, checkpoint: Path | None) -> dict[str, str]:
        """What the deployment says goes over what its model's limits say, and ours over both."""
        given = dict(spec.environment)
        source = str(self.settings.environments.source)
        environment = {
            **self.settings.runner_environment,
            **({name: str(spec.threads) for name in _THREADS} if spec.threads else {}),
            **given,
            "PYTHONPATH": f"{source}:{given['PYTHONPATH']}" if "PYTHONPATH" in given else source,
        }
        if checkpoint is not None:
            environment["PLAYGROUND_CHECKPOINT"] = str(checkpoint)
        return environment
