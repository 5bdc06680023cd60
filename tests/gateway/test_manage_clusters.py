"""Clusters and nodepools over the wire: made, read, edited, deleted; as their owner, and as others."""

from __future__ import annotations

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import asking
from tests.gateway.asking import cluster, fine, new_id, nodepool, refused, whose
from tests.gateway.live import Live


def get_cluster(gateway: Live, slug: str, *, user: str = "owner", owner: str = "me") -> object:
    request = service_pb2.GetComputeClusterRequest(user_app_id=whose(owner), compute_cluster_id=slug)
    return gateway.call("GetComputeCluster", request, user=user)


def delete_clusters(gateway: Live, *ids: str, user: str = "owner", owner: str = "me") -> object:
    request = service_pb2.DeleteComputeClustersRequest(user_app_id=whose(owner), ids=ids)
    return gateway.call("DeleteComputeClusters", request, user=user)


def get_nodepool(gateway: Live, cluster_id: str, slug: str, *, user: str = "owner") -> object:
    request = service_pb2.GetNodepoolRequest(user_app_id=whose(), compute_cluster_id=cluster_id, nodepool_id=slug)
    return gateway.call("GetNodepool", request, user=user)


def delete_nodepools(gateway: Live, cluster_id: str, *ids: str, user: str = "owner") -> object:
    request = service_pb2.DeleteNodepoolsRequest(user_app_id=whose(), compute_cluster_id=cluster_id, ids=ids)
    return gateway.call("DeleteNodepools", request, user=user)


@pytest.mark.parametrize("user", ["owner", "stranger"])
def test_a_cluster_lives_from_post_to_delete(gateway: Live, user: str) -> None:
    slug = new_id("cc")
    made = fine(asking.post_clusters(gateway, cluster(slug, description="Mine"), user=user)).compute_clusters[0]
    assert (made.id, made.user_id, made.description, made.cloud_provider.id) == (slug, user, "Mine", "shed")
    assert (made.region, made.managed_by, made.cluster_type, made.visibility.gettable) == ("here", "us", "test", 10)
    assert fine(get_cluster(gateway, slug, user=user)).compute_cluster == made
    listed = gateway.call("ListComputeClusters", service_pb2.ListComputeClustersRequest(user_app_id=whose()), user=user)
    assert {"local", slug} <= {one.id for one in listed.compute_clusters}
    patch = service_pb2.PatchComputeClustersRequest(
        user_app_id=whose(),
        compute_clusters=[resources_pb2.ComputeCluster(id=slug, region="there")],
        action="overwrite",
    )
    edited = fine(gateway.call("PatchComputeClusters", patch, user=user)).compute_clusters[0]
    assert (edited.region, edited.description) == ("there", "Mine")
    fine(delete_clusters(gateway, slug, user=user))
    refused(get_cluster(gateway, slug, user=user), StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST)


def test_a_clash_an_empty_call_and_a_bad_id_are_named(gateway: Live) -> None:
    slug = new_id("cc")
    fine(asking.post_clusters(gateway, cluster(slug)))
    assert slug in refused(asking.post_clusters(gateway, cluster(slug)), StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST)
    refused(asking.post_clusters(gateway), StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST)
    refused(delete_clusters(gateway), StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST)
    assert "a b" in refused(asking.post_clusters(gateway, cluster("a b")), StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT)
    org = resources_pb2.Visibility(gettable=30)
    said = refused(
        asking.post_clusters(gateway, cluster(new_id(), visibility=org)), StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT
    )
    assert "30" in said


def test_one_of_several_that_fails_makes_none(gateway: Live) -> None:
    first = new_id("cc")
    refused(asking.post_clusters(gateway, cluster(first), cluster("local")), StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST)
    refused(get_cluster(gateway, first), StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST)


def test_nobody_acts_in_anothers_name(gateway: Live) -> None:
    slug = new_id("cc")
    made = asking.post_clusters(gateway, cluster(slug), user="stranger", owner="owner")
    assert "stranger" in refused(made, StatusCode.CONN_INSUFFICIENT_SCOPES)
    fine(asking.post_clusters(gateway, cluster(slug)))
    hidden = refused(get_cluster(gateway, slug, user="stranger", owner="owner"), 25800)
    absent = refused(get_cluster(gateway, "absent", user="stranger", owner="owner"), 25800)
    assert hidden.replace(slug, "…") == absent.replace("absent", "…")
    assert delete_clusters(gateway, slug, user="stranger").status.code == 25800
    assert delete_clusters(gateway, slug, user="stranger", owner="owner").status.code != 10000
    fine(get_cluster(gateway, slug))


def test_the_built_in_cluster_stays(gateway: Live) -> None:
    assert "built in" in refused(delete_clusters(gateway, "local"), StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST)
    fine(get_cluster(gateway, "local", user="stranger"))
    assert delete_clusters(gateway, "local", user="stranger").status.code != 10000


def test_a_nodepool_lives_from_post_to_delete(gateway: Live) -> None:
    home, slug = new_id("cc"), new_id("np")
    fine(asking.post_clusters(gateway, cluster(home), user="stranger"))
    capacity = resources_pb2.NodeCapacityType(capacity_types=[1, 2])
    wanted = nodepool(slug, description="Small", node_capacity_type=capacity)
    made = fine(asking.post_nodepools(gateway, home, wanted, user="stranger")).nodepools[0]
    assert (made.id, made.description, made.max_instances) == (slug, "Small", 1)
    assert (made.compute_cluster.id, made.compute_cluster.user_id) == (home, "stranger")
    assert made.instance_types[0].compute_info.cpu_memory == "100Mi"
    assert list(made.node_capacity_type.capacity_types) == [1, 2]
    assert made.metadata["engine"] == "local"
    assert fine(get_nodepool(gateway, home, slug, user="stranger")).nodepool == made
    for cluster_id, count in ((home, 1), ("", 2)):
        request = service_pb2.ListNodepoolsRequest(user_app_id=whose(), compute_cluster_id=cluster_id)
        assert len(gateway.call("ListNodepools", request, user="stranger").nodepools) >= count
    change = resources_pb2.Nodepool(id=slug, max_instances=3)
    patch = service_pb2.PatchNodepoolsRequest(user_app_id=whose(), compute_cluster_id=home, nodepools=[change])
    assert fine(gateway.call("PatchNodepools", patch, user="stranger")).nodepools[0].max_instances == 3
    said = refused(delete_clusters(gateway, home, user="stranger"), StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST)
    assert slug in said
    fine(delete_nodepools(gateway, home, slug, user="stranger"))
    refused(get_nodepool(gateway, home, slug, user="stranger"), StatusCode.NODEPOOL_DOES_NOT_EXIST)
    fine(delete_clusters(gateway, home, user="stranger"))


def test_what_the_machine_lacks_is_said_with_what_there_is(gateway: Live) -> None:
    home = new_id("cc")
    fine(asking.post_clusters(gateway, cluster(home)))
    size = resources_pb2.ComputeInfo(cpu_limit="1000", cpu_memory="1Gi")
    kinds = [resources_pb2.InstanceType(id="huge", compute_info=size)]
    reply = asking.post_nodepools(gateway, home, nodepool(new_id(), instance_types=kinds))
    said = refused(reply, StatusCode.NODEPOOL_INVALID_ARGUMENT)
    assert "huge" in said
    assert "1000" in said
    assert "there are" in said


def test_engine_remote_is_for_administrators(gateway: Live) -> None:
    home = new_id("cc")
    for user in ("owner", "stranger"):
        fine(asking.post_clusters(gateway, cluster(home), user=user))
        wanted = resources_pb2.Nodepool(id="far")
        wanted.metadata.update({"engine": "remote", "addresses": [{"address": "127.0.0.1:9", "tls": False}]})
        reply = asking.post_nodepools(gateway, home, wanted, user=user)
        if user == "owner":
            made = fine(reply).nodepools[0]
            assert made.metadata["engine"] == "remote"
            assert "127.0.0.1" not in str(made)
        else:
            refused(reply, StatusCode.CONN_INSUFFICIENT_SCOPES)


def test_anothers_cluster_takes_no_nodepool(gateway: Live) -> None:
    reply = asking.post_nodepools(gateway, "local", nodepool(new_id()), user="stranger")
    refused(reply, StatusCode.CONN_INSUFFICIENT_SCOPES)


def test_places_are_what_there_is(gateway: Live) -> None:
    provider = new_id("cloud")
    fine(asking.post_clusters(gateway, cluster(new_id("cc"), provider=provider, region="r1")))
    found = gateway.call("ListCloudProviders", service_pb2.ListCloudProvidersRequest()).cloud_providers
    assert {"local", provider} <= {one.id for one in found}
    hidden = gateway.call("ListCloudProviders", service_pb2.ListCloudProvidersRequest(), user="stranger")
    assert provider not in {one.id for one in hidden.cloud_providers}
    request = service_pb2.ListCloudRegionsRequest(cloud_provider=resources_pb2.CloudProvider(id=provider))
    assert [one.id for one in gateway.call("ListCloudRegions", request).cloud_regions] == ["r1"]
    local = resources_pb2.CloudProvider(id="local")
    kinds = gateway.call("ListInstanceTypes", service_pb2.ListInstanceTypesRequest(cloud_provider=local)).instance_types
    machine = next(kind for kind in kinds if kind.id == "this-machine")
    assert machine.compute_info.cpu_memory.endswith("Mi")
