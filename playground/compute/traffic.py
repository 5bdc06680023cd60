"""Calls in flight, counted where they pass: what balances replicas, limits queues, and scales deployments.

Belongs to one loop; every act is a few dictionary steps, so a call hardly feels it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable
from typing import TYPE_CHECKING, TypeVar

Key = TypeVar("Key", bound=Hashable)
GONE_SECONDS = 2.0  # a replica that ends is missed by its controller long before

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.compute.engines.base import Endpoint


class Traffic:
    """``on_demand`` is told a deployment's id when a call begins to wait for it."""

    def __init__(self, on_demand: Callable[[int], None] = lambda _: None) -> None:
        self.on_demand = on_demand
        self._in_flight: dict[Endpoint, int] = {}
        self._of_deployment: dict[int, int] = {}
        self._waiting: dict[int, int] = {}
        self._last: dict[int, float] = {}
        self._gone: dict[Endpoint, float] = {}
        self._held: dict[int, list[asyncio.Event]] = {}

    def begin(self, deployment_id: int, endpoint: Endpoint) -> None:
        """A call goes to a replica."""
        self._in_flight[endpoint] = self._in_flight.get(endpoint, 0) + 1
        self._of_deployment[deployment_id] = self._of_deployment.get(deployment_id, 0) + 1
        self._last[deployment_id] = time.monotonic()

    def end(self, deployment_id: int, endpoint: Endpoint) -> None:
        """It is over, however it ended."""
        _count_down(self._in_flight, endpoint)
        _count_down(self._of_deployment, deployment_id)
        self._last[deployment_id] = time.monotonic()
        self._make_room(deployment_id)

    def begin_waiting(self, deployment_id: int) -> None:
        """A call waits for a deployment that is not ready."""
        self._waiting[deployment_id] = self._waiting.get(deployment_id, 0) + 1
        self._last[deployment_id] = time.monotonic()
        self.on_demand(deployment_id)

    def end_waiting(self, deployment_id: int) -> None:
        _count_down(self._waiting, deployment_id)
        self._last[deployment_id] = time.monotonic()
        self._make_room(deployment_id)

    def in_flight(self, deployment_id: int) -> int:
        return self._of_deployment.get(deployment_id, 0)

    def waiting(self, deployment_id: int) -> int:
        return self._waiting.get(deployment_id, 0)

    def load(self, deployment_id: int) -> int:
        """Calls in flight and waiting: what a queue's limit is about."""
        return self._of_deployment.get(deployment_id, 0) + self._waiting.get(deployment_id, 0)

    def held(self, deployment_id: int) -> int:
        """Calls that are held before the queue, until there is room in it."""
        return len(self._held.get(deployment_id, ()))

    def at(self, endpoint: Endpoint) -> int:
        """Calls in flight at one replica."""
        return self._in_flight.get(endpoint, 0)

    def idle_seconds(self, deployment_id: int) -> float | None:
        """Since its last call began, ended or waited; 0 while there is one; None when there never was one."""
        if deployment_id in self._of_deployment or deployment_id in self._waiting:
            return 0.0
        last = self._last.get(deployment_id)
        return None if last is None else time.monotonic() - last

    def lose(self, endpoint: Endpoint) -> None:
        """Nothing answers there: no new call goes there for a while, whatever the controller has yet to see."""
        self._gone[endpoint] = time.monotonic() + GONE_SECONDS

    def is_gone(self, endpoint: Endpoint) -> bool:
        """Whether somebody has just found it gone."""
        if not self._gone:
            return False
        until = self._gone.get(endpoint)
        if until is not None and until <= time.monotonic():
            del self._gone[endpoint]
            return False
        return until is not None

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


def _count_down(counts: dict[Key, int], key: Key) -> None:
    count = counts[key] - 1
    if count:
        counts[key] = count
    else:
        del counts[key]
