"""What was observed of a deployment, written with its history; and beginning again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from playground.catalog.access import Role, require_role
from playground.catalog.models import note_change
from playground.compute.models import Deployment, ReplicaCount, Transition
from playground.compute.services.owners import require_change
from playground.compute.services.placement import need_of, why_not

if TYPE_CHECKING:
    from playground.catalog.models import User


@transaction.atomic
def retry(user: User, deployment: Deployment) -> None:
    """Begin again from ``pending``: the controller builds and starts it anew."""
    require_change(user, deployment)
    require_role(user, deployment.model.app, Role.MEMBER)
    begin_again(deployment)
    note_change("deployment", deployment.pk)


def begin_again(deployment: Deployment, reason: str = "") -> None:
    """Another generation, with nothing observed of it yet. Call it inside a transaction that notes the change."""
    Deployment.objects.filter(pk=deployment.pk).update(generation=F("generation") + 1)
    deployment.refresh_from_db()
    record_state(deployment.pk, Deployment.State.PENDING, reason, generation=deployment.generation)
    deployment.refresh_from_db()


def move_on(deployment: Deployment) -> bool:
    """From a nodepool on which it failed to the next one of its own, in order of preference, that has room.

    Whether there was one. On the last it stays failed, until someone changes it or retries.
    """
    placed = deployment.placements.select_related("nodepool__cluster").order_by("position")
    nodepools = [placement.nodepool for placement in placed]
    if deployment.nodepool not in nodepools:
        return False
    failed, need = deployment.nodepool, need_of(deployment.served_version)
    for nodepool in nodepools[nodepools.index(failed) + 1 :]:
        if not why_not(nodepool, need, deployment.min_replicas):
            Deployment.objects.filter(pk=deployment.pk).update(nodepool=nodepool)
            begin_again(deployment, f"It failed on {failed}; {nodepool} is next.")
            note_change("deployment", deployment.pk)
            return True
    return False


@transaction.atomic
def record_state(
    deployment_pk: int, state: str, reason: str = "", *, generation: int, log_tail: str = "", ready_replicas: int = 0
) -> bool:
    """Write what was observed of a deployment, its history and the news of it; whether anything was new.

    An observation of an older ``generation`` than the row's is out of date and changes nothing.
    """
    row = Deployment.objects.filter(pk=deployment_pk, generation=generation).first()
    if row is None:
        return False
    observed = {"state": state, "reason": reason, "log_tail": log_tail, "ready_replicas": ready_replicas}
    if all(getattr(row, name) == value for name, value in observed.items()):
        return False
    if row.state != state:
        Transition.objects.create(deployment=row, state=state, reason=reason, marks=_marks(reason, 0.0))
        observed["state_since"] = timezone.now()
    elif reason in Deployment.Stage.values:
        _mark(row, reason)
    if row.ready_replicas != ready_replicas:
        ReplicaCount.objects.create(deployment=row, ready=ready_replicas)
    Deployment.objects.filter(pk=deployment_pk).update(**observed)
    note_change("state", deployment_pk)
    return True


def _mark(row: Deployment, stage: str) -> None:
    """Note in the history when this stage of a start was reached; another process begins anew."""
    latest = row.transitions.order_by("-pk").first()
    if latest is not None and latest.state == Deployment.State.STARTING:
        before = {} if stage == Deployment.Stage.PROCESS else latest.marks
        marks = before | _marks(stage, (timezone.now() - latest.at).total_seconds())
        Transition.objects.filter(pk=latest.pk).update(marks=marks)


def _marks(stage: str, seconds: float) -> dict[str, float]:
    return {Deployment.Stage(stage).name.lower(): round(seconds, 3)} if stage in Deployment.Stage.values else {}
