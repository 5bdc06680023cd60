"""Reading what a call says about itself: its destination, its request id; and what every reply tells about it."""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from google.protobuf.message import DecodeError

from playground.compute.routing import Request, Selector
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.compute.routing import DeploymentEntry

PREFIX_HEADER = "x-clarifai-request-id-prefix"
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """``<prefix>-<32 hex>``, with the prefix that the client sent, if it is a decent one."""
    prefix = next((value for name, value in metadata if name == PREFIX_HEADER), "")
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        prefix = "playground"
    return f"{prefix}-{uuid.uuid4().hex}"


def read_request(content: bytes) -> Request:
    """The destination of a serialised PostModelOutputsRequest; its inputs stay as they are. Raises InputError."""
    try:
        message = service_pb2.PostModelOutputsRequest.FromString(content)
    except DecodeError:
        raise InputError("The request is no PostModelOutputsRequest.") from None
    owner, model = message.user_app_id, message.model
    return Request(
        user_id=owner.user_id or model.user_id,
        app_id=owner.app_id or model.app_id,
        model_id=message.model_id or model.id,
        version_id=message.version_id or model.model_version.id,
        selector=read_selector(message.runner_selector) if message.HasField("runner_selector") else Selector(),
    )


def read_selector(message: resources_pb2.RunnerSelector) -> Selector:
    cluster = message.nodepool.compute_cluster
    return Selector(
        deployment_id=message.deployment.id,
        deployment_user_id=message.deployment.user_id,
        cluster_id=cluster.id,
        nodepool_id=message.nodepool.id,
        cluster_user_id=cluster.user_id,
        runner_id=message.runner.id,
        is_given=True,
    )


def reply_tail(request_id: str, deployment: DeploymentEntry) -> bytes:
    """Appended to a serialised MultiOutputResponse it adds the request id and where it ran: joined messages merge."""
    status = service_pb2.MultiOutputResponse(status=status_pb2.Status(req_id=request_id))
    return bytes(status.SerializeToString()) + _served_by(deployment)


@lru_cache(maxsize=4096)
def _served_by(entry: DeploymentEntry) -> bytes:
    reply = service_pb2.MultiOutputResponse(runner_selector=selector_of(entry))
    return bytes(reply.SerializeToString())


def selector_of(entry: DeploymentEntry) -> resources_pb2.RunnerSelector:
    """Where a deployment is, as replies name it: deployment, nodepool and cluster."""
    pool = entry.nodepool
    cluster = resources_pb2.ComputeCluster(id=pool.cluster_id, user_id=pool.user_id)
    nodepool = resources_pb2.Nodepool(id=pool.nodepool_id, compute_cluster=cluster)
    return resources_pb2.RunnerSelector(
        deployment=resources_pb2.Deployment(id=entry.deployment_id, user_id=entry.user_id), nodepool=nodepool
    )
