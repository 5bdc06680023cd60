"""Calls in flight, counted where they pass: what balances replicas, limits queues, and scales deployments.

Belongs to one loop; every act is a few dictionary steps, so a call hardly feels it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING, TypeVar

Key = TypeVar("Key", bound=Hashable)
GONE_SECONDS = 2.0  # a replica that ends is missed by its controller long before

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playground.compute.engines.base import Endpoint


class Traffic:
    """``on_demand`` is told a deployment's id when a call begins to wait for it."""

    def __init__(self, on_demand: Callable[[int], None] = lambda _: None) -> None:
        self.on_demand = on_demand
        self._in_flight: Counter[Endpoint] = Counter()
        self._of_deployment: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()
        self._last: dict[int, float] = {}
        self._gone: dict[Endpoint, float] = {}
        self._held: dict[int, list[asyncio.Event]] = {}

    def begin(self, deployment_id: int, endpoint: Endpoint) -> None:
        """A call goes to a replica."""
        self._in_flight[endpoint] += 1
        self._of_deployment[deployment_id] += 1
        self._last[deployment_id] = time.monotonic()

    def end(self, deployment_id: int, endpoint: Endpoint) -> None:
        """It is over, however it ended."""
        _count_down(self._in_flight, endpoint)
        _count_down(self._of_deployment, deployment_id)
        self._last[deployment_id] = time.monotonic()
        self._make_room(deployment_id)

    def begin_waiting(self, deployment_id: int) -> None:
        """A call waits for a deployment that is not ready."""
        self._waiting[deployment_id] += 1
        self._last[deployment_id] = time.monotonic()
        self.on_demand(deployment_id)

    def end_waiting(self, deployment_id: int) -> None:
        _count_down(self._waiting, deployment_id)
        self._last[deployment_id] = time.monotonic()
        self._make_room(deployment_id)

    def in_flight(self, deployment_id: int) -> int:
        return self._of_deployment[deployment_id]

    def waiting(self, deployment_id: int) -> int:
        return self._waiting[deployment_id]

    def load(self, deployment_id: int) -> int:
        """Calls in flight and waiting: what a queue's limit is about."""
        return self._of_deployment[deployment_id] + self._waiting[deployment_id]

    def held(self, deployment_id: int) -> int:
        """Calls that are held before the queue, until there is room in it."""
        return len(self._held.get(deployment_id, ()))

    def at(self, endpoint: Endpoint) -> int:
        """Calls in flight at one replica."""
        return self._in_flight[endpoint]

    def idle_seconds(self, deployment_id: int) -> float | None:
        """Since its last call began, ended or waited; 0 while there is one; None when there never was one."""
        if self._of_deployment[deployment_id] or self._waiting[deployment_id]:
            return 0.0
        last = self._last.get(deployment_id)
        return None if last is None else time.monotonic() - last

    def least_busy(self, endpoints: Sequence[Endpoint]) -> Endpoint:
        """The replica with the fewest calls in flight; the first of equals."""
        return endpoints[0] if len(endpoints) == 1 else min(endpoints, key=self._in_flight.__getitem__)

    def lose(self, endpoint: Endpoint) -> None:
        """Nothing answers there: no new call goes there for a while, whatever the controller has yet to see."""
        self._gone[endpoint] = time.monotonic() + GONE_SECONDS

    def find(self, endpoint: Endpoint) -> None:
        """It has been seen to answer."""
        self._gone.pop(endpoint, None)

    def present(self, endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
        """Those of ``endpoints`` that nobody has just found gone."""
        if not self._gone:
            return endpoints
        now = time.monotonic()
        self._gone = {endpoint: until for endpoint, until in self._gone.items() if until > now}
        return [endpoint for endpoint in endpoints if endpoint not in self._gone]

    async def room(self, deployment_id: int, limit: int) -> None:
        """Until fewer than ``limit`` calls are in flight or waiting; one after another."""
        held = self._held.setdefault(deployment_id, [])
        turn = asyncio.Event()
        held.append(turn)
        try:
            while held[0] is not turn or self.load(deployment_id) >= limit:
                turn.clear()
                await turn.wait()
        finally:
            held.remove(turn)
            if held:
                held[0].set()
            else:
                del self._held[deployment_id]

    def _make_room(self, deployment_id: int) -> None:
        if held := self._held.get(deployment_id):
            held[0].set()


def _count_down(counter: Counter[Key], key: Key) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
