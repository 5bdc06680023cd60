"""How kept runs end: those deleted by their owners, those too old, and a user's oldest past what one may keep."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from playground.media.models import Reference
from playground.runs.history import UNDO
from playground.runs.models import Run, RunMedia

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

_AT_ONCE = 200  # fewer than SQLite takes parameters, and others write between
_JUMP_SECONDS = 600.0
_last: list[tuple[float, float]] = []


def sweep() -> int:
    """Remove what is to go; how many runs that were. Those that still go on are never touched.

    By age nothing goes at the first sweep after the clock has jumped: if it was wrong, all might seem old.
    """
    gone = _remove(_deleted())
    if not _has_clock_jumped():
        gone += _remove(_too_old())
    for user_id in _who_keeps_much():
        gone += _remove(_too_much(user_id))
    return gone


def _deleted() -> list[UUID]:
    return list(Run.objects.filter(deleted_at__lt=timezone.now() - UNDO).values_list("pk", flat=True))


def _too_old() -> list[UUID]:
    before = timezone.now() - timedelta(days=settings.RUNS_DAYS)
    return list(Run.objects.filter(created_at__lt=before).values_list("pk", flat=True))


def _who_keeps_much() -> list[int]:
    """Users whose runs, with each use of a file counted, are past the limit: with each file counted once, perhaps."""
    rows = dict(Run.objects.order_by().values_list("user").annotate(size=Sum("kept_bytes")))
    for user_id, size in RunMedia.objects.values_list("run__user").annotate(size=Sum("reference__blob__size")):
        rows[user_id] = rows.get(user_id, 0) + size
    return [user_id for user_id, size in rows.items() if size > settings.RUNS_BYTES]


def _too_much(user_id: int) -> list[UUID]:
    """The oldest runs past the limit; a file is counted with the newest run that uses it. The newest run stays."""
    files: dict[UUID, list[tuple[str, int]]] = {}
    uses = RunMedia.objects.filter(run__user=user_id).values_list("run", "reference__blob", "reference__blob__size")
    for run_id, blob, size in uses:
        files.setdefault(run_id, []).append((blob, size))
    seen: set[str] = set()
    total, gone = 0, []
    runs = Run.objects.filter(user=user_id).order_by("-created_at", "-pk").values_list("pk", "kept_bytes")
    for number, (pk, size) in enumerate(runs):
        fresh = {blob: length for blob, length in files.get(pk, ()) if blob not in seen}
        total += size + sum(fresh.values())
        seen |= fresh.keys()
        if number and total > settings.RUNS_BYTES:
            gone.append(pk)
    return gone


def _remove(run_ids: list[UUID]) -> int:
    count = 0
    for start in range(0, len(run_ids), _AT_ONCE):
        count += _remove_some(run_ids[start : start + _AT_ONCE])
    if count:
        logger.info("%d runs were swept away", count)
    return count


@transaction.atomic
def _remove_some(run_ids: list[UUID]) -> int:
    """Their files are let go where no other run has them: the sweep of files takes them then."""
    runs = Run.objects.filter(pk__in=run_ids).exclude(state=Run.State.RUNNING)
    used = set(RunMedia.objects.filter(run__in=runs).values_list("reference", flat=True))
    _, removed = runs.delete()
    _let_go(used)
    return removed.get("runs.Run", 0)


def _let_go(reference_ids: Iterable[str]) -> None:
    ids = list(reference_ids)
    for start in range(0, len(ids), _AT_ONCE):
        some = Reference.objects.filter(pk__in=ids[start : start + _AT_ONCE], run_uses=None, is_sample=False)
        some.filter(is_held=False).update(is_kept=False)


def _has_clock_jumped() -> bool:
    before, now = _last[:], (time.time(), time.monotonic())
    _last[:] = [now]
    return any(abs((now[0] - wall) - (now[1] - steady)) > _JUMP_SECONDS for wall, steady in before)
