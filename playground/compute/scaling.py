"""How many replicas there should be. Pure: facts in, a number out; no clock, no rows.

Load is calls in flight and waiting, averaged over the history that the deployment names. What it asks for must hold for
the whole delay before anything is changed; the first call to a deployment at zero is the exception.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

CALLS_PER_REPLICA = 8
# A load that is this little (of one replica's share) above a whole number asks for no replica more.
_TOLERANCE = 0.1
_PATIENCE_SECONDS, _PATIENCE_SHARE = 2.0, 0.3


@dataclass(frozen=True)
class Scale:
    """A deployment's limits and delays, in seconds; ``calls_per_replica`` is what one is meant to have in flight."""

    min_replicas: int = 1
    max_replicas: int = 1
    history: float = 60
    up_delay: float = 5
    down_delay: float = 60
    zero_delay: float = 900
    calls_per_replica: int = CALLS_PER_REPLICA


@dataclass(frozen=True)
class Facts:
    """What is known of one deployment. ``wanted`` is the number of replicas decided before.

    ``above`` and ``below`` are the seconds for which its load has asked for more, or fewer. ``idle`` counts from its
    last call, or from when it became ready after that: None while it is busy or has no ready replica yet.
    """

    scale: Scale
    wanted: int
    calls: int = 0
    load: float = 0.0
    above: float = 0.0
    below: float = 0.0
    idle: float | None = None


def desired_replicas(facts: Facts) -> int:
    """Between minimum and maximum; 0 only where the minimum is 0 and nobody has called for the whole delay."""
    scale, wanted = facts.scale, facts.wanted
    asked = asked_replicas(facts.load, scale)
    if wanted == 0 and facts.calls:
        wanted = 1
    elif scale.min_replicas == 0 and facts.idle is not None and facts.idle >= scale.zero_delay:
        wanted = 0
    elif asked > wanted > 0 and facts.above >= scale.up_delay:
        wanted = asked
    elif asked < wanted and facts.below >= scale.down_delay:
        wanted = max(asked, 1)
    return max(scale.min_replicas, min(wanted, scale.max_replicas))


def asked_replicas(load: float, scale: Scale) -> int:
    """As many as keep each at its share of the load."""
    return max(0, math.ceil(load / scale.calls_per_replica - _TOLERANCE))


@dataclass
class Trend:
    """One deployment's load over time, and what was decided. All times are one monotonic clock's."""

    wanted: int
    load: float = 0.0
    ready_since: float | None = None
    _at: float | None = None
    _began: float | None = None
    _patience: float = 0.0
    _asks: int = 0
    _asks_since: float = field(default=0.0)

    def note(self, now: float, *, calls: int, is_ready: bool, scale: Scale, idle: float | None) -> int:
        """Take the load of this moment in, and decide. ``idle`` is the seconds since its last call; None: never one."""
        self._average(now, calls, scale)
        self._note_ready(now, is_ready=is_ready)
        asks = _sign(asked_replicas(self.load, scale) - self.wanted)
        if asks != self._asks:
            self._asks, self._asks_since = asks, now
        held = now - self._asks_since
        facts = Facts(
            scale,
            self.wanted,
            calls=calls,
            load=self.load,
            above=held if asks > 0 else 0.0,
            below=held if asks < 0 else 0.0,
            idle=self._idle(now, calls, idle),
        )
        decided = desired_replicas(facts)
        if decided != self.wanted:
            self._begin(now, decided)
        return decided

    def wake(self, now: float) -> None:
        """Begin with one replica at least: what is to run has changed."""
        self.ready_since = None
        if not self.wanted:
            self._begin(now, 1)

    def _average(self, now: float, calls: int, scale: Scale) -> None:
        """An exponential average with nearly all of its weight in the history."""
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self.load += (calls - self.load) * (1 - math.exp(-3 * passed / scale.history) if scale.history else 1.0)

    def _note_ready(self, now: float, *, is_ready: bool) -> None:
        if not is_ready:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = now
            # Those who poll for a cold deployment look again after about a third of the time they have waited.
            took = now - (self._began if self._began is not None else now)
            self._patience = _PATIENCE_SECONDS + _PATIENCE_SHARE * took

    def _idle(self, now: float, calls: int, idle: float | None) -> float | None:
        if calls or self.ready_since is None:
            return None
        since_ready = now - self.ready_since
        if idle is not None and idle <= since_ready:
            return idle
        return since_ready if since_ready >= self._patience else None

    def _begin(self, now: float, decided: int) -> None:
        if self.wanted == 0:
            self._began = now
        self.wanted, self._asks, self._asks_since = decided, 0, now


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
