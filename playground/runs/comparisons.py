"""Comparisons that are kept: made, changed, read by their link, and which runs are in them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Max

from playground.media.models import Reference
from playground.protocol.errors import InputError, NotFoundError
from playground.runs.models import ComparedRun, Comparison, Round, Run, new_share_key
from playground.runs.writer import settle, unstored_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.catalog.models import User

MOST_PANES = 6
MOST_REPEATS = 50
LARGEST = 2_500_000  # bytes of an input: a text of 2 MB
LARGEST_TARGET = 100_000
MOST_KEPT = 500
MOST_ROUNDS = 50
KINDS = ("text", "image", "audio", "video")


@dataclass(frozen=True)
class Content:
    """What a comparison asks, and whom; checked. ``panes`` are (id, target)."""

    kind: str
    given: Any
    panes: tuple[tuple[str, str], ...]
    name: str = ""
    reference: str = ""


@dataclass
class Series:
    """The runs of one pane in one round, by turn: those that count. ``planned`` is how many there are to be."""

    pane: str
    runs: list[Run] = field(default_factory=list)
    warm_up: Run | None = None
    planned: int = 0
    left: list[tuple[int, str]] = field(default_factory=list)  # noted, and never begun: (turn, run's id)

    @property
    def ended(self) -> list[Run]:
        return [run for run in self.runs if not run.is_running]

    @property
    def shown(self) -> Run | None:
        """The newest that has something to show."""
        answered = [run for run in self.runs if run.output_count or run.is_running]
        return next(reversed(answered or self.runs), self.warm_up)


def read_content(plain: dict[str, Any]) -> Content:
    """A comparison as a page sends it. Raises InputError that names what is wrong."""
    kind, panes, name = plain.get("kind"), plain.get("panes"), plain.get("name", "")
    if kind not in KINDS:
        raise InputError(f"kind: one of {', '.join(KINDS)} is needed.")
    if not isinstance(panes, list) or not 1 <= len(panes) <= MOST_PANES:
        raise InputError(f"panes: 1 to {MOST_PANES} are needed.")
    if not isinstance(name, str):
        raise InputError("name: a text is needed.")
    read = tuple(_read_pane(pane) for pane in panes)
    if len({pane for pane, _ in read}) < len(read):
        raise InputError("panes: each needs an id of its own.")
    given = plain.get("given")
    if not isinstance(given, str | dict | None) or len(orjson.dumps(given)) > LARGEST:
        raise InputError("given: a text of at most 2 MB, or a file's place, is needed.")
    reference = plain.get("reference", "")
    return Content(
        kind=kind,
        given=given,
        panes=read,
        name=" ".join(name.replace("\0", "").split())[:120],
        reference=reference if reference in {pane for pane, _ in read} else "",
    )


def _read_pane(plain: Any) -> tuple[str, str]:
    pane, target = (plain.get("id"), plain.get("target")) if isinstance(plain, dict) else (None, None)
    if not isinstance(pane, str) or not (1 <= len(pane) <= 8 and pane.isascii() and pane.isalnum()):
        raise InputError("panes: an id of up to 8 letters and digits is needed.")
    if not isinstance(target, str) or not target or len(target) > LARGEST_TARGET or "\0" in target:
        raise InputError("panes: a target is needed, like owner/main/models/hello?method=predict.")
    return pane, target


def find_comparison(user: User, pk: UUID, key: str = "") -> Comparison:
    """One's own, or the one whose link, with this key, was given away. Raises NotFoundError."""
    found = Comparison.objects.visible_to(user, key=key).select_related("user").filter(pk=pk).first()
    if found is None:
        raise NotFoundError(f"No comparison {pk} for you. It does not exist, or is not shared with you.")
    return found


@transaction.atomic
def keep_comparison(user: User, pk: UUID | None, content: Content) -> Comparison:
    """Make a comparison, or change one's own; past 500 the oldest without a name go. Raises NotFoundError."""
    row = find_comparison(user, pk) if pk else Comparison(user=user)
    row.kind, row.given, row.reference = content.kind, content.given, content.reference
    row.name = content.name
    row.panes = [{"id": pane, "target": target} for pane, target in content.panes]
    row.save()
    if pk is None:
        mine = Comparison.objects.filter(user=user, name="", share_key="").order_by("-modified_at")
        Comparison.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[MOST_KEPT:])).delete()
    return row


def note_runs(row: Comparison, runs: Sequence[tuple[str, int, UUID]], round_number: int | None = None) -> int:
    """Give runs that are about to begin their places, as (pane, turn, id); returns their round, a new one for None."""
    panes = {pane["id"] for pane in row.panes}
    if len(runs) > MOST_PANES * (MOST_REPEATS + 1) or any(
        pane not in panes or not 0 <= turn <= 1000 for pane, turn, _ in runs
    ):
        raise InputError("runs: a pane of the comparison, the number of a turn, and a run's id are needed.")
    with transaction.atomic():
        number = round_number or last_round(row) + 1
        if round_number is None:
            _begin_round(row, number, max((turn for _, turn, _ in runs), default=1))
        rows = [ComparedRun(comparison=row, run_id=run, pane=pane, round=number, turn=turn) for pane, turn, run in runs]
        ComparedRun.objects.bulk_create(rows, ignore_conflicts=True)
    return number


def _begin_round(row: Comparison, number: int, repeats: int) -> None:
    """Keeps what is asked now; past 50 rounds the oldest go."""
    facts = {"kind": row.kind, "given": row.given, "panes": row.panes, "reference": row.reference}
    Round.objects.create(comparison=row, number=number, repeats=min(max(repeats, 1), MOST_REPEATS), **facts)
    if number > MOST_ROUNDS:
        row.rounds.filter(number__lte=number - MOST_ROUNDS).delete()
        row.runs.filter(round__lte=number - MOST_ROUNDS).delete()


def list_rounds(row: Comparison) -> list[Round]:
    """The newest first; what each asked is not read."""
    return list(row.rounds.defer("given").order_by("-number"))


def as_of_round(row: Comparison, number: int) -> Comparison:
    """The comparison as it stood in an earlier round, not to be saved. Raises NotFoundError."""
    found = row.rounds.filter(number=number).first()
    if found is None:
        raise NotFoundError(f"The comparison has no round {number}.")
    past = copy(row)
    past.kind, past.given, past.panes, past.reference = found.kind, found.given, found.panes, found.reference
    return past


def last_round(row: Comparison) -> int:
    return row.runs.aggregate(last=Max("round"))["last"] or 0


def read_series(row: Comparison, round_number: int = 0) -> list[Series]:
    """The runs of a round, the newest for 0, of each pane in the panes' order; what pages were told is stored by then.

    They are always runs of the comparison's owner: nobody reads another's run by putting its id in here.
    """
    settle(unstored_of(user_id=row.user_id))
    number = round_number or last_round(row)
    changed = _changed_since(row, number)
    series = {pane["id"]: Series(pane["id"]) for pane in row.panes}
    places = list(row.runs.filter(round=number, pane__in=series.keys() - changed).order_by("turn", "pk"))
    mine = Run.objects.filter(user=row.user_id, deleted_at=None).of_what_is_seen_by(row.user)
    found = mine.select_related("model__app__owner", "version")
    runs = found.defer("searched").in_bulk([place.run_id for place in places])
    for place in places:
        run = runs.get(place.run_id)
        one = series[place.pane]
        one.planned += 1 if place.turn else 0
        if run is None:
            one.left.append((place.turn, str(place.run_id)))
            continue
        if place.turn:
            one.runs.append(run)
        else:
            one.warm_up = run
    return list(series.values())


def _changed_since(row: Comparison, number: int) -> set[str]:
    """The panes that call something else than they did in that round."""
    found = row.rounds.filter(number=number).values_list("panes", flat=True).first()
    known = {pane["id"]: _without_prompt(pane["target"]) for pane in found or ()}
    return {pane["id"] for pane in row.panes if known.get(pane["id"], "") not in ("", _without_prompt(pane["target"]))}


def _without_prompt(target: str) -> str:
    model, _, query = target.partition("?")
    return f"{model}?{'&'.join(part for part in query.split('&') if not part.startswith('prompt='))}"


def find_file(row: Comparison, media_id: str) -> Reference | None:
    """A stored file of the comparison: of its input, or of one of its runs."""
    given = [row.given, *row.rounds.values_list("given", flat=True)]
    if any(isinstance(one, dict) and one.get("media") == media_id for one in given):
        return Reference.objects.visible_to(row.user).select_related("blob").filter(pk=media_id).first()
    uses = Reference.objects.select_related("blob").filter(
        pk=media_id, run_uses__run__user=row.user_id, run_uses__run__deleted_at=None
    )
    ids = row.runs.values("run_id")
    return uses.filter(run_uses__run__in=ids).first()


def share_comparison(user: User, pk: UUID, *, is_shared: bool) -> Comparison:
    """Let everybody who is signed in here read it by its link, or no more; a later link is another one."""
    row = find_comparison(user, pk)
    if bool(row.share_key) != is_shared:
        row.share_key = new_share_key() if is_shared else ""
        row.save(update_fields=["share_key"])
    return row


def delete_comparison(user: User, pk: UUID) -> None:
    """Its runs stay in the history. Raises NotFoundError."""
    find_comparison(user, pk).delete()
