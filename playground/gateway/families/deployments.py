"""Deployments and the nodepools they are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.models import User
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.compute.routing import ME
from playground.gateway.families.models import version_message
from playground.gateway.families.paging import page_of
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db import models


def get_deployment(caller: User, request: service_pb2.GetDeploymentRequest) -> service_pb2.SingleDeploymentResponse:
    owner = _user_id(caller, request.user_app_id)
    visible = _rows(caller)
    found = visible.filter(owner__username=owner, slug=request.deployment_id).first()
    if found is None:
        names = ", ".join(f"{row.slug} of {row.owner.username}" for row in visible[:20])
        there = f" The deployments you can use are {names}." if names else ""
        raise NotFoundError(
            f"No deployment {request.deployment_id} of {owner} for you. "
            f"It does not exist, or is not shared with you.{there}",
            code=StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        )
    return service_pb2.SingleDeploymentResponse(deployment=deployment_message(found))


def list_deployments(caller: User, request: service_pb2.ListDeploymentsRequest) -> service_pb2.MultiDeploymentResponse:
    rows = _rows(caller).filter(owner__username=_user_id(caller, request.user_app_id))
    if request.nodepool_id:
        rows = rows.filter(nodepool__slug=request.nodepool_id)
    if request.compute_cluster_id:
        rows = rows.filter(nodepool__cluster__slug=request.compute_cluster_id)
    found: list[Deployment] = list(rows)
    if request.model_version_ids:
        asked = set(request.model_version_ids)
        found = [row for row in found if (version := row.served_version) is not None and version.slug in asked]
    page = page_of(found, request.page, request.per_page)
    return service_pb2.MultiDeploymentResponse(deployments=[deployment_message(row) for row in page])


def get_nodepool(caller: User, request: service_pb2.GetNodepoolRequest) -> service_pb2.SingleNodepoolResponse:
    """The built-in nodepool goes by its name for everybody, all others by their owner too."""
    owner = _user_id(caller, request.user_app_id)
    visible = Nodepool.objects.visible_to(caller).select_related("cluster__owner").order_by("pk")
    in_cluster = visible.filter(cluster__slug=request.compute_cluster_id)
    own = in_cluster.filter(cluster__owner__username=owner)
    in_reach = own if own.exists() or owner != caller.username else in_cluster.filter(is_shared=True)
    found = in_reach.filter(slug=request.nodepool_id).first()
    if found is None:
        is_known = in_reach.exists()
        names = ", ".join(str(row) for row in (in_reach if is_known else visible)[:20])
        raise NotFoundError(
            f"No nodepool {request.compute_cluster_id}/{request.nodepool_id} for you. It does not exist, or is not "
            f"shared with you. The nodepools you can use are {names}.",
            code=StatusCode.NODEPOOL_DOES_NOT_EXIST if is_known else StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST,
        )
    return service_pb2.SingleNodepoolResponse(nodepool=nodepool_message(found))


def deployment_message(row: Deployment) -> resources_pb2.Deployment:
    version = row.served_version
    model = resources_pb2.Model(
        id=row.model.slug,
        name=row.model.slug,
        user_id=row.model.app.owner.username,
        app_id=row.model.app.slug,
        model_type_id=row.model.type_id,
    )
    if version is not None:
        model.model_version.CopyFrom(version_message(row.model, version, in_full=False))
    message = resources_pb2.Deployment(
        id=row.slug,
        user_id=row.owner.username,
        nodepools=[nodepool_message(row.nodepool)],
        worker=resources_pb2.Worker(model=model),
        visibility=resources_pb2.Visibility(gettable=row.visibility),
        autoscale_config=resources_pb2.AutoscaleConfig(min_replicas=row.min_replicas, max_replicas=row.max_replicas),
        deploy_latest_version=row.version is None,
        deployment_metrics=resources_pb2.DeploymentMetrics(
            desired_replicas=row.min_replicas if row.is_enabled else 0, live_replicas=row.ready_replicas
        ),
    )
    message.metadata.update({"state": row.state, "reason": row.reason, "is_shared": row.is_shared})
    message.created_at.FromDatetime(row.created_at)
    return message


def nodepool_message(row: Nodepool) -> resources_pb2.Nodepool:
    message = resources_pb2.Nodepool(
        id=row.slug, description=row.description, compute_cluster=_cluster_message(row.cluster)
    )
    message.created_at.FromDatetime(row.created_at)
    return message


def _cluster_message(row: Cluster) -> resources_pb2.ComputeCluster:
    return resources_pb2.ComputeCluster(
        id=row.slug,
        user_id=row.owner.username,
        description=row.description,
        region=row.region,
        cloud_provider=resources_pb2.CloudProvider(id=row.cloud_provider),
    )


def _rows(caller: User) -> models.QuerySet[Deployment]:
    rows = Deployment.objects.visible_to(caller).order_by("pk")
    return rows.select_related("owner", "version", "model__app__owner", "nodepool__cluster__owner")


def _user_id(caller: User, owner: resources_pb2.UserAppIDSet) -> str:
    return caller.username if owner.user_id in ME else str(owner.user_id)


HANDLERS: dict[str, Callable[..., object]] = {
    "GetDeployment": get_deployment,
    "ListDeployments": list_deployments,
    "GetNodepool": get_nodepool,
}
