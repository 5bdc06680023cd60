"""What the deployments of one list share, read in a few queries and made into messages once: models, places, owners."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf.struct_pb2 import Struct

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment, EnvironmentVariable, Nodepool, Placement
from playground.gateway.families.owners import write_time

if TYPE_CHECKING:
    from collections.abc import Sequence


class ModelNames(NamedTuple):
    """A model's address and type."""

    model_id: str
    type_id: str
    app_id: str
    user_id: str


class Variable(NamedTuple):
    """One of a deployment's environment; of a secret, the value is empty."""

    name: str
    value: str
    is_secret: bool


@dataclass
class Parts:
    """By primary keys."""

    owners: dict[int, str]
    models: dict[int, ModelNames]
    versions: dict[int, ModelVersion]
    nodepools: dict[int, resources_pb2.Nodepool]
    placements: dict[int, list[int]]
    variables: dict[int, list[Variable]]
    _structs: dict[str, Struct] = field(default_factory=dict)
    _workers: dict[tuple[int, int | None], resources_pb2.Worker] = field(default_factory=dict)

    def worker_of(self, row: Deployment) -> resources_pb2.Worker:
        """The version that it serves, as ``served_pk`` says."""
        key = row.model_id, getattr(row, "served_pk", None)
        if key not in self._workers:
            self._workers[key] = worker_message(self.models[row.model_id], self.versions.get(key[1] or 0))
        return self._workers[key]

    def struct_of(self, told: dict[str, Any]) -> Struct:
        """Most of a list tell the same, and a Struct takes long to write."""
        key = repr(told)
        if key not in self._structs:
            self._structs[key] = Struct()
            self._structs[key].update(told)
        return self._structs[key]

    def places_of(self, row: Deployment) -> list[resources_pb2.Nodepool]:
        """Where it is now comes first, then the others in order of preference."""
        others = [pk for pk in self.placements[row.pk] if pk != row.nodepool_id]
        return [self.nodepools[pk] for pk in (row.nodepool_id, *others)]


def read_parts(rows: Sequence[Deployment]) -> Parts:
    """Six queries, whatever their number."""
    pks = [row.pk for row in rows]
    placements: defaultdict[int, list[int]] = defaultdict(list)
    placed = Placement.objects.filter(deployment__in=pks).order_by("position")
    for pk, nodepool in placed.values_list("deployment_id", "nodepool_id"):
        placements[pk].append(nodepool)
    variables: defaultdict[int, list[Variable]] = defaultdict(list)
    kept = EnvironmentVariable.objects.filter(deployment__in=pks).order_by("name")
    for pk, name, value, is_secret in kept.values_list("deployment_id", "name", "value", "is_secret"):
        variables[pk].append(Variable(name, value, is_secret))
    nodepools = {row.nodepool_id for row in rows}.union(*placements.values())
    return Parts(
        owners=dict(User.objects.filter(pk__in={row.owner_id for row in rows}).values_list("pk", "username")),
        models=_models({row.model_id for row in rows}),
        versions=_versions({served for row in rows if (served := getattr(row, "served_pk", None)) is not None}),
        nodepools=_nodepools(nodepools),
        placements=placements,
        variables=variables,
    )


def worker_message(names: ModelNames, version: ModelVersion | None) -> resources_pb2.Worker:
    """Lean: what the model is, not what it can do."""
    where = {"user_id": names.user_id, "app_id": names.app_id}
    message = resources_pb2.Model(id=names.model_id, name=names.model_id, model_type_id=names.type_id, **where)
    if version is not None:
        message.model_version.CopyFrom(resources_pb2.ModelVersion(id=version.slug, **where))
        write_time(message.model_version.created_at, version.created_at)
    return resources_pb2.Worker(model=message)


def names_of(model: Model) -> ModelNames:
    return ModelNames(model.slug, model.type_id, model.app.slug, model.app.owner.username)


def _models(pks: set[int]) -> dict[int, ModelNames]:
    rows = Model.objects.filter(pk__in=pks).values_list("pk", "slug", "type_id", "app__slug", "app__owner__username")
    return {pk: ModelNames(*said) for pk, *said in rows}


def _versions(pks: set[int]) -> dict[int, ModelVersion]:
    return ModelVersion.objects.only("slug", "model_id", "created_at").in_bulk(pks)


def _nodepools(pks: set[int]) -> dict[int, resources_pb2.Nodepool]:
    rows = Nodepool.objects.filter(pk__in=pks).values_list("pk", "slug", "cluster__slug", "cluster__owner__username")
    return {pk: _place(slug, cluster_id, user_id) for pk, slug, cluster_id, user_id in rows}


def _place(nodepool_id: str, cluster_id: str, user_id: str) -> resources_pb2.Nodepool:
    cluster = resources_pb2.ComputeCluster(id=cluster_id, user_id=user_id)
    return resources_pb2.Nodepool(id=nodepool_id, compute_cluster=cluster)
