"""What is kept exact beside the rows, in the same transactions: how many there are, and what they are found by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.db.models import F

from inputs import search
from inputs.models import Input, Kind, Prediction, Tally
from inputs.search import MAX_TEXT, Entry
from playground.catalog.models import App
from playground.media import services as media
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from playground.media.models import Reference


def hold(app: App) -> None:
    """Nobody else adds to this app, or takes from it, until the transaction ends. (SQLite has one writer anyway.)"""
    App.objects.select_for_update().get(pk=app.pk)


def count(rows: Iterable[Input], sign: int = 1) -> None:
    """So many more of each kind, or fewer with ``sign`` -1."""
    found: Counter[tuple[int, str]] = Counter((row.app_id, row.kind) for row in rows)
    for (app_id, kind), number in found.items():
        if not Tally.objects.filter(app=app_id, kind=kind).update(count=F("count") + sign * number):
            Tally.objects.create(app_id=app_id, kind=kind, count=max(0, sign * number))


def index(rows: Sequence[Input], texts: Mapping[int, str] | None = None) -> None:
    """Let the rows be found by their words as they are now. ``texts`` are those at hand; others are read."""
    known = texts or {}
    search.put([entry_of(row, known[row.pk] if row.pk in known else text_of(row)) for row in rows])


def entry_of(row: Input, text: str = "") -> Entry:
    pairs = search.pairs_of(row.metadata)
    said = " ".join(f"{key} {value}" for key, value in pairs)
    words = "\n".join(part for part in (row.name, row.slug, said, text) if part)
    origin = ((search.ORIGIN, row.source_url),) if row.source_url else ()
    return Entry(row.pk, row.app_id, row.kind, words, pairs + origin)


def text_of(row: Input) -> str:
    """A text's beginning, as far as it is found by its words; "" for other kinds."""
    if row.kind != Kind.TEXT or row.reference is None:
        return ""
    try:
        with media.open_bytes(row.reference) as file:
            return file.read(MAX_TEXT * 4).decode(errors="ignore")[:MAX_TEXT]
    except NotFoundError:
        return ""


def let_go(reference_ids: Iterable[str | None]) -> None:
    """Files that inputs or predictions had go where no other has them: at once, unless a run has them too."""
    ids = {one for one in reference_ids if one}
    ids -= set(Input.objects.filter(reference__in=ids).values_list("reference", flat=True))
    ids -= set(Prediction.files.through.objects.filter(reference__in=ids).values_list("reference", flat=True))
    media.let_go(ids)


def take_up(reference: Reference) -> None:
    """An input has it now."""
    type(reference).objects.filter(pk=reference.pk).update(is_kept=True, is_held=True)
