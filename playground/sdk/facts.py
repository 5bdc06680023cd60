"""What programs can say of clusters, nodepools and deployments when they make or edit one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from playground.sdk.resources import InstanceType, Visibility


class ClusterFacts(TypedDict, total=False):
    """What can be said of a cluster."""

    description: str
    cloud_provider: str
    region: str
    managed_by: str
    cluster_type: str
    visibility: Visibility


class NodepoolFacts(TypedDict, total=False):
    """What can be said of a nodepool; ``capacity_types`` are 1, on demand, and 2, spot."""

    description: str
    engine: Literal["local", "remote"]
    addresses: Sequence[str]
    instance_types: Sequence[InstanceType]
    capacity_types: Sequence[int]
    min_instances: int
    max_instances: int
    visibility: Visibility


class DeploymentFacts(TypedDict, total=False):
    """What can be said of a deployment. ``secrets`` are never told again."""

    description: str
    min_replicas: int
    max_replicas: int
    traffic_history_seconds: int
    scale_up_delay_seconds: int
    scale_down_delay_seconds: int
    scale_to_zero_delay_seconds: int
    disable_packing: bool
    queue_limit: int
    scheduling_choice: int
    visibility: Visibility
    environment: Mapping[str, str | None]
    secrets: Mapping[str, str | None]
    is_enabled: bool
