"""Acts on deployments: making the shared ones, retrying, recording states, reading logs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from playground.catalog.models import note_change
from playground.compute.models import Deployment, Nodepool, Placement, Transition

if TYPE_CHECKING:
    from pathlib import Path

    from playground.catalog.models import Model

_TAIL_BYTES = 256 * 1024


@transaction.atomic
def ensure_shared_deployment(model: Model) -> Deployment:
    """The model's deployment on the built-in shared nodepool: what calls without a selector go to."""
    existing = Deployment.objects.filter(model=model, is_shared=True).first()
    if existing is not None:
        return existing
    owner = model.app.owner
    slug = f"shared-{model.slug}"
    if Deployment.objects.filter(owner=owner, slug=slug).exists():
        slug = f"shared-{model.app.slug}-{model.slug}"
    nodepool = Nodepool.objects.get(is_shared=True)
    deployment = Deployment.objects.create(owner=owner, slug=slug, model=model, nodepool=nodepool, is_shared=True)
    Placement.objects.create(deployment=deployment, nodepool=nodepool)
    Transition.objects.create(deployment=deployment, state=deployment.state)
    note_change("deployment", deployment.pk)
    return deployment


@transaction.atomic
def retry(deployment: Deployment) -> None:
    """Begin again from ``pending``: the controller builds and starts it anew."""
    Deployment.objects.filter(pk=deployment.pk).update(generation=F("generation") + 1)
    deployment.refresh_from_db()
    record_state(deployment.pk, Deployment.State.PENDING, generation=deployment.generation)
    deployment.refresh_from_db()
    note_change("deployment", deployment.pk)


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
        Transition.objects.create(deployment=row, state=state, reason=reason)
        observed["state_since"] = timezone.now()
    Deployment.objects.filter(pk=deployment_pk).update(**observed)
    note_change("state", deployment_pk)
    return True


def log_path(deployment: Deployment) -> Path:
    """Where the deployment's builds and replicas write their lines."""
    folder: Path = settings.LOG_DIR
    return folder / f"{deployment.pk}-{deployment.slug}.log"


def read_log(deployment: Deployment, lines: int = 200) -> list[str]:
    """The last lines of the deployment's log, oldest first; none when nothing was written yet."""
    return read_tail(log_path(deployment), lines)


def read_tail(path: Path, lines: int) -> list[str]:
    """The last ``lines`` of a text file, reading no more of it than 256 KiB."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]
