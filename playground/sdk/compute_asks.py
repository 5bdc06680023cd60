"""What to ask about clusters, nodepools, deployments and runners and how to read the answers, touching no network.

``None`` leaves a thing as it is. What the V2 messages have no words for travels in ``metadata``, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2

from playground.sdk.asks import Ask, ask, message_of, nothing, whose
from playground.sdk.calls import ModelAddress, parse_reference
from playground.sdk.resources import (
    Cluster,
    Deployment,
    InstanceType,
    Nodepool,
    Runner,
    read_cluster,
    read_deployment,
    read_nodepool,
    read_runner,
    split_nodepool,
    texts,
    write_instance_type,
    write_visibility,
)

# --- clusters ------------------------------------------------------------------------------------------------------


def list_clusters(user_id: str) -> Ask[list[Cluster]]:
    return ask(
        "ListComputeClusters",
        lambda reply: [read_cluster(one) for one in reply.compute_clusters],
        user_app_id=whose(user_id),
    )


def get_cluster(cluster_id: str, user_id: str) -> Ask[Cluster]:
    return ask(
        "GetComputeCluster",
        lambda reply: read_cluster(reply.compute_cluster),
        user_app_id=whose(user_id),
        compute_cluster_id=cluster_id,
    )


def create_cluster(cluster_id: str, facts: Mapping[str, Any]) -> Ask[Cluster]:
    return ask(
        "PostComputeClusters",
        lambda reply: read_cluster(reply.compute_clusters[0]),
        user_app_id=whose(),
        compute_clusters=[_cluster(cluster_id, facts)],
    )


def edit_cluster(cluster_id: str, facts: Mapping[str, Any]) -> Ask[Cluster]:
    return ask(
        "PatchComputeClusters",
        lambda reply: read_cluster(reply.compute_clusters[0]),
        user_app_id=whose(),
        compute_clusters=[_cluster(cluster_id, facts)],
        action="overwrite",
    )


def delete_clusters(cluster_ids: Iterable[str]) -> Ask[None]:
    return ask("DeleteComputeClusters", nothing, user_app_id=whose(), ids=cluster_ids)


def _cluster(cluster_id: str, facts: Mapping[str, Any]) -> resources_pb2.ComputeCluster:
    provider = facts.get("cloud_provider")
    given = dict(facts) | {"visibility": write_visibility(facts.get("visibility"))}
    given["cloud_provider"] = resources_pb2.CloudProvider(id=provider) if provider else None
    return message_of(resources_pb2.ComputeCluster, id=cluster_id, **given)


# --- nodepools -----------------------------------------------------------------------------------------------------


def list_nodepools(cluster_id: str, user_id: str) -> Ask[list[Nodepool]]:
    return ask(
        "ListNodepools",
        lambda reply: [read_nodepool(one) for one in reply.nodepools],
        user_app_id=whose(user_id),
        compute_cluster_id=cluster_id,
    )


def get_nodepool(reference: str) -> Ask[Nodepool]:
    user_id, cluster_id, nodepool_id = split_nodepool(reference)
    return ask(
        "GetNodepool",
        lambda reply: read_nodepool(reply.nodepool),
        user_app_id=whose(user_id),
        compute_cluster_id=cluster_id,
        nodepool_id=nodepool_id,
    )


def create_nodepool(reference: str, facts: Mapping[str, Any]) -> Ask[Nodepool]:
    return _write_nodepool("PostNodepools", reference, facts)


def edit_nodepool(reference: str, facts: Mapping[str, Any]) -> Ask[Nodepool]:
    return _write_nodepool("PatchNodepools", reference, facts)


def delete_nodepool(reference: str) -> Ask[None]:
    user_id, cluster_id, nodepool_id = split_nodepool(reference)
    where = whose(user_id)
    return ask("DeleteNodepools", nothing, user_app_id=where, compute_cluster_id=cluster_id, ids=[nodepool_id])


def _write_nodepool(name: str, reference: str, facts: Mapping[str, Any]) -> Ask[Nodepool]:
    user_id, cluster_id, nodepool_id = split_nodepool(reference)
    return ask(
        name,
        lambda reply: read_nodepool(reply.nodepools[0]),
        user_app_id=whose(user_id),
        compute_cluster_id=cluster_id,
        nodepools=[_nodepool(nodepool_id, facts)],
    )


def _nodepool(nodepool_id: str, facts: Mapping[str, Any]) -> resources_pb2.Nodepool:
    kinds: Iterable[InstanceType] | None = facts.get("instance_types")
    capacity = facts.get("capacity_types")
    message: resources_pb2.Nodepool = message_of(
        resources_pb2.Nodepool,
        id=nodepool_id,
        description=facts.get("description"),
        instance_types=[write_instance_type(kind) for kind in kinds] if kinds is not None else None,
        node_capacity_type=resources_pb2.NodeCapacityType(capacity_types=capacity) if capacity else None,
        min_instances=facts.get("min_instances"),
        max_instances=facts.get("max_instances"),
        visibility=write_visibility(facts.get("visibility")),
    )
    if facts.get("engine"):
        message.metadata.update({"engine": facts["engine"]})
    if facts.get("addresses"):
        message.metadata.update({"addresses": texts(facts["addresses"], "addresses")})
    return message


# --- deployments ---------------------------------------------------------------------------------------------------


def list_deployments(nodepool: str, version_ids: Iterable[str], user_id: str) -> Ask[list[Deployment]]:
    _, cluster_id, nodepool_id = split_nodepool(nodepool) if nodepool else ("", "", "")
    return ask(
        "ListDeployments",
        lambda reply: [read_deployment(one) for one in reply.deployments],
        user_app_id=whose(user_id),
        compute_cluster_id=cluster_id,
        nodepool_id=nodepool_id,
        model_version_ids=texts(version_ids, "version_ids"),
    )


def get_deployment(deployment_id: str, user_id: str) -> Ask[Deployment]:
    return ask(
        "GetDeployment",
        lambda reply: read_deployment(reply.deployment),
        user_app_id=whose(user_id),
        deployment_id=deployment_id,
    )


def create_deployment(deployment_id: str, model: str, facts: Mapping[str, Any]) -> Ask[Deployment]:
    message = _deployment(deployment_id, facts)
    message.worker.CopyFrom(_worker(parse_reference(model)))
    return _write_deployment("PostDeployments", message, "", action=None)


def edit_deployment(
    deployment_id: str, user_id: str, version_id: str | None, facts: Mapping[str, Any]
) -> Ask[Deployment]:
    """A version of "" follows the latest."""
    message = _deployment(deployment_id, facts)
    if version_id:
        message.desired_worker.model.model_version.id = version_id
    message.deploy_latest_version = version_id == ""
    return _write_deployment("PatchDeployments", message, user_id, action="overwrite")


def delete_deployments(deployment_ids: Iterable[str]) -> Ask[None]:
    return ask("DeleteDeployments", nothing, user_app_id=whose(), ids=deployment_ids)


def _write_deployment(name: str, message: Any, user_id: str, action: str | None) -> Ask[Deployment]:
    return ask(
        name,
        lambda reply: read_deployment(reply.deployments[0]),
        user_app_id=whose(user_id),
        deployments=[message],
        action=action,
    )


def _deployment(deployment_id: str, facts: Mapping[str, Any]) -> resources_pb2.Deployment:
    given = dict(facts)
    nodepools = given.pop("nodepools", None)
    message: resources_pb2.Deployment = message_of(
        resources_pb2.Deployment,
        id=deployment_id,
        scheduling_choice=given.pop("scheduling_choice", None),
        visibility=write_visibility(given.pop("visibility", None)),
        nodepools=[_place(one) for one in texts(nodepools, "nodepools")] if nodepools is not None else None,
    )
    message.metadata.update({name: _plain(value) for name, value in given.items() if value is not None})
    return message


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _worker(model: ModelAddress) -> resources_pb2.Worker:
    named = resources_pb2.Model(id=model.model_id, user_id=model.user_id, app_id=model.app_id)
    if model.version_id:
        named.model_version.id = model.version_id
    return resources_pb2.Worker(model=named)


def _place(reference: str) -> resources_pb2.Nodepool:
    user_id, cluster_id, nodepool_id = split_nodepool(reference)
    return resources_pb2.Nodepool(
        id=nodepool_id, compute_cluster=resources_pb2.ComputeCluster(id=cluster_id, user_id=user_id)
    )


# --- runners -------------------------------------------------------------------------------------------------------


def list_runners(nodepool: str, user_id: str) -> Ask[list[Runner]]:
    _, cluster_id, nodepool_id = split_nodepool(nodepool) if nodepool else ("", "", "")
    return ask(
        "ListRunners",
        lambda reply: [read_runner(one) for one in reply.runners],
        user_app_id=whose(user_id),
        compute_cluster_id=cluster_id,
        nodepool_id=nodepool_id,
    )


def get_runner(runner_id: str) -> Ask[Runner]:
    return ask("GetRunner", lambda reply: read_runner(reply.runner), user_app_id=whose(), runner_id=runner_id)
