"""Nodepools: get, list, make, edit, delete.

The wire has no words for our engines: they travel in ``metadata`` as ``engine`` and, of remote ones, ``addresses``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from google.protobuf import json_format

from playground.compute import services
from playground.compute.models import Nodepool
from playground.gateway.families import owners
from playground.gateway.families.clusters import cluster_message, clusters_of, find_cluster
from playground.gateway.families.paging import page_of
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from playground.catalog.models import User

INVALID = StatusCode.NODEPOOL_INVALID_REQUEST


def get_nodepool(caller: User, request: service_pb2.GetNodepoolRequest) -> service_pb2.SingleNodepoolResponse:
    found = find_nodepool(caller, request.user_app_id, request.compute_cluster_id, request.nodepool_id)
    return service_pb2.SingleNodepoolResponse(nodepool=nodepool_message(found))


def list_nodepools(caller: User, request: service_pb2.ListNodepoolsRequest) -> service_pb2.MultiNodepoolResponse:
    rows = nodepools_of(caller, request.user_app_id)
    if request.compute_cluster_id:
        cluster = find_cluster(caller, request.user_app_id, request.compute_cluster_id)
        rows = rows.filter(cluster=cluster)
    found = page_of(caller, rows, request)
    return service_pb2.MultiNodepoolResponse(nodepools=[nodepool_message(row) for row in found])


def post_nodepools(caller: User, request: service_pb2.PostNodepoolsRequest) -> service_pb2.MultiNodepoolResponse:
    owners.require_some(request.nodepools, "nodepool", INVALID)
    rows = []
    for message in request.nodepools:
        cluster_id = request.compute_cluster_id or message.compute_cluster.id
        cluster = find_cluster(caller, request.user_app_id, cluster_id)
        rows.append(services.create_nodepool(caller, cluster, message.id, **_facts(message)))
    return service_pb2.MultiNodepoolResponse(nodepools=[nodepool_message(row) for row in rows])


def patch_nodepools(caller: User, request: service_pb2.PatchNodepoolsRequest) -> service_pb2.MultiNodepoolResponse:
    owners.require_some(request.nodepools, "nodepool", INVALID)
    owners.check_action(request.action, INVALID)
    rows = []
    for message in request.nodepools:
        cluster_id = request.compute_cluster_id or message.compute_cluster.id
        row = find_nodepool(caller, request.user_app_id, cluster_id, message.id)
        rows.append(services.edit_nodepool(caller, row, **_facts(message)))
    return service_pb2.MultiNodepoolResponse(nodepools=[nodepool_message(row) for row in rows])


def delete_nodepools(caller: User, request: service_pb2.DeleteNodepoolsRequest) -> Any:
    owners.require_some(request.ids, "nodepool", INVALID)
    cluster = find_cluster(caller, request.user_app_id, request.compute_cluster_id)
    services.delete_nodepools(caller, cluster, list(request.ids))
    return status_pb2.BaseResponse()


def nodepools_of(caller: User, owner: resources_pb2.UserAppIDSet) -> QuerySet[Nodepool]:
    """Of oneself: also the built-in one, which is everybody's."""
    user_id = owners.user_id_of(caller, owner)
    rows = Nodepool.objects.visible_to(caller).select_related("cluster__owner")
    own = rows.filter(cluster__owner__username=user_id)
    return own | rows.filter(is_shared=True) if user_id == caller.username else own


def find_nodepool(caller: User, owner: resources_pb2.UserAppIDSet, cluster_id: str, nodepool_id: str) -> Nodepool:
    """The built-in nodepool goes by its name for everybody, all others by their owner too. Raises NotFoundError."""
    try:
        return services.find_nodepool(caller, cluster_id, nodepool_id, owner=owners.user_id_of(caller, owner))
    except NotFoundError as error:
        if clusters_of(caller, owner).filter(slug=cluster_id).exists():
            error.code = int(StatusCode.NODEPOOL_DOES_NOT_EXIST)
        raise


def nodepool_message(row: Nodepool) -> resources_pb2.Nodepool:
    """Addresses of remote ones are for those who change them alone: administrators, in the terminal."""
    message = resources_pb2.Nodepool(
        id=row.slug,
        description=row.description,
        compute_cluster=cluster_message(row.cluster),
        node_capacity_type=resources_pb2.NodeCapacityType(capacity_types=row.capacity_types),
        min_instances=row.min_instances,
        max_instances=row.max_instances,
        visibility=resources_pb2.Visibility(gettable=row.visibility),
    )
    for kind in row.instance_types:
        json_format.ParseDict(kind, message.instance_types.add(), ignore_unknown_fields=True)
    message.metadata.update({"engine": row.engine, "is_shared": row.is_shared})
    owners.write_time(message.created_at, row.created_at)
    owners.write_time(message.modified_at, row.modified_at)
    return message


def place_message(row: Nodepool) -> resources_pb2.Nodepool:
    """Where something is: what a selector needs to name the nodepool."""
    cluster = resources_pb2.ComputeCluster(id=row.cluster.slug, user_id=row.cluster.owner.username)
    return resources_pb2.Nodepool(id=row.slug, compute_cluster=cluster)


def _facts(message: resources_pb2.Nodepool) -> dict[str, Any]:
    metadata = owners.plain(message.metadata)
    facts = owners.given(
        {
            "description": message.description,
            "capacity_types": list(message.node_capacity_type.capacity_types),
            "instance_types": [_instance_type(kind) for kind in message.instance_types],
            "min_instances": message.min_instances or None,
            "max_instances": message.max_instances or None,
            "visibility": message.visibility.gettable or None,
        }
    )
    return facts | {name: metadata[name] for name in ("engine", "addresses") if name in metadata}


def _instance_type(message: resources_pb2.InstanceType) -> dict[str, Any]:
    kept: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return kept


HANDLERS: dict[str, Callable[..., object]] = {
    "GetNodepool": get_nodepool,
    "ListNodepools": list_nodepools,
    "PostNodepools": post_nodepools,
    "PatchNodepools": patch_nodepools,
    "DeleteNodepools": delete_nodepools,
}
