"""Reading what a call says about itself: its destination, its request id; and what every reply tells about it."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from google.protobuf.message import DecodeError

from playground.compute.routing import NO_SELECTOR, Request, Selector
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.compute.routing import DeploymentEntry

PREFIX_HEADER = "x-clarifai-request-id-prefix"
_random = random.Random()  # ids are told apart by it, nothing is kept safe by it
_MOST_NAMED = 128  # characters of a method's name that are counted and logged: as many as that, nobody needs
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """``<prefix>-<32 hex>``, with the prefix that the client sent, if it is a decent one."""
    prefix = next((value for name, value in metadata if name == PREFIX_HEADER), "")
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        prefix = "playground"
    return f"{prefix}-{_random.getrandbits(128):032x}"


def read_request(content: bytes) -> tuple[Request, str]:
    """The destination of a serialised PostModelOutputsRequest, and the method it names; raises InputError."""
    try:
        message = service_pb2.PostModelOutputsRequest.FromString(content)
    except DecodeError:
        raise InputError("The request is no PostModelOutputsRequest.") from None
    owner = message.user_app_id
    request = Request(
        user_id=owner.user_id,
        app_id=owner.app_id,
        model_id=message.model_id,
        version_id=message.version_id,
        selector=read_selector(message.runner_selector) if message.HasField("runner_selector") else NO_SELECTOR,
    )
    method = _read_method(message.inputs[0].data) if message.inputs else ""
    return (_completed(request, message.model) if message.HasField("model") else request), method


def _read_method(data: resources_pb2.Data) -> str:
    name = data.metadata.fields.get("_method_name")
    return str(name.string_value)[:_MOST_NAMED] if name is not None else ""


def _completed(request: Request, model: resources_pb2.Model) -> Request:
    """What the request's head leaves open may stand in the model that goes along."""
    return request._replace(
        user_id=request.user_id or model.user_id,
        app_id=request.app_id or model.app_id,
        model_id=request.model_id or model.id,
        version_id=request.version_id or model.model_version.id,
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


def request_id_tail(request_id: str) -> bytes:
    """Appended to a serialised MultiOutputResponse it adds the request id: joined messages merge."""
    return bytes(service_pb2.MultiOutputResponse(status=status_pb2.Status(req_id=request_id)).SerializeToString())


def served_by_tail(entry: DeploymentEntry) -> bytes:
    """The same for where it ran."""
    reply = service_pb2.MultiOutputResponse(runner_selector=selector_of(entry))
    return bytes(reply.SerializeToString())


def queued_tail(seconds: float) -> bytes:
    """The same for how long it waited before it was sent to a replica."""
    runner = resources_pb2.Runner()
    runner.metadata["queued_ms"] = round(seconds * 1000, 1)
    selector = resources_pb2.RunnerSelector(runner=runner)
    return bytes(service_pb2.MultiOutputResponse(runner_selector=selector).SerializeToString())


def selector_of(entry: DeploymentEntry) -> resources_pb2.RunnerSelector:
    """Where a deployment is, as replies name it: deployment, nodepool and cluster."""
    pool = entry.nodepool
    cluster = resources_pb2.ComputeCluster(id=pool.cluster_id, user_id=pool.user_id)
    nodepool = resources_pb2.Nodepool(id=pool.nodepool_id, compute_cluster=cluster)
    return resources_pb2.RunnerSelector(
        deployment=resources_pb2.Deployment(id=entry.deployment_id, user_id=entry.user_id), nodepool=nodepool
    )
