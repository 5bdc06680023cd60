"""Deployments as programs see them: get and list. What changes them is in ``deployment_edits.py``.

The wire has no words for some of what we tell: it travels in ``metadata`` (``state``, ``reason``, ``is_shared``; for
whoever may change it also ``queue_limit``, ``environment`` and the names of its ``secrets``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from playground.catalog.access import owns
from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment, Nodepool
from playground.gateway.families import owners
from playground.gateway.families.nodepools import place_message
from playground.gateway.families.paging import page_of
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet

LATEST = ModelVersion.objects.filter(model=OuterRef("model")).order_by("-created_at", "-pk").values("pk")[:1]


def get_deployment(caller: User, request: service_pb2.GetDeploymentRequest) -> service_pb2.SingleDeploymentResponse:
    found = find_deployment(caller, request.user_app_id, request.deployment_id)
    return service_pb2.SingleDeploymentResponse(deployment=deployment_message(caller, found))


def list_deployments(caller: User, request: service_pb2.ListDeploymentsRequest) -> service_pb2.MultiDeploymentResponse:
    rows = _rows(caller).filter(owner__username=owners.user_id_of(caller, request.user_app_id))
    if request.nodepool_id:
        rows = rows.filter(nodepool__slug=request.nodepool_id)
    if request.compute_cluster_id:
        rows = rows.filter(nodepool__cluster__slug=request.compute_cluster_id)
    if request.workflow_version_ids:
        rows = rows.none()
    if request.model_version_ids:
        asked = ModelVersion.objects.filter(slug__in=list(request.model_version_ids)).values("pk")
        rows = rows.filter(served_pk__in=asked)
    found = page_of(caller, rows, request)
    return service_pb2.MultiDeploymentResponse(deployments=deployment_messages(caller, found))


def find_deployment(caller: User, owner: resources_pb2.UserAppIDSet, deployment_id: str) -> Deployment:
    """Raises NotFoundError in the same words for what is hidden and what is not there."""
    user_id = owners.user_id_of(caller, owner)
    visible = _rows(caller)
    found: Deployment | None = visible.filter(owner__username=user_id, slug=deployment_id).first()
    if found is None:
        some = visible.order_by("pk")[: owners.SHOWN]
        names = owners.named(f"{row.slug} of {row.owner.username}" for row in some)
        there = f" The deployments you can use are {names}." if names else ""
        raise NotFoundError(
            f"No deployment {deployment_id} of {user_id} for you. It does not exist, or is not shared with you.{there}",
            code=StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        )
    return found


def deployment_message(caller: User, row: Deployment) -> resources_pb2.Deployment:
    return deployment_messages(caller, [_rows(caller).get(pk=row.pk)])[0]


def deployment_messages(caller: User, rows: list[Deployment]) -> list[resources_pb2.Deployment]:
    """Of rows as ``find_deployment`` and the list read them: all versions in one query, each place made once."""
    parts = _Parts(ModelVersion.objects.only("slug", "model_id", "created_at").in_bulk(_served(rows)))
    return [_message(caller, row, parts) for row in rows]


@dataclass
class _Parts:
    """What many deployments of one list share."""

    versions: dict[int, ModelVersion]
    workers: dict[tuple[int, int | None], resources_pb2.Worker] = field(default_factory=dict)
    places: dict[int, resources_pb2.Nodepool] = field(default_factory=dict)

    def worker(self, model: Model, version_pk: int | None) -> resources_pb2.Worker:
        key = model.pk, version_pk
        if key not in self.workers:
            version = self.versions.get(version_pk) if version_pk is not None else None
            self.workers[key] = worker_message(model, version)
        return self.workers[key]

    def place(self, row: Nodepool) -> resources_pb2.Nodepool:
        if row.pk not in self.places:
            self.places[row.pk] = place_message(row)
        return self.places[row.pk]


def worker_message(model: Model, version: ModelVersion | None) -> resources_pb2.Worker:
    """Lean: what the model is, not what it can do."""
    user_id, app_id = model.app.owner.username, model.app.slug
    message = resources_pb2.Model(
        id=model.slug, name=model.slug, user_id=user_id, app_id=app_id, model_type_id=model.type_id
    )
    if version is not None:
        message.model_version.CopyFrom(resources_pb2.ModelVersion(id=version.slug, user_id=user_id, app_id=app_id))
        message.model_version.created_at.FromDatetime(version.created_at)
    return resources_pb2.Worker(model=message)


def _message(caller: User, row: Deployment, parts: _Parts) -> resources_pb2.Deployment:
    live = row.ready_replicas
    message = resources_pb2.Deployment(
        id=row.slug,
        user_id=row.owner.username,
        description=row.description,
        nodepools=_places(row, parts),
        worker=parts.worker(row.model, getattr(row, "served_pk", None)),
        scheduling_choice=row.scheduling_choice,
        visibility=resources_pb2.Visibility(gettable=row.visibility),
        autoscale_config=_autoscale(row),
        deploy_latest_version=row.version_id is None,
        deployment_metrics=resources_pb2.DeploymentMetrics(
            desired_replicas=max(row.min_replicas, live) if row.is_enabled else 0,
            live_replicas=live,
            rollout_in_progress=row.state in (Deployment.State.BUILDING, Deployment.State.STARTING),
        ),
        status=resources_pb2.Deployment.ENABLED if row.is_enabled else resources_pb2.Deployment.DISABLED,
    )
    message.metadata.update(_metadata(row, is_owner=owns(caller, row)))
    message.created_at.FromDatetime(row.created_at)
    message.modified_at.FromDatetime(row.modified_at)
    return message


def _autoscale(row: Deployment) -> resources_pb2.AutoscaleConfig:
    return resources_pb2.AutoscaleConfig(
        min_replicas=row.min_replicas,
        max_replicas=row.max_replicas,
        traffic_history_seconds=row.traffic_history_seconds,
        scale_down_delay_seconds=row.scale_down_delay_seconds,
        scale_up_delay_seconds=row.scale_up_delay_seconds,
        scale_to_zero_delay_seconds=row.scale_to_zero_delay_seconds,
        disable_packing=row.disable_packing,
    )


def _places(row: Deployment, parts: _Parts) -> list[resources_pb2.Nodepool]:
    """Where it is now comes first, then the others in order of preference."""
    others = [placement.nodepool for placement in row.placements.all() if placement.nodepool_id != row.nodepool_id]
    return [parts.place(pool) for pool in (row.nodepool, *others)]


def _metadata(row: Deployment, *, is_owner: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"state": row.state, "reason": row.reason, "is_shared": row.is_shared}
    if is_owner:
        variables = list(row.environment.all())
        told["queue_limit"] = row.queue_limit
        told["environment"] = {one.name: one.value for one in variables if not one.is_secret}
        told["secrets"] = [one.name for one in variables if one.is_secret]
    return told


def _served(rows: Iterable[Deployment]) -> set[int]:
    return {pk for row in rows if (pk := getattr(row, "served_pk", None)) is not None}


def _rows(caller: User) -> QuerySet[Any]:
    rows = Deployment.objects.visible_to(caller).annotate(served_pk=Coalesce(F("version"), Subquery(LATEST)))
    related = "owner", "model__app__owner", "nodepool__cluster__owner"
    return rows.select_related(*related).prefetch_related("placements__nodepool__cluster__owner", "environment")


HANDLERS: dict[str, Callable[..., object]] = {"GetDeployment": get_deployment, "ListDeployments": list_deployments}
