"""What should run, read from the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.catalog.models import ModelVersion, latest_version
from playground.compute.builds.checkpoints import read_checkpoint
from playground.compute.builds.installer import BuildError
from playground.compute.engines.base import Address, Observed, Spec
from playground.compute.machine import read_size, this_machine
from playground.compute.models import Deployment, EnvironmentVariable, Nodepool
from playground.compute.scaling import CALLS_PER_REPLICA, Scale
from playground.compute.services import environment_of, log_path
from playground.compute.setup import EXAMPLES
from playground.protocol.errors import PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Wanted:
    """``starts_warm``: it begins with a replica even where none is asked for.

    ``failure`` is what it failed of, as the rows have it: it is not tried again until someone changes it or retries.
    """

    spec: Spec
    is_enabled: bool
    starts_warm: bool
    failure: Observed | None = None


@dataclass(frozen=True)
class Broken:
    """A deployment that no engine can be told of, and why."""

    id: int
    generation: int
    reason: str


def read_desired() -> tuple[list[Wanted], list[Broken]]:
    """All deployments, in order of creation."""
    wanted: list[Wanted] = []
    broken: list[Broken] = []
    rows = list(_rows())
    versions = _versions(rows)
    with_environment = set(EnvironmentVariable.objects.values_list("deployment_id", flat=True))
    for row in rows:
        version = versions.get(row.version_id or row.latest_id)
        if version is None:
            broken.append(Broken(row.pk, row.generation, "The model has no version yet."))
            continue
        try:
            spec = spec_of(row, version, has_environment=row.pk in with_environment)
        except (BuildError, PlaygroundError) as error:
            broken.append(Broken(row.pk, row.generation, str(error)))
        else:
            wanted.append(Wanted(spec, row.is_enabled, _starts_warm(row, version), _failure(row, version)))
    return wanted, broken


def _rows() -> Any:
    rows = Deployment.objects.select_related("model", "nodepool").annotate(latest_id=latest_version("model"))
    return rows.order_by("pk")


def _versions(rows: Iterable[Any]) -> dict[int, ModelVersion]:
    return ModelVersion.objects.in_bulk({row.version_id or row.latest_id for row in rows} - {None})


def _is_built_in(row: Deployment, version: ModelVersion) -> bool:
    return row.is_shared and Path(version.folder).is_relative_to(EXAMPLES)


def _starts_warm(row: Deployment, version: ModelVersion) -> bool:
    """Built-in models are there from the start; others that were at zero stay there, if their methods are known."""
    is_zero = row.state == Deployment.State.ZERO
    return _is_built_in(row, version) or not is_zero or not version.signatures_proto


def _failure(row: Deployment, version: ModelVersion) -> Observed | None:
    """Of this version, on this machine. Built-in models are tried again: it was the machine that lacked something."""
    is_lasting = row.nodepool.engine == Nodepool.Engine.LOCAL and not _is_built_in(row, version)
    if row.state != Deployment.State.FAILED or not is_lasting or version.created_at > row.state_since:
        return None
    return Observed(row.generation, Deployment.State.FAILED, row.reason, row.log_tail)


def spec_of(row: Deployment, version: ModelVersion, *, has_environment: bool = True) -> Spec:
    """Raises BuildError, InputError, ConfigError for what cannot be told to an engine."""
    environment = environment_of(row) if has_environment else {}
    size = read_size(version.config.get("inference_compute_info"), "config.yaml: inference_compute_info")
    return Spec(
        id=row.pk,
        name=row.model.slug if row.is_shared else row.slug,
        generation=row.generation,
        version_id=version.slug,
        folder=Path(version.folder),
        requirements=version.requirements,
        log=log_path(row),
        digest=version.digest,
        checkpoint=read_checkpoint(version.config),
        engine=row.nodepool.engine,
        nodepool_id=row.nodepool_id,
        addresses=tuple(Address(**entry) for entry in row.nodepool.addresses),
        threads=max(1, math.ceil(min(size.cpus, this_machine().cpus))) if size.cpus else 0,
        memory_limit=size.memory,
        environment=tuple(sorted(environment.items())),
        scale=_scale_of(row, version),
    )


def _scale_of(row: Deployment, version: ModelVersion) -> Scale:
    """A model that says how many calls it takes at once is meant to have as many in flight."""
    at_once = version.config.get("num_threads")
    return Scale(
        min_replicas=row.min_replicas,
        max_replicas=row.max_replicas,
        history=row.traffic_history_seconds,
        up_delay=row.scale_up_delay_seconds,
        down_delay=row.scale_down_delay_seconds,
        zero_delay=row.scale_to_zero_delay_seconds,
        calls_per_replica=at_once if isinstance(at_once, int) and at_once > 0 else CALLS_PER_REPLICA,
    )
