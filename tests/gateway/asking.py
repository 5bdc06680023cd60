"""Requests of the management calls, made short; and a team to make them."""

from __future__ import annotations

import uuid
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from tests.gateway.live import OK, Live

TEAM = """
from playground.catalog import tokens
from playground.catalog.models import App, Membership, User
app = App.objects.get(owner__username="owner", slug="main")
made = {}
for name in ("member", "viewer"):
    user, _ = User.objects.get_or_create(username=name)
    Membership.objects.update_or_create(app=app, user=user, defaults={"role": name})
    made[name] = tokens.create_token(user, "test")
print(json.dumps(made))
"""
EVERYBODY = ("owner", "member", "viewer", "stranger")


def add_team(gateway: Live) -> Live:
    """A member and a viewer of the owner's app, beside the owner and a stranger."""
    gateway.tokens |= gateway.django(TEAM)
    return gateway


def new_id(what: str = "x") -> str:
    return f"{what}-{uuid.uuid4().hex[:8]}"


def whose(user_id: str = "me", app_id: str = "") -> resources_pb2.UserAppIDSet:
    return resources_pb2.UserAppIDSet(user_id=user_id, app_id=app_id)


def cluster(slug: str, **facts: Any) -> resources_pb2.ComputeCluster:
    labels = {"region": "here", "managed_by": "us", "cluster_type": "test"}
    provider = resources_pb2.CloudProvider(id=facts.pop("provider", "shed"))
    return resources_pb2.ComputeCluster(id=slug, cloud_provider=provider, **labels | facts)


def nodepool(slug: str, **facts: Any) -> resources_pb2.Nodepool:
    size = resources_pb2.ComputeInfo(cpu_limit="1", cpu_memory="100Mi")
    kinds = [resources_pb2.InstanceType(id="small", compute_info=size)]
    return resources_pb2.Nodepool(id=slug, **{"instance_types": kinds, "max_instances": 1} | facts)


def place(cluster_id: str = "local", nodepool_id: str = "shared", user_id: str = "") -> resources_pb2.Nodepool:
    return resources_pb2.Nodepool(
        id=nodepool_id, compute_cluster=resources_pb2.ComputeCluster(id=cluster_id, user_id=user_id)
    )


def worker(model_id: str = "echo", user_id: str = "owner", version_id: str = "") -> resources_pb2.Worker:
    model = resources_pb2.Model(id=model_id, user_id=user_id, app_id="main")
    if version_id:
        model.model_version.id = version_id
    return resources_pb2.Worker(model=model)


def deployment(slug: str, **facts: Any) -> resources_pb2.Deployment:
    """Of ``echo``, scaled to nothing: nothing is started for it."""
    scale = resources_pb2.AutoscaleConfig(min_replicas=0, max_replicas=1)
    given: dict[str, Any] = {
        "worker": worker(),
        "nodepools": [place()],
        "autoscale_config": scale,
        "scheduling_choice": 4,
    }
    return resources_pb2.Deployment(id=slug, **given | facts)


def post_clusters(gateway: Live, *messages: Any, user: str = "owner", owner: str = "me") -> Any:
    request = service_pb2.PostComputeClustersRequest(user_app_id=whose(owner), compute_clusters=messages)
    return gateway.call("PostComputeClusters", request, user=user)


def post_nodepools(gateway: Live, cluster_id: str, *messages: Any, user: str = "owner") -> Any:
    request = service_pb2.PostNodepoolsRequest(user_app_id=whose(), compute_cluster_id=cluster_id, nodepools=messages)
    return gateway.call("PostNodepools", request, user=user)


def post_deployments(gateway: Live, *messages: Any, user: str = "owner", owner: str = "me") -> Any:
    request = service_pb2.PostDeploymentsRequest(user_app_id=whose(owner), deployments=messages)
    return gateway.call("PostDeployments", request, user=user)


def patch_deployment(gateway: Live, message: Any, *, user: str = "owner", action: str = "overwrite") -> Any:
    request = service_pb2.PatchDeploymentsRequest(user_app_id=whose(), deployments=[message], action=action)
    return gateway.call("PatchDeployments", request, user=user)


def delete_deployments(gateway: Live, *ids: str, user: str = "owner", owner: str = "me") -> Any:
    request = service_pb2.DeleteDeploymentsRequest(user_app_id=whose(owner), ids=ids)
    return gateway.call("DeleteDeployments", request, user=user)


def get_deployment(gateway: Live, slug: str, *, user: str = "owner", owner: str = "me") -> Any:
    request = service_pb2.GetDeploymentRequest(user_app_id=whose(owner), deployment_id=slug)
    return gateway.call("GetDeployment", request, user=user)


def fine(reply: Any) -> Any:
    assert reply.status.code == OK, reply.status
    return reply


def refused(reply: Any, code: int) -> str:
    """What it says."""
    assert reply.status.code == code, reply.status
    assert [field.name for field, _ in reply.ListFields()] == ["status"]
    return str(reply.status.description)
