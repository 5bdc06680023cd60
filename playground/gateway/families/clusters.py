"""Compute clusters: get, list, make, edit, delete.

Official clients send the caller's token along in ``key`` when they make one. It is not read: nothing here stores it,
logs it or sends it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db.models import Q

from playground.compute import services
from playground.compute.models import Cluster
from playground.gateway.families import owners
from playground.gateway.families.paging import page_of
from playground.gateway.families.users import find_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from playground.catalog.models import User

INVALID = StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST


def get_compute_cluster(
    caller: User, request: service_pb2.GetComputeClusterRequest
) -> service_pb2.SingleComputeClusterResponse:
    found = find_cluster(caller, request.user_app_id, request.compute_cluster_id)
    return service_pb2.SingleComputeClusterResponse(compute_cluster=cluster_message(found))


def list_compute_clusters(
    caller: User, request: service_pb2.ListComputeClustersRequest
) -> service_pb2.MultiComputeClusterResponse:
    rows = page_of(caller, clusters_of(caller, request.user_app_id), request)
    return service_pb2.MultiComputeClusterResponse(compute_clusters=[cluster_message(row) for row in rows])


def post_compute_clusters(
    caller: User, request: service_pb2.PostComputeClustersRequest
) -> service_pb2.MultiComputeClusterResponse:
    messages = request.compute_clusters
    owners.require_some(messages, "compute cluster", INVALID)
    owners.require_self(caller, request.user_app_id.user_id, *(message.user_id for message in messages))
    rows = [services.create_cluster(caller, message.id, **_facts(message)) for message in messages]
    return service_pb2.MultiComputeClusterResponse(compute_clusters=[cluster_message(row) for row in rows])


def patch_compute_clusters(
    caller: User, request: service_pb2.PatchComputeClustersRequest
) -> service_pb2.MultiComputeClusterResponse:
    owners.require_some(request.compute_clusters, "compute cluster", INVALID)
    owners.check_action(request.action, INVALID)
    rows = []
    for message in request.compute_clusters:
        row = find_cluster(caller, request.user_app_id, message.id)
        rows.append(services.edit_cluster(caller, row, **_facts(message)))
    return service_pb2.MultiComputeClusterResponse(compute_clusters=[cluster_message(row) for row in rows])


def delete_compute_clusters(caller: User, request: service_pb2.DeleteComputeClustersRequest) -> Any:
    owners.require_some(request.ids, "compute cluster", INVALID)
    services.delete_clusters(caller, list(request.ids), owner=find_user(caller, request.user_app_id.user_id))
    return status_pb2.BaseResponse()


def clusters_of(caller: User, owner: resources_pb2.UserAppIDSet) -> QuerySet[Cluster]:
    """Of oneself: also the built-in one, which is everybody's."""
    user_id = owners.user_id_of(caller, owner)
    whose = Q(owner__username=user_id)
    if user_id == caller.username:
        whose |= Q(pk__in=Cluster.objects.filter(nodepools__is_shared=True).values("pk"))
    return Cluster.objects.visible_to(caller).filter(whose).select_related("owner")


def find_cluster(caller: User, owner: resources_pb2.UserAppIDSet, cluster_id: str) -> Cluster:
    """One's own first, where the built-in one has the same name. Raises NotFoundError."""
    user_id = owners.user_id_of(caller, owner)
    return services.find_cluster(caller, cluster_id, owner="" if user_id == caller.username else user_id)


def cluster_message(row: Cluster) -> resources_pb2.ComputeCluster:
    message = resources_pb2.ComputeCluster(
        id=row.slug,
        user_id=row.owner.username,
        description=row.description,
        region=row.region,
        cloud_provider=resources_pb2.CloudProvider(id=row.cloud_provider),
        managed_by=row.managed_by,
        cluster_type=row.cluster_type,
        visibility=resources_pb2.Visibility(gettable=row.visibility),
    )
    owners.write_time(message.created_at, row.created_at)
    owners.write_time(message.modified_at, row.modified_at)
    return message


def _facts(message: resources_pb2.ComputeCluster) -> dict[str, Any]:
    return owners.given(
        {
            "description": message.description,
            "cloud_provider": message.cloud_provider.id,
            "region": message.region,
            "managed_by": message.managed_by,
            "cluster_type": message.cluster_type,
            "visibility": message.visibility.gettable or None,
        }
    )


HANDLERS: dict[str, Callable[..., object]] = {
    "GetComputeCluster": get_compute_cluster,
    "ListComputeClusters": list_compute_clusters,
    "PostComputeClusters": post_compute_clusters,
    "PatchComputeClusters": patch_compute_clusters,
    "DeleteComputeClusters": delete_compute_clusters,
}
