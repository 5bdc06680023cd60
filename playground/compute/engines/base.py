"""The contract between the controller and whatever keeps replicas: desired state in, observed state out.

The controller decides how many replicas there should be; an engine makes it so, and tells each change of what it sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from playground.compute.models import Deployment, Nodepool
from playground.compute.scaling import Scale
from playground.protocol import headers

if TYPE_CHECKING:
    from pathlib import Path

    from playground.compute.builds.checkpoints import Checkpoint

State = Deployment.State
Stage = Deployment.Stage


@dataclass(frozen=True)
class Address:
    """Where someone else's replica answers, of a nodepool with the engine ``remote``.

    ``root_certificate`` (PEM) is who vouches for it, where the system's own authorities do not.
    """

    address: str
    tls: bool = False
    root_certificate: str = field(default="", repr=False)


@dataclass(frozen=True)
class Spec:
    """What one deployment is to be. ``id`` is its primary key.

    Replicas of a spec that differs in more than its ``scale`` are exchanged; a new ``generation`` forgets failures too.
    """

    id: int
    name: str
    generation: int
    version_id: str
    folder: Path
    requirements: str
    log: Path
    digest: str = ""
    checkpoint: Checkpoint | None = None
    engine: str = Nodepool.Engine.LOCAL
    nodepool_id: int = 0
    addresses: tuple[Address, ...] = ()
    threads: int = 0
    memory_limit: int = 0
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    scale: Scale = field(default_factory=Scale)

    def runs_as(self, other: Spec) -> bool:
        """Whether replicas of the other one serve for this one too."""
        return replace(self, scale=other.scale) == other


@dataclass(frozen=True)
class Endpoint:
    """Where a replica answers: a gRPC address and the metadata to send along.

    Our own runners have a secret, and a port for pipes (``protocol.pipes``) at the same host. Calls to those of
    ``dialect`` *official* are mended on the way by their ``signatures``, as ``_GET_SIGNATURES`` told them.
    """

    address: str
    secret: str = field(default="", repr=False)
    pipe_port: int = 0
    dialect: str = "playground"
    tls: bool = False
    root_certificate: str = field(default="", repr=False)
    signatures: str = field(default="", repr=False)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return ((headers.SECRET, self.secret),) if self.secret else ()


@dataclass(frozen=True)
class ReplicaState:
    """One replica: starting, ready or draining. It takes new calls only while it is ready."""

    runner_id: str
    state: State
    reason: str = ""
    endpoint: Endpoint | None = None
    version_id: str = ""
    memory_bytes: int = field(default=0, compare=False)
    nodepool_id: int = 0

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY and self.endpoint is not None


@dataclass(frozen=True)
class Observed:
    """What a deployment is right now. ``log_tail`` is filled when it failed.

    It can have failed and still have endpoints: those of what ran before a change that cannot be made.
    """

    generation: int
    state: State = State.PENDING
    reason: str = ""
    log_tail: str = ""
    replicas: tuple[ReplicaState, ...] = ()

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where new calls may go."""
        return tuple(one.endpoint for one in self.replicas if one.is_ready and one.endpoint is not None)

    @property
    def is_settled(self) -> bool:
        """Whether waiting any longer is pointless: it is ready, or it has failed."""
        return bool(self.endpoints) or self.state == State.FAILED


OnChange: TypeAlias = Callable[[Spec, Observed], None]
CallsAt: TypeAlias = Callable[[Endpoint], int]


class Engine(Protocol):
    """Keeps replicas; made with ``(on_change, calls_at)``, and belongs to one loop.

    ``apply`` and ``remove`` begin what they say and return at once; both may be called again at any time. Each change
    of what ``observe`` says is told to ``on_change``, and so is what holds after each ``apply`` of another spec.
    A replica that is to go leaves ``endpoints`` first, and ends when ``calls_at`` says 0 or a limit has passed.
    """

    def apply(self, spec: Spec, replicas: int) -> None:
        """Have this many replicas that run as ``spec``; what ran before goes once they are ready."""

    def observe(self, deployment_id: int) -> Observed | None:
        """None where nothing is known, also once all of a removed deployment has gone."""

    def remove(self, deployment_id: int) -> None:
        """Drain, then stop."""

    def logs(self, deployment_id: int, lines: int) -> list[str]:
        """The last lines, oldest first."""

    async def close(self) -> None:
        """End everything now, without draining."""
