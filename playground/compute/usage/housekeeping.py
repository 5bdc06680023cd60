"""How rows of usage, and those of replicas, end: by age, those of minutes first; every hour."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.utils import timezone

from playground.compute.usage import replicas
from playground.compute.usage.models import SPANS, Usage, kept_for

EVERY_SECONDS = 3600.0
_JUMP_SECONDS = 600.0
_AT_ONCE = 900  # fewer than SQLite takes parameters
log = logging.getLogger(__name__)
_last: list[tuple[float, float]] = []


def run() -> int:
    """Delete what is older than the settings say; how many rows that was. Raises DatabaseError.

    Nothing is deleted at the first run after the clock has jumped: if it was wrong, all might seem old.
    """
    if _has_clock_jumped():
        log.warning("the clock has jumped: usage is pruned an hour later")
        return 0
    return prune(timezone.now())


def prune(now: datetime) -> int:
    """Delete what is older, at ``now``, than the settings say; in small steps, so that others can write between."""
    return sum(_prune(span, now - kept_for(span)) for span in SPANS) + replicas.prune(now)


def _prune(span: int, before: datetime) -> int:
    old = Usage.objects.filter(span=span, start__lt=before.timestamp() - span)
    gone = 0
    while keys := list(old.values_list("pk", flat=True)[:_AT_ONCE]):
        gone += Usage.objects.filter(pk__in=keys).delete()[0]
    return gone


def _has_clock_jumped() -> bool:
    before, now = _last[:], (time.time(), time.monotonic())
    _last[:] = [now]
    return any(abs((now[0] - wall) - (now[1] - steady)) > _JUMP_SECONDS for wall, steady in before)
