"""Putting what was looked into in its place, and writing into a row what was found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inputs.models import Input, Status
from inputs.pictures import THUMBNAIL
from inputs.services import ledger
from inputs.services.looking import Looked
from playground.media import blobs
from playground.media import services as media
from playground.media.kinds import Kind

if TYPE_CHECKING:
    from playground.catalog.models import User
    from playground.media.models import Reference


def put(looked: Looked) -> None:
    with looked.path.open("rb") as file:
        blobs.put(file, looked.sha256)
    if looked.seen.thumbnail:
        blobs.put_made(looked.seen.thumbnail, looked.sha256, THUMBNAIL)


def put_missing(looked: Sequence[Looked]) -> None:
    """Under the lock: what a sweep took away in between is put there again."""
    for one in looked:
        if not blobs.exists(one.sha256):
            put(one)


def fill(row: Input, looked: Looked) -> None:
    """Write into the row what was found out about its bytes."""
    seen = looked.seen
    row.kind, row.name = looked.kind, row.name or looked.name
    row.status, row.status_words = Status.READY, ""
    row.width, row.height, row.duration_s = seen.width, seen.height, seen.duration_s
    row.captured_at, row.facts = seen.captured_at, {**row.facts, **looked.facts}
    row.has_thumbnail = bool(seen.thumbnail)


def refer(user: User, looked: Looked, given: Reference | None = None) -> Reference:
    """The reference by which an input holds its bytes; the blob's lock is held."""
    if given is not None and given.blob_id == looked.sha256 and (given.owner_id == user.pk or given.is_sample):
        ledger.take_up(given)
        return given
    kind = Kind(looked.content_type, looked.seen.width, looked.seen.height)
    return media.refer_to(looked.sha256, looked.size, kind, user, looked.name)
