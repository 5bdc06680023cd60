"""Log entries of runners: what ``clarifai deployment logs`` shows, to whoever may change the deployment.

Types: ``runner`` is what its builds and replicas wrote, the last of it; ``runner.events`` the history of its states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.models import Model
from playground.compute import services
from playground.compute.models import Deployment, Replica
from playground.compute.services.owners import require_change
from playground.gateway.families.paging import slice_of
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.catalog.models import User

MOST_LINES = 1000
RUNNER, EVENTS = "runner", "runner.events"


def list_log_entries(caller: User, request: service_pb2.ListLogEntriesRequest) -> service_pb2.MultiLogEntryResponse:
    """They hold others' calls: whoever no longer sees the model reads none, of their own deployment either."""
    visible = Deployment.objects.visible_to(caller).filter(model__in=Model.objects.visible_to(caller))
    runner = Replica.objects.filter(slug=request.runner_id, deployment__in=visible).select_related("deployment").first()
    if runner is None:
        raise NotFoundError(f"No runner {request.runner_id} for you.", code=StatusCode.RUNNER_DOES_NOT_EXIST)
    require_change(caller, runner.deployment)
    lines = slice_of(_lines(runner.deployment, request.log_type or RUNNER), request)
    entries = [resources_pb2.LogEntry(message=line, log_type=request.log_type or RUNNER) for line in lines]
    return service_pb2.MultiLogEntryResponse(log_entries=entries)


def _lines(deployment: Deployment, log_type: str) -> list[str]:
    if log_type == RUNNER:
        return services.read_log(deployment, MOST_LINES)
    if log_type == EVENTS:
        latest = deployment.transitions.order_by("-pk")[:MOST_LINES]
        return [f"{one.at:%Y-%m-%d %H:%M:%S} {one.state} {one.reason}".rstrip() for one in reversed(latest)]
    raise InputError(f"There are no log entries of type {log_type!r}: give {RUNNER} or {EVENTS}.")


HANDLERS: dict[str, Callable[..., object]] = {"ListLogEntries": list_log_entries}
