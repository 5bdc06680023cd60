"""Deleting inputs: at once for everybody, for good after ten minutes, bytes and all."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.lookups import In
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from inputs import search
from inputs.models import SHELF, UNDO, AddJob, Input, Prediction, new_input_id
from inputs.services import labels, ledger
from inputs.services.rights import require_deleter, require_editor, visible
from playground.catalog.models import App
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from playground.catalog.models import User

logger = logging.getLogger(__name__)
_AT_ONCE = 200


@transaction.atomic
def delete_inputs(user: User, inputs: Iterable[Input | int], *, token: str = "") -> str:
    """Delete them; the token brings them back for ten minutes. Given an earlier token, these join those it stands for.

    A member deletes what they added, an app's owner anything. Raises AccessError and then deletes nothing,
    NotFoundError when none is there, InputError for more than 10,000 at once.
    """
    if token and not re.fullmatch("[0-9a-f]{32}", token):
        raise InputError("token: the one that an earlier deletion gave is needed, or none.", argument="token")
    rows = visible(user, inputs)
    require_deleter(user, rows)
    token = token or secrets.token_hex(16)
    now = timezone.now()
    for some in labels.batches(rows):
        ids = [row.pk for row in some]
        Input.objects.filter(pk__in=ids).update(deleted_at=now, delete_token=token)
        search.remove(ids)
    ledger.count(rows, -1)
    return token


@transaction.atomic
def restore_inputs(user: User, token: str) -> list[Input]:
    """Bring back what was deleted together. One whose id was taken meanwhile comes back under a new one.

    Raises NotFoundError when it was too late, or is not theirs to bring back.
    """
    gone = Input.objects.filter(delete_token=token, deleted_at__gte=timezone.now() - UNDO)
    rows = list(gone.select_related("app__owner", "reference")) if token else []
    if not rows:
        raise NotFoundError("It is too late: these inputs are gone.")
    require_editor(user, rows)
    taken = _taken(rows)
    for row in rows:
        row.deleted_at, row.delete_token = None, ""
        row.slug = new_input_id() if (row.app_id, row.slug) in taken else row.slug
    Input.objects.bulk_update(rows, ["deleted_at", "delete_token", "slug"], batch_size=_AT_ONCE)
    for some in labels.batches(rows):
        ledger.index(some)
    ledger.count(rows)
    return rows


def _taken(rows: Sequence[Input]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for some in labels.batches(rows):
        slugs, apps = {row.slug for row in some}, {row.app_id for row in some}
        found |= set(Input.objects.alive().filter(In(SHELF, list(apps)), slug__in=slugs).values_list("app", "slug"))
    return found


def purge(*, at_once: bool = False) -> int:
    """Remove for good what was deleted ten minutes ago, or all that was; how many inputs went."""
    before = timezone.now() if at_once else timezone.now() - UNDO
    count = 0
    while ids := list(Input.objects.filter(deleted_at__lte=before).values_list("pk", flat=True)[:_AT_ONCE]):
        count += _purge_some(ids)
    if count:
        logger.info("%d deleted inputs are gone for good", count)
    return count


@receiver(pre_delete, sender=App)
def _forget_app(instance: App, **_: Any) -> None:
    """Its inputs go with it: they are found no more, and their files go once it is gone."""
    ids = list(Input.objects.filter(app=instance).values_list("pk", flat=True))
    files: set[str | None] = set()
    for start in range(0, len(ids), _AT_ONCE):
        files |= _files_of(ids[start : start + _AT_ONCE])
    search.remove(ids)
    transaction.on_commit(lambda: _let_go(list(files)))


def _let_go(files: Sequence[str | None]) -> None:
    for start in range(0, len(files), _AT_ONCE):
        ledger.let_go(files[start : start + _AT_ONCE])


def _files_of(ids: Sequence[int]) -> set[str | None]:
    """Of these inputs, and of what was predicted on them."""
    of_predictions = Prediction.files.through.objects.filter(prediction__input__in=ids)
    files: set[str | None] = set(Input.objects.filter(pk__in=ids).values_list("reference", flat=True))
    return files | set(of_predictions.values_list("reference", flat=True))


def _purge_some(ids: list[int]) -> int:
    with transaction.atomic():
        rows = Input.objects.filter(pk__in=ids, deleted_at__isnull=False)
        files = _files_of(ids)
        search.remove(ids)
        _, removed = rows.delete()
    ledger.let_go(files)
    return removed.get("inputs.Input", 0)


def forget_jobs() -> None:
    """What came of old uploads is asked for by nobody any more."""
    AddJob.objects.filter(modified_at__lt=timezone.now() - 1440 * UNDO).delete()
