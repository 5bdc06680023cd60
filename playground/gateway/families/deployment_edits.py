"""What changes deployments over the wire: make, edit, delete.

A field that the wire leaves at zero says nothing. What must be told apart from nothing, and what the wire has no words
for, stands in ``metadata`` by name, and wins: the fields of ``autoscale_config``, ``is_enabled``, ``queue_limit``,
``description``, ``environment`` and ``secrets`` (name to value, null to take one out; secrets are never sent back).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute import services
from playground.gateway.families import owners
from playground.gateway.families.deployments import deployment_message, find_deployment
from playground.gateway.families.models import find_model, find_version
from playground.gateway.families.nodepools import find_nodepool
from playground.gateway.families.users import find_user
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playground.catalog.models import Model, ModelVersion, User
    from playground.compute.models import Deployment, Nodepool

INVALID = StatusCode.DEPLOYMENT_INVALID_REQUEST
NUMBERS = (
    "min_replicas",
    "max_replicas",
    "traffic_history_seconds",
    "scale_down_delay_seconds",
    "scale_up_delay_seconds",
    "scale_to_zero_delay_seconds",
)


def post_deployments(caller: User, request: service_pb2.PostDeploymentsRequest) -> service_pb2.MultiDeploymentResponse:
    owners.require_some(request.deployments, "deployment", INVALID)
    owners.require_self(caller, request.user_app_id.user_id, *(message.user_id for message in request.deployments))
    return _answer(caller, [_create(caller, request.user_app_id, message) for message in request.deployments])


def patch_deployments(
    caller: User, request: service_pb2.PatchDeploymentsRequest
) -> service_pb2.MultiDeploymentResponse:
    owners.require_some(request.deployments, "deployment", INVALID)
    owners.check_action(request.action, INVALID)
    return _answer(caller, [_edit(caller, request.user_app_id, message) for message in request.deployments])


def delete_deployments(caller: User, request: service_pb2.DeleteDeploymentsRequest) -> Any:
    owners.require_some(request.ids, "deployment", INVALID)
    services.delete_deployments(caller, list(request.ids), owner=find_user(caller, request.user_app_id.user_id))
    return status_pb2.BaseResponse()


def _create(caller: User, owner: resources_pb2.UserAppIDSet, message: resources_pb2.Deployment) -> Deployment:
    model, version = _worker(caller, message)
    if model is None:
        raise InputError("The deployment names no model: give worker.model.", code=INVALID)
    nodepools = _nodepools(caller, owner, message.nodepools)
    if not nodepools:
        raise InputError("The deployment names no nodepool: give nodepools.", code=INVALID)
    return services.create_deployment(
        caller, message.id, model, version=version, nodepools=nodepools, **_facts(message)
    )


def _edit(caller: User, owner: resources_pb2.UserAppIDSet, message: resources_pb2.Deployment) -> Deployment:
    row = find_deployment(caller, owner, message.id)
    changes = _facts(message)
    if message.deploy_latest_version:
        changes["version"] = None
    elif message.HasField("desired_worker") or message.HasField("worker"):
        changes["version"] = _new_version(caller, row, message)
    if message.nodepools:
        changes["nodepools"] = _nodepools(caller, owner, message.nodepools)
    return services.edit_deployment(caller, row, **changes)


def _answer(caller: User, rows: Iterable[Deployment]) -> service_pb2.MultiDeploymentResponse:
    return service_pb2.MultiDeploymentResponse(deployments=[deployment_message(caller, row) for row in rows])


def _worker(caller: User, message: resources_pb2.Deployment) -> tuple[Model | None, ModelVersion | None]:
    """The model to run, and the version it is pinned to; official clients write ``worker``, or ``desired_worker``."""
    worker = message.desired_worker if message.HasField("desired_worker") else message.worker
    if worker.HasField("workflow"):
        raise InputError("Workflows cannot be deployed: a deployment runs a model.", code=INVALID)
    if not worker.model.id:
        return None, None
    named = worker.model
    owner = resources_pb2.UserAppIDSet(user_id=named.user_id, app_id=named.app_id)
    model = find_model(caller, owner, named.id)
    version_id = "" if message.deploy_latest_version else named.model_version.id
    return model, find_version(model, version_id) if version_id else None


def _new_version(caller: User, row: Deployment, message: resources_pb2.Deployment) -> ModelVersion | None:
    worker = message.desired_worker if message.HasField("desired_worker") else message.worker
    if not worker.model.id and worker.model.model_version.id:
        return find_version(row.model, worker.model.model_version.id)
    model, version = _worker(caller, message)
    if model is not None and model.pk != row.model_id:
        raise InputError(
            f"{row} runs {row.model}, and stays with that model: make another deployment for {model}.", code=INVALID
        )
    return version


def _nodepools(
    caller: User, owner: resources_pb2.UserAppIDSet, places: Iterable[resources_pb2.Nodepool]
) -> list[Nodepool]:
    """In order of preference. A place whose cluster says no owner is the caller's, or the built-in one."""
    found = []
    for place in places:
        whose = resources_pb2.UserAppIDSet(user_id=place.compute_cluster.user_id or owner.user_id)
        found.append(find_nodepool(caller, whose, place.compute_cluster.id, place.id))
    return found


def _facts(message: resources_pb2.Deployment) -> dict[str, Any]:
    facts = owners.given(
        {
            "description": message.description,
            "scheduling_choice": message.scheduling_choice or None,
            "visibility": message.visibility.gettable or None,
        }
    )
    if message.HasField("autoscale_config"):
        facts |= _autoscale(message.autoscale_config)
    if message.status == resources_pb2.Deployment.DISABLED:
        facts["is_enabled"] = False
    return facts | _told(owners.plain(message.metadata))


def _autoscale(config: resources_pb2.AutoscaleConfig) -> dict[str, Any]:
    """How many replicas is always meant, also none; a delay of zero seconds is one that was left out."""
    delays = owners.given({name: getattr(config, name) or None for name in NUMBERS[2:]})
    most = config.max_replicas or max(config.min_replicas, 1)
    counts = {"min_replicas": config.min_replicas, "max_replicas": most}
    return {**counts, **delays, "disable_packing": config.disable_packing}


def _told(metadata: dict[str, Any]) -> dict[str, Any]:
    """What ``metadata`` says by name. Raises InputError, naming the field, for what cannot be meant."""
    told: dict[str, Any] = {name: metadata[name] for name in ("description",) if name in metadata}
    for name in (*NUMBERS, "queue_limit"):
        if name in metadata:
            told[name] = _whole(name, metadata[name])
    told |= {name: metadata[name] for name in ("is_enabled", "disable_packing") if name in metadata}
    for name in ("environment", "secrets"):
        if name in metadata:
            told[name] = _texts(name, metadata[name])
    return told


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < 0:
        raise InputError(f"{name} is a whole number from 0, not {value!r}.", code=INVALID)
    return int(value)


def _texts(name: str, value: Any) -> dict[str, str | None]:
    # The values may be secrets: they are not repeated.
    if not isinstance(value, dict) or not all(one is None or isinstance(one, str) for one in value.values()):
        raise InputError(f"{name} is an object of names and texts.", code=INVALID)
    return value


HANDLERS: dict[str, Callable[..., object]] = {
    "PostDeployments": post_deployments,
    "PatchDeployments": patch_deployments,
    "DeleteDeployments": delete_deployments,
}
