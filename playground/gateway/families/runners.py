"""Runners: a deployment's replicas as the controller observes them now. Read only; deployments make and end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.models import Deployment, Replica
from playground.gateway.families import owners
from playground.gateway.families.nodepools import place_message
from playground.gateway.families.paging import page_of
from playground.gateway.families.parts import names_of, worker_message
from playground.protocol.errors import AccessError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from playground.catalog.models import User


def get_runner(caller: User, request: service_pb2.GetRunnerRequest) -> service_pb2.SingleRunnerResponse:
    found = _rows(caller).filter(slug=request.runner_id).first()
    if found is None:
        raise NotFoundError(
            f"No runner {request.runner_id} for you. Runners come and go with their deployment: list them anew.",
            code=StatusCode.RUNNER_DOES_NOT_EXIST,
        )
    return service_pb2.SingleRunnerResponse(runner=runner_message(found))


def list_runners(caller: User, request: service_pb2.ListRunnersRequest) -> service_pb2.MultiRunnerResponse:
    rows = _rows(caller).filter(deployment__owner__username=owners.user_id_of(caller, request.user_app_id))
    if request.nodepool_id:
        rows = rows.filter(nodepool__slug=request.nodepool_id)
    if request.compute_cluster_id:
        rows = rows.filter(nodepool__cluster__slug=request.compute_cluster_id)
    if request.model_version_ids:
        rows = rows.filter(version__slug__in=list(request.model_version_ids))
    found = page_of(caller, rows, request)
    return service_pb2.MultiRunnerResponse(runners=[runner_message(row) for row in found])


def refuse(caller: User, request: object) -> NoReturn:
    raise AccessError("Runners are made and ended by their deployments: create one, or change its replicas.")


def runner_message(row: Replica) -> resources_pb2.Runner:
    is_ready = row.state == Deployment.State.READY
    message = resources_pb2.Runner(
        id=row.slug,
        description=f"Replica of {row.deployment.slug}",
        worker=worker_message(names_of(row.deployment.model), row.version),
        nodepool=place_message(row.nodepool),
        num_replicas=1,
        runner_metrics=resources_pb2.RunnerMetrics(pods_total=1, pods_running=int(is_ready)),
    )
    told = {"state": row.state, "reason": row.reason, "deployment_id": row.deployment.slug}
    message.metadata.update({**told, "user_id": row.deployment.owner.username, "memory_bytes": row.memory_bytes})
    owners.write_time(message.created_at, row.started_at)
    return message


def _rows(caller: User) -> QuerySet[Replica]:
    rows = Replica.objects.filter(deployment__in=Deployment.objects.visible_to(caller))
    return rows.select_related(
        "deployment__owner", "deployment__model__app__owner", "nodepool__cluster__owner", "version"
    )


HANDLERS: dict[str, Callable[..., object]] = {
    "GetRunner": get_runner,
    "ListRunners": list_runners,
    "PostRunners": refuse,
    "PatchRunners": refuse,
    "DeleteRunners": refuse,
}
