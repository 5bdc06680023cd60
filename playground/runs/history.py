"""What one does with runs that are kept: read them, give their link away, delete them and think better of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from playground.catalog.models import Model, User, Workflow
from playground.protocol.errors import ConflictError, NotFoundError
from playground.runs.models import Run, RunQuerySet, new_share_key
from playground.runs.writer import settle, unstored_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.media.models import Reference

UNDO = timedelta(minutes=10)
MOST_AT_ONCE = 1000
RELATED = ("model__app__owner", "workflow__app__owner")


def list_runs(user: User, subject: Model | Workflow | None = None) -> RunQuerySet:
    """One's runs of what one still sees, newest first; what pages were told is in storage by then."""
    settle(unstored_of(user_id=user.pk))
    found = Run.objects.visible_to(user).of_what_is_seen_by(user)
    return (found.of(subject) if subject else found).order_by("-created_at", "-pk")


def find_run(user: User, run_id: UUID, key: str = "") -> Run:
    """A run to read: one's own, or the one whose link, with this key, was given away. Raises NotFoundError.

    What it called must still be something that its owner sees.
    """
    settle(unstored_of(run_id=run_id))
    runs = Run.objects.visible_to(user, key=key).select_related(*RELATED, "user", "version", "workflow_version")
    run = runs.filter(pk=run_id).first()
    if run is None or not Run.objects.filter(pk=run.pk).of_what_is_seen_by(run.user).exists():
        raise NotFoundError(f"No run {run_id} for you. It does not exist, or is not shared with you.")
    return run


def find_own(user: User, run_id: UUID) -> Run:
    """A run to act on. Raises NotFoundError."""
    return find_run(user, run_id)


def share(user: User, run_id: UUID) -> Run:
    """Let everybody who is signed in here read it by its link; a link that there is stays."""
    run = find_own(user, run_id)
    Run.objects.filter(pk=run.pk, share_key="").update(share_key=new_share_key())
    run.refresh_from_db(fields=["share_key"])
    return run


def unshare(user: User, run_id: UUID) -> Run:
    """Its link leads nowhere from now on; a later one will be another."""
    run = find_own(user, run_id)
    run.share_key = ""
    run.save(update_fields=["share_key"])
    return run


def delete_runs(user: User, run_ids: Iterable[UUID]) -> list[UUID]:
    """Delete one's runs; for a while they can be brought back. Those that still go on stay.

    Raises ConflictError when none of them has ended, NotFoundError when there is none.
    """
    settle(unstored_of(user_id=user.pk))
    found = dict(Run.objects.visible_to(user).filter(pk__in=[*run_ids][:MOST_AT_ONCE]).values_list("pk", "state"))
    if not found:
        raise NotFoundError("No such run for you: it was deleted before, or is not yours.")
    ended = [pk for pk, state in found.items() if state != Run.State.RUNNING]
    if not ended:
        raise ConflictError("This run is still going on: stop it first, then delete it.")
    Run.objects.filter(pk__in=ended).update(deleted_at=timezone.now())
    return ended


def restore_runs(user: User, run_ids: Iterable[UUID]) -> int:
    """Bring back what was just deleted; how many runs that were. Raises NotFoundError when it was too late."""
    since = timezone.now() - UNDO
    gone = Run.objects.filter(user=user, pk__in=[*run_ids][:MOST_AT_ONCE], deleted_at__gte=since)
    count = gone.update(deleted_at=None)
    if not count:
        raise NotFoundError("It is too late: these runs are gone.")
    return count


def files_of(run: Run) -> list[Reference]:
    """The stored files that the run was given and gave, in the order in which they came."""
    uses = run.files.select_related("reference__blob").order_by("pk")
    return [use.reference for use in uses]


def search(runs: RunQuerySet, text: str) -> RunQuerySet:
    """The runs in whose words each of these is: of what was asked, answered, or went wrong; or that have this id."""
    for word in text.casefold().split()[:8]:
        by_id = Q(pk=UUID(word)) if _is_uuid(word) else Q()
        runs = runs.filter(Q(searched__contains=word) | by_id)
    return runs


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
