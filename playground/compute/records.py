"""What the controller observed, as rows: states with their history, and one row for each replica there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from playground.catalog.models import ModelVersion, note_change
from playground.compute.models import Deployment, Replica
from playground.compute.services.states import move_on, record_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playground.compute.engines.base import Observed, ReplicaState, Spec
    from playground.compute.lease import Claim

State = Deployment.State


@transaction.atomic
def record(claim: Claim, spec: Spec, observed: Observed) -> bool:
    """Write an observation; False when another controller leads by now, which has observations of its own."""
    if not claim.is_held():
        return False
    row = Deployment.objects.filter(pk=spec.id).first()
    if row is None:
        return True
    is_off = observed.state == State.ZERO and not row.is_enabled
    is_news = record_state(
        row.pk,
        observed.state,
        "It is switched off." if is_off else observed.reason,
        generation=observed.generation,
        log_tail=observed.log_tail,
        ready_replicas=len(observed.endpoints),
    )
    if _record_replicas(row, spec, observed.replicas) and not is_news:
        note_change("state", row.pk)
    if is_news and observed.state == State.FAILED and not observed.endpoints:
        move_on(row)
    return True


@transaction.atomic
def record_failure(claim: Claim, deployment_pk: int, generation: int, reason: str) -> None:
    """Of a deployment that no engine can be told of."""
    if claim.is_held():
        record_state(deployment_pk, State.FAILED, reason, generation=generation)


@transaction.atomic
def record_memory(sizes: Mapping[str, int]) -> None:
    """What replicas hold in memory now, by runner id."""
    for slug, size in sizes.items():
        Replica.objects.filter(slug=slug).update(memory_bytes=size)


@transaction.atomic
def forget(reason: str) -> None:
    """Nothing runs: whatever was observed is no more, but for what has failed, and what is at zero."""
    Replica.objects.all().delete()
    for row in Deployment.objects.exclude(state__in=[State.FAILED, State.PENDING, State.ZERO]):
        record_state(row.pk, State.PENDING, reason, generation=row.generation)


def _record_replicas(row: Deployment, spec: Spec, replicas: Sequence[ReplicaState]) -> bool:
    """Whether anything is new."""
    known = {one.slug: one for one in Replica.objects.filter(deployment=row)}
    slugs = [one.runner_id for one in replicas]
    gone = known.keys() - set(slugs)
    Replica.objects.filter(slug__in=gone).delete()
    is_news = bool(gone)
    for one in replicas:
        before = known.get(one.runner_id)
        if before is None:
            _create(row, spec, one)
        elif (before.state, before.reason) != (one.state, one.reason):
            Replica.objects.filter(pk=before.pk).update(state=one.state, reason=one.reason)
        else:
            continue
        is_news = True
    return is_news


def _create(row: Deployment, spec: Spec, one: ReplicaState) -> None:
    Replica.objects.create(
        deployment=row,
        nodepool_id=spec.nodepool_id,
        version=ModelVersion.objects.filter(model=row.model_id, slug=one.version_id).first(),
        slug=one.runner_id,
        state=one.state,
        reason=one.reason,
        memory_bytes=one.memory_bytes,
    )
