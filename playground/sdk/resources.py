"""What there is, as programs read it: apps, models, clusters, nodepools, deployments, runners.

Each is a frozen value, read once: ask again for news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf import json_format

from playground.protocol.errors import InputError
from playground.sdk.calls import ModelAddress

Visibility = Literal["private", "public"]
_VISIBILITIES: dict[Visibility, int] = {"private": 10, "public": 50}
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class App:
    """A user's shelf of models."""

    id: str
    user_id: str
    description: str
    visibility: Visibility
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as the catalog has it; ``version_id`` is its latest. To call it: ``client.model(info.reference)``."""

    id: str
    user_id: str
    app_id: str
    type_id: str
    description: str
    visibility: Visibility
    version_id: str
    created_at: datetime

    @property
    def reference(self) -> str:
        return f"{self.user_id}/{self.app_id}/models/{self.id}"


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a model, and the names of its methods in order of declaration."""

    id: str
    methods: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Cluster:
    """A named place with nodepools. All but its id are words for people."""

    id: str
    user_id: str
    description: str
    cloud_provider: str
    region: str
    managed_by: str
    cluster_type: str
    visibility: Visibility
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What one replica may take, in the words of ``inference_compute_info``; nothing said is no limit.

    ``price`` is in US dollars for an hour of it, like ``"0.42"``; "" where nobody says.
    """

    id: str
    cpu_limit: str = ""
    cpu_memory: str = ""
    num_accelerators: int = 0
    accelerator_memory: str = ""
    accelerator_type: tuple[str, ...] = ()
    price: str = ""


@dataclass(frozen=True, slots=True)
class Nodepool:
    """Machines of one kind in a cluster. ``engine`` says who keeps replicas on them: ``local`` or ``remote``."""

    id: str
    cluster_id: str
    user_id: str
    description: str
    engine: str
    instance_types: tuple[InstanceType, ...]
    capacity_types: tuple[int, ...]
    min_instances: int
    max_instances: int
    visibility: Visibility
    created_at: datetime

    @property
    def reference(self) -> str:
        """``CLUSTER/NODEPOOL``, as deployments name it."""
        return f"{self.cluster_id}/{self.id}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model version placed on a nodepool; ``nodepools`` begin with the one it is on.

    ``environment``, ``secrets`` (names alone) and ``queue_limit`` are told to whoever may change it.
    """

    id: str
    user_id: str
    model: ModelAddress
    follows_latest: bool
    nodepools: tuple[str, ...]
    description: str
    state: str
    reason: str
    is_enabled: bool
    is_shared: bool
    min_replicas: int
    max_replicas: int
    ready_replicas: int
    traffic_history_seconds: int
    scale_up_delay_seconds: int
    scale_down_delay_seconds: int
    scale_to_zero_delay_seconds: int
    disable_packing: bool
    scheduling_choice: int
    visibility: Visibility
    created_at: datetime
    queue_limit: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runner:
    """A replica of a deployment as it is now."""

    id: str
    deployment_id: str
    user_id: str
    model: ModelAddress
    nodepool: str
    state: str
    reason: str
    memory_bytes: int
    created_at: datetime


def write_visibility(visibility: Visibility | None) -> resources_pb2.Visibility | None:
    """Raises InputError for anything but private and public."""
    if visibility is None:
        return None
    if visibility not in _VISIBILITIES:
        raise InputError(f"visibility is private or public, not {visibility!r}.", argument="visibility")
    return resources_pb2.Visibility(gettable=_VISIBILITIES[visibility])


def write_instance_type(kind: InstanceType) -> resources_pb2.InstanceType:
    return resources_pb2.InstanceType(
        id=kind.id,
        price=kind.price,
        compute_info=resources_pb2.ComputeInfo(
            cpu_limit=kind.cpu_limit,
            cpu_memory=kind.cpu_memory,
            num_accelerators=kind.num_accelerators,
            accelerator_memory=kind.accelerator_memory,
            accelerator_type=kind.accelerator_type,
        ),
    )


def read_app(message: resources_pb2.App) -> App:
    return App(message.id, message.user_id, message.description, read_visibility(message), _created(message))


def read_model(message: resources_pb2.Model) -> ModelInfo:
    return ModelInfo(
        id=message.id,
        user_id=message.user_id,
        app_id=message.app_id,
        type_id=message.model_type_id,
        description=message.description,
        visibility=read_visibility(message),
        version_id=message.model_version.id,
        created_at=_created(message),
    )


def read_version(message: resources_pb2.ModelVersion) -> VersionInfo:
    return VersionInfo(message.id, tuple(one.name for one in message.method_signatures), _created(message))


def read_cluster(message: resources_pb2.ComputeCluster) -> Cluster:
    return Cluster(
        id=message.id,
        user_id=message.user_id,
        description=message.description,
        cloud_provider=message.cloud_provider.id,
        region=message.region,
        managed_by=message.managed_by,
        cluster_type=message.cluster_type,
        visibility=read_visibility(message),
        created_at=_created(message),
    )


def read_nodepool(message: resources_pb2.Nodepool) -> Nodepool:
    return Nodepool(
        id=message.id,
        cluster_id=message.compute_cluster.id,
        user_id=message.compute_cluster.user_id,
        description=message.description,
        engine=str(_told(message).get("engine", "")),
        instance_types=tuple(_instance_type(kind) for kind in message.instance_types),
        capacity_types=tuple(message.node_capacity_type.capacity_types),
        min_instances=message.min_instances,
        max_instances=message.max_instances,
        visibility=read_visibility(message),
        created_at=_created(message),
    )


def read_deployment(message: resources_pb2.Deployment) -> Deployment:
    told, scale = _told(message), message.autoscale_config
    return Deployment(
        id=message.id,
        user_id=message.user_id,
        model=_address(message.worker.model),
        follows_latest=message.deploy_latest_version,
        nodepools=tuple(f"{pool.compute_cluster.id}/{pool.id}" for pool in message.nodepools),
        description=message.description,
        state=str(told.get("state", "")),
        reason=str(told.get("reason", "")),
        is_enabled=message.status == resources_pb2.Deployment.ENABLED,
        is_shared=bool(told.get("is_shared")),
        min_replicas=scale.min_replicas,
        max_replicas=scale.max_replicas,
        ready_replicas=message.deployment_metrics.live_replicas,
        traffic_history_seconds=scale.traffic_history_seconds,
        scale_up_delay_seconds=scale.scale_up_delay_seconds,
        scale_down_delay_seconds=scale.scale_down_delay_seconds,
        scale_to_zero_delay_seconds=scale.scale_to_zero_delay_seconds,
        disable_packing=scale.disable_packing,
        scheduling_choice=message.scheduling_choice,
        visibility=read_visibility(message),
        created_at=_created(message),
        queue_limit=int(told["queue_limit"]) if "queue_limit" in told else None,
        environment=MappingProxyType(dict(told.get("environment", {}))),
        secrets=tuple(told.get("secrets", ())),
    )


def read_runner(message: resources_pb2.Runner) -> Runner:
    told, pool = _told(message), message.nodepool
    return Runner(
        id=message.id,
        deployment_id=str(told.get("deployment_id", "")),
        user_id=str(told.get("user_id", "")),
        model=_address(message.worker.model),
        nodepool=f"{pool.compute_cluster.id}/{pool.id}",
        state=str(told.get("state", "")),
        reason=str(told.get("reason", "")),
        memory_bytes=int(told.get("memory_bytes", 0)),
        created_at=_created(message),
    )


def split_nodepool(reference: str) -> tuple[str, str, str]:
    """User, cluster and nodepool of ``CLUSTER/NODEPOOL`` or ``USER/CLUSTER/NODEPOOL``. Raises InputError."""
    parts = reference.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise InputError(f"{reference!r} names no nodepool: give it like local/shared.", argument="nodepools")
    return (parts[0] if len(parts) == 3 else "", parts[-2], parts[-1])


def _address(model: resources_pb2.Model) -> ModelAddress:
    return ModelAddress(model.id, user_id=model.user_id, app_id=model.app_id, version_id=model.model_version.id)


def _instance_type(message: resources_pb2.InstanceType) -> InstanceType:
    info = message.compute_info
    return InstanceType(
        id=message.id,
        cpu_limit=info.cpu_limit,
        cpu_memory=info.cpu_memory,
        num_accelerators=info.num_accelerators,
        accelerator_memory=info.accelerator_memory,
        accelerator_type=tuple(info.accelerator_type),
        price=message.price,
    )


def read_visibility(message: Any) -> Visibility:
    return "public" if message.visibility.gettable == _VISIBILITIES["public"] else "private"


def _created(message: Any) -> datetime:
    made: datetime = message.created_at.ToDatetime(tzinfo=UTC)
    return made


def _told(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(message.metadata)
    return found


def texts(values: Iterable[str], what: str) -> list[str]:
    """One text is no list of them: a mistake that would go through letter by letter."""
    if isinstance(values, str):
        raise InputError(f"{what} is a list of texts; this is one: {values!r}.", argument=what)
    return list(values)
