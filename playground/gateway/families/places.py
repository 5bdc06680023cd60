"""Where one could deploy: the providers, regions and instance types of the clusters and nodepools one may use.

They are labels that people gave; what the machine itself has stands among them as the type ``this-machine``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from google.protobuf import json_format

from playground.compute.machine import this_machine
from playground.compute.models import Cluster, Nodepool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playground.catalog.models import User

THIS_MACHINE = "this-machine"


def list_cloud_providers(
    caller: User, request: service_pb2.ListCloudProvidersRequest
) -> service_pb2.MultiCloudProviderResponse:
    labels = sorted(set(Cluster.objects.visible_to(caller).values_list("cloud_provider", flat=True)) - {""})
    found = [resources_pb2.CloudProvider(id=label, name=label) for label in labels]
    return service_pb2.MultiCloudProviderResponse(cloud_providers=found)


def list_cloud_regions(
    caller: User, request: service_pb2.ListCloudRegionsRequest
) -> service_pb2.MultiCloudRegionResponse:
    rows = Cluster.objects.visible_to(caller)
    if request.cloud_provider.id:
        rows = rows.filter(cloud_provider=request.cloud_provider.id)
    labels = sorted(set(rows.values_list("region", flat=True)) - {""})
    return service_pb2.MultiCloudRegionResponse(cloud_regions=[resources_pb2.CloudRegion(id=one) for one in labels])


def list_instance_types(
    caller: User, request: service_pb2.ListInstanceTypesRequest
) -> service_pb2.MultiInstanceTypeResponse:
    rows = Nodepool.objects.visible_to(caller).select_related("cluster").order_by("pk")
    if request.cloud_provider.id:
        rows = rows.filter(cluster__cloud_provider=request.cloud_provider.id)
    if request.region:
        rows = rows.filter(cluster__region=request.region)
    kinds = {kind.id: kind for row in rows for kind in _types_of(row)}
    return service_pb2.MultiInstanceTypeResponse(instance_types=kinds.values())


def _types_of(row: Nodepool) -> Iterator[resources_pb2.InstanceType]:
    for given in row.instance_types or [_machine()]:
        kind = json_format.ParseDict(given, resources_pb2.InstanceType(), ignore_unknown_fields=True)
        kind.region = row.cluster.region
        kind.cloud_provider.id = row.cluster.cloud_provider
        yield kind


def _machine() -> dict[str, object]:
    size = this_machine()
    info = {"cpu_limit": f"{size.cpus:g}", "cpu_memory": f"{size.memory // 2**20}Mi"}
    return {"id": THIS_MACHINE, "description": "What this machine has", "compute_info": info}


HANDLERS: dict[str, Callable[..., object]] = {
    "ListCloudProviders": list_cloud_providers,
    "ListCloudRegions": list_cloud_regions,
    "ListInstanceTypes": list_instance_types,
}
