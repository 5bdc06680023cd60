"""The contract between the controller and whatever keeps replicas: desired state in, observed state out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from playground.compute.models import Deployment
from playground.protocol import headers

if TYPE_CHECKING:
    from pathlib import Path

    from playground.compute.builds.checkpoints import Checkpoint

State = Deployment.State


@dataclass(frozen=True)
class Spec:
    """What one deployment is to be. ``id`` is its primary key; a new ``generation`` begins it again."""

    id: int
    name: str
    generation: int
    version_id: str
    folder: Path
    requirements: str
    log: Path
    digest: str = ""
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class Endpoint:
    """Where a replica answers: a gRPC address and the metadata to send along.

    Our own runners have a secret, and a port for pipes (``protocol.pipes``) at the same host.
    """

    address: str
    secret: str = ""
    pipe_port: int = 0
    dialect: str = "playground"

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return ((headers.SECRET, self.secret),) if self.secret else ()


@dataclass(frozen=True)
class Observed:
    """What a deployment is right now. ``log_tail`` is filled when it failed."""

    generation: int
    state: str = State.PENDING
    reason: str = ""
    log_tail: str = ""
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether waiting any longer is pointless: it is ready, or it has failed."""
        return bool(self.endpoints) or self.state == State.FAILED


class Engine(Protocol):
    """Keeps replicas. ``apply`` is idempotent; every change of what ``observe`` says is told to the controller."""

    async def apply(self, spec: Spec) -> None: ...

    def observe(self, deployment_id: int) -> Observed | None: ...

    async def remove(self, deployment_id: int) -> None: ...

    def logs(self, deployment_id: int, lines: int) -> list[str]: ...

    async def close(self) -> None: ...
