"""What became of calls that the web process has stopped: whether their model computes on.

The web process names each of its calls; after it has cancelled one it asks by that name. A runner of ours says when
the call's work is truly over. Others do not say, so nothing is claimed of them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playground.protocol.pipes import STOPPED, UNKNOWN

if TYPE_CHECKING:
    from playground.gateway.replicas import Replica

KEPT = 2000
MOST_SECONDS = 10.0


@dataclass
class Fate:
    """A named call: the replica it was sent to, and whether the way there has ended."""

    request_id: str
    replica: Replica | None = None
    is_cut: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Fates:
    """The newest named calls; belongs to one loop."""

    def __init__(self) -> None:
        self._by_name: OrderedDict[str, Fate] = OrderedDict()

    def begin(self, name: str, request_id: str) -> Fate:
        """A call begins; a name that comes again stands for the newest call."""
        fate = Fate(request_id)
        if name:
            self._by_name[name] = fate
            self._by_name.move_to_end(name)
            if len(self._by_name) > KEPT:
                self._by_name.popitem(last=False)
        return fate

    async def tell(self, name: str, seconds: float) -> bytes:
        """One of STOPPED, COMPUTING and UNKNOWN, after so long at most."""
        fate = self._by_name.get(name)
        if fate is None:
            return UNKNOWN
        loop = asyncio.get_running_loop()
        end = loop.time() + min(seconds, MOST_SECONDS)
        try:
            async with asyncio.timeout_at(end):
                await fate.over.wait()
        except TimeoutError:
            return UNKNOWN
        if fate.replica is None or not fate.is_cut:
            return STOPPED
        return await fate.replica.fate(fate.request_id, max(0.0, end - loop.time()))
