"""Deployments as programs see them: get and list. What changes them is in ``deployment_edits.py``.

The wire has no words for some of what we tell: it travels in ``metadata`` (``state``, ``reason``, ``is_shared``; for
whoever may change it also ``queue_limit``, ``environment`` and the names of its ``secrets``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db.models import F
from django.db.models.functions import Coalesce

from playground.catalog.access import owns
from playground.catalog.models import ModelVersion, User, latest_version
from playground.compute.models import Deployment
from playground.gateway.families import owners
from playground.gateway.families.paging import page_of
from playground.gateway.families.parts import Parts, Variable, read_parts
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet


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
        some = visible.select_related("owner").order_by("pk")[: owners.SHOWN]
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
    """Of rows as ``find_deployment`` and the list read them; what many of them share is read and made once."""
    parts = read_parts(rows)
    return [_message(caller, row, parts) for row in rows]


def _message(caller: User, row: Deployment, parts: Parts) -> resources_pb2.Deployment:
    live = row.ready_replicas
    message = resources_pb2.Deployment(
        id=row.slug,
        user_id=parts.owners[row.owner_id],
        description=row.description,
        nodepools=parts.places_of(row),
        worker=parts.worker_of(row),
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
    told = _metadata(row, parts.variables[row.pk] if owns(caller, row) else None)
    message.metadata.CopyFrom(parts.struct_of(told))
    owners.write_time(message.created_at, row.created_at)
    owners.write_time(message.modified_at, row.modified_at)
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


def _metadata(row: Deployment, variables: list[Variable] | None) -> dict[str, Any]:
    told: dict[str, Any] = {"state": row.state, "reason": row.reason, "is_shared": row.is_shared}
    if variables is not None:
        told["queue_limit"] = row.queue_limit
        told["environment"] = {name: value for name, value, is_secret in variables if not is_secret}
        told["secrets"] = [name for name, _, is_secret in variables if is_secret]
    return told


def _rows(caller: User) -> QuerySet[Any]:
    rows = Deployment.objects.visible_to(caller).annotate(served_pk=Coalesce(F("version"), latest_version("model")))
    return rows.defer("log_tail")


HANDLERS: dict[str, Callable[..., object]] = {"GetDeployment": get_deployment, "ListDeployments": list_deployments}
