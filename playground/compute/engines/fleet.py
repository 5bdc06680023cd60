"""One deployment's replicas on this machine: as many as wanted of what is wanted; the former ones until those serve."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING

from playground.compute.builds.installer import BuildError
from playground.compute.builds.lines import LogFile
from playground.compute.engines.base import Observed, Stage, State
from playground.compute.engines.replica import Replica
from playground.compute.services.logs import read_tail

if TYPE_CHECKING:
    from playground.compute.engines.base import Spec
    from playground.compute.engines.local import LocalEngine

CRASHES_ALLOWED = 5
CRASH_WINDOW = 60.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
TAIL_LINES = 40
log = logging.getLogger(__name__)


class Fleet:
    """Every act and every event ends in ``_step``, which compares what there is with what there should be."""

    def __init__(self, spec: Spec, engine: LocalEngine) -> None:
        self.spec = spec
        self.wanted = 0
        self.observed = Observed(spec.generation)
        self.settled = asyncio.Event()
        self.has_gone = False
        self.began = engine.now()
        self._engine = engine
        self._log = LogFile(spec.log)
        self._replicas: list[Replica] = []
        self._is_new = True
        self._is_removed = False
        self._is_closed = False
        self._forget()

    def aim(self, spec: Spec, wanted: int) -> None:
        """What is to be from now on."""
        is_other = not spec.runs_as(self.spec)
        is_news, self._is_new = self._is_new or is_other, False
        if wanted and not self.wanted:
            self.began = self._engine.now()
        self.spec, self.wanted, self._is_removed = spec, wanted, False
        if is_other:
            self._cancel()
            self._forget()
        self._step(must_tell=is_news)

    def remove(self) -> None:
        self._is_removed = True
        self._cancel()
        self._step()

    async def close(self) -> None:
        self._is_closed = True
        building = self._building
        self._cancel()
        await asyncio.gather(*(replica.close() for replica in self._replicas))
        if building is not None:
            await asyncio.gather(building, return_exceptions=True)
        self._replicas.clear()
        self.observed = Observed(self.spec.generation)
        self.settled.set()
        self.close_log()

    def close_log(self) -> None:
        """Nothing more is to be written, for now."""
        self._log.close()

    @property
    def needs_build(self) -> bool:
        return self._engine.find(self.spec) is None

    def _forget(self) -> None:
        """Begin without a past: nothing built, nothing failed."""
        self.began = self._engine.now()
        self._is_announced = False
        self._building: asyncio.Task[None] | None = None
        self._build_state = (State.PENDING, "")
        self._failure = ""
        self._pause: asyncio.TimerHandle | None = None
        self._pause_reason = ""
        self._crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        self._early_ends = 0

    def _cancel(self) -> None:
        if self._building is not None:
            self._building.cancel()
            self._building = None
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    # What there should be.

    def _step(self, *, must_tell: bool = False) -> None:
        if self._is_closed:
            return
        wanted = 0 if self._is_removed else self.wanted
        staying = [one for one in self._replicas if not one.is_leaving and not one.has_ended]
        current = [one for one in staying if one.spec.runs_as(self.spec)]
        former = [one for one in staying if one not in current]
        self._dismiss(current, former, wanted)
        if wanted:
            # One more than wanted at a time, while the former ones serve.
            room = wanted + 1 - len([one for one in former if not one.is_leaving]) if former else wanted
            self._start(min(wanted, room) - len([one for one in current if not one.is_leaving]))
        self._tell(must_tell=must_tell)

    def _dismiss(self, current: list[Replica], former: list[Replica], wanted: int) -> None:
        for one in sorted(current, key=_worth)[: max(0, len(current) - wanted)]:
            one.leave()
        ready = len([one for one in current if one.is_ready and not one.is_leaving])
        serving = [one for one in former if one.is_ready]
        for one in former:
            if one not in serving:
                one.leave()
        for one in sorted(serving, key=_worth)[: max(0, ready + len(serving) - wanted)]:
            one.leave()

    def _start(self, missing: int) -> None:
        if missing <= 0 or self._failure or self._pause is not None or self._building is not None:
            return
        if not self._is_announced:
            self._is_announced = True
            self._log.write(f"--- {self.spec.name}, version {self.spec.version_id}")
        found = self._engine.find(self.spec)
        if found is None:
            self._building = asyncio.create_task(self._build(), name=f"build for {self.spec.name}")
            return
        python, checkpoint = found
        for _ in range(missing):
            self._replicas.append(self._engine.start(self.spec, python, checkpoint, self._log.write, self._hear))

    async def _build(self) -> None:
        try:
            await self._engine.build(self.spec, self, self._log.write, self._note_build)
        except (BuildError, OSError) as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("deployment %s: unexpected", self.spec.name)
            self._fail(f"{type(error).__name__}: {error}")
        self._building = None
        self._step()

    def _note_build(self, state: State, reason: str) -> None:
        self._build_state = (state, reason)
        self._tell()

    # What happened.

    def _hear(self, replica: Replica) -> None:
        """A replica has changed."""
        if replica.has_ended:
            if replica in self._replicas:
                self._replicas.remove(replica)
            if replica.how and not replica.is_leaving:
                self._log.write(replica.how)
                if replica.spec.runs_as(self.spec):
                    self._note_crash(replica)
        elif replica.is_ready:
            self._early_ends = 0
        self._step()

    def _note_crash(self, replica: Replica) -> None:
        """Wait before the next start, longer each time; give up when none is left that serves."""
        if self._pause is not None or self._failure or self._is_closed:
            return  # one setback: it took several with it
        now, how = self._engine.now(), replica.how
        self._crashes.append(now)
        self._early_ends += replica.endpoint is None
        recent = len([at for at in self._crashes if now - at < CRASH_WINDOW])
        serves = any(one.is_ready and one.spec.runs_as(self.spec) for one in self._replicas)
        if self._early_ends >= CRASHES_ALLOWED and not serves:
            self._fail(f"{how} ({CRASHES_ALLOWED} times before it was ready)")
        elif recent >= CRASHES_ALLOWED and not serves:
            self._fail(f"{how} ({CRASHES_ALLOWED} times within a minute)")
        else:
            setbacks = max(recent, self._early_ends)
            wait = min(FIRST_WAIT * 2 ** (setbacks - 1), LONGEST_WAIT)
            self._pause_reason = f"again in {wait:g} s: {how}"
            self._pause = asyncio.get_running_loop().call_later(wait, self._go_on)
            self.began = now

    def _go_on(self) -> None:
        self._pause = None
        self._step()

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._log.write(f"failed: {reason}")
        for one in self._replicas:
            if one.spec.runs_as(self.spec) and not one.is_ready:
                one.leave()

    # What is said of it.

    def _tell(self, *, must_tell: bool = False) -> None:
        state, reason = self._state()
        tail = ""
        if state == State.FAILED:
            is_known = self.observed.state == State.FAILED and self.observed.generation == self.spec.generation
            tail = self.observed.log_tail if is_known else self._read_tail()
        before, replicas = self.observed, tuple(one.describe() for one in self._replicas)
        self.observed = Observed(self.spec.generation, state, reason, tail, replicas)
        self.has_gone = self._is_removed and not self._replicas
        if self.observed.is_settled or not self.wanted:
            self.settled.set()
        if must_tell or self.observed != before or self.has_gone:
            self._engine.tell(self, before)

    def _read_tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(read_tail(self.spec.log, TAIL_LINES))
        return ""

    def _state(self) -> tuple[State, str]:
        if self._is_removed or not self.wanted:
            return (State.DRAINING, "") if self._replicas else (State.ZERO, "")
        ready = [one for one in self._replicas if one.is_ready]
        if self._failure:
            return State.FAILED, self._failure + (" What ran before still answers." if ready else "")
        if not ready:
            return self._progress()
        current = [one for one in ready if one.spec.runs_as(self.spec)]
        if len(current) >= self.wanted:
            return State.READY, ""
        doing = self._progress()[1]
        if len(ready) > len(current):
            return State.READY, f"changing to version {self.spec.version_id}: {doing}"
        return State.READY, f"{len(current)} of {self.wanted} replicas: {doing}"

    def _progress(self) -> tuple[State, str]:
        if self._building is not None:
            return self._build_state
        if self._pause is not None:
            return State.STARTING, self._pause_reason
        stages = [one.stage for one in self._replicas if one.state == State.STARTING]
        return State.STARTING, max(stages, key=list(Stage).index, default=Stage.PROCESS).value


def _worth(replica: Replica) -> tuple[bool, int]:
    """The least is the first to go."""
    return replica.is_ready, replica.calls
