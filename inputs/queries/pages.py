"""Pages of inputs by cursor, how many there are, and what stands beside one."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
from django.db.models import Q, Sum

from inputs import search
from inputs.models import Input, InputQuerySet, Tally
from inputs.queries.conditions import FEW, ONE_BY_ONE, Conditions, Few
from inputs.queries.filters import Filter
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from playground.catalog.models import App, User

LIMIT = 100
MAX_LIMIT = 1000
COUNTED = 10_000
MANY = f"{COUNTED:,}+"
NEAR = 150  # inputs that are looked for among the four times as many that are nearest
SORTED = 50_000  # inputs that are put in order sooner than that many are met in it
_SOME = 900  # ids in a query
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What inputs are ordered by: the value asked for, then the id. Searches have the id alone, as their index has.
Key: TypeAlias = tuple[Any, int]


@dataclass(frozen=True)
class Page:
    """Some inputs in their order; ``next`` and ``previous`` are what ``after`` and ``before`` take, "" at the ends."""

    rows: list[Input]
    next: str = ""
    previous: str = ""


@dataclass(frozen=True)
class Around:
    """What stands beside an input in a filter's order, the nearest first; and which one it is of them, from 1."""

    before: list[Input] = field(default_factory=list)
    after: list[Input] = field(default_factory=list)
    place: int | None = None

    @property
    def previous(self) -> Input | None:
        return self.before[0] if self.before else None

    @property
    def next(self) -> Input | None:
        return self.after[0] if self.after else None


def page(
    user: User | AnonymousUser,
    app: App,
    wanted: Filter,
    *,
    after: str = "",
    before: str = "",
    limit: int = LIMIT,
    skip: int = 0,
) -> Page:
    """The inputs beyond a cursor, or after the first ``skip`` of all. Raises InputError for a cursor that is none."""
    limit = max(1, min(limit, MAX_LIMIT))
    order = _Order(wanted)
    ids = _ids(user, app, wanted, order, after or before, limit + 1, skip=skip, is_back=bool(before))
    there, beyond = ids[:limit], len(ids) > limit
    if before:
        there.reverse()
    rows = load(there)
    if not rows:
        return Page([])
    has_more, has_less = (bool(before), beyond) if before else (beyond, bool(after or skip))
    first, last = (_cursor(order.key(row)) for row in (rows[0], rows[-1]))
    return Page(rows, last if has_more or (before and rows) else "", first if has_less else "")


def ids(user: User | AnonymousUser, app: App, wanted: Filter, *, limit: int | None = None) -> list[int]:
    """Ids of all that fit, in order, for acts on all of them."""
    order = _Order(wanted)
    found: list[int] = []
    cursor = ""
    while limit is None or len(found) < limit:
        at_once = MAX_LIMIT * 10 if limit is None else min(MAX_LIMIT * 10, limit - len(found))
        some = _ids(user, app, wanted, order, cursor, at_once)
        found += some
        if len(some) < at_once:
            break
        cursor = _cursor(order.key(Input.objects.get(pk=some[-1])))
    return found[:limit]


def total(app: App) -> int:
    """How many inputs the app has in all, from its tallies."""
    return Tally.objects.filter(app=app).aggregate(total=Sum("count"))["total"] or 0


def count(user: User | AnonymousUser, app: App, wanted: Filter) -> int | str:
    """How many fit: exact up to 10,000, and where only types are asked for; else "10,000+"."""
    if not _may_see(user, app):
        return 0
    if not wanted.is_beyond_types:
        tallies = Tally.objects.filter(app=app)
        tallies = tallies.filter(kind__in=wanted.types) if wanted.types else tallies
        return tallies.aggregate(total=Sum("count"))["total"] or 0
    conditions = Conditions(app, wanted)
    few = conditions.few()
    if few is not None:
        found = sum(rows.count() for rows in _among(conditions, few))
    elif conditions.is_searching:
        found = _count_searched(conditions)
    else:
        found = conditions.rows().order_by()[: COUNTED + 1].count()
    return found if found <= COUNTED else MANY


def _count_searched(conditions: Conditions) -> int:
    found, after = 0, 0
    while found <= COUNTED:
        some = _found(conditions, COUNTED, after, is_up=False)
        found += sum(rows.count() for rows in _among(conditions, Few(some, is_searched=True)))
        if len(some) < COUNTED:
            break
        after = some[-1]
    return found


def around(user: User | AnonymousUser, row: Input, wanted: Filter, *, reach: int = 1) -> Around:
    """The inputs before and after ``row`` in the filter's order, as many as ``reach`` on each side.

    ``place`` is None where that is past 10,000, or the input itself is not among those that fit.
    """
    order = _Order(wanted)
    here = _cursor(order.key(row))
    nearest = [_ids(user, row.app, wanted, order, here, reach, is_back=is_back) for is_back in (True, False)]
    ahead = _ids(user, row.app, wanted, order, here, COUNTED, is_back=True)
    is_among = _is_among(row, wanted)
    place = len(ahead) + 1 if is_among and len(ahead) < COUNTED else None
    return Around(load(nearest[0]), load(nearest[1]), place)


def _is_among(row: Input, wanted: Filter) -> bool:
    return Conditions(row.app, wanted).searched(by_key=True, one_by_one=True).filter(pk=row.pk).exists()


def load(found: Sequence[int]) -> list[Input]:
    """These inputs with what pages show of them, in this order."""
    rows: dict[int, Input] = {}
    for start in range(0, len(found), _SOME):
        some = Input.objects.filter(pk__in=found[start : start + _SOME]).select_related("reference__blob")
        rows |= {row.pk: row for row in some.prefetch_related("app__owner", "owner")}  # few, of many inputs
    return [rows[pk] for pk in found if pk in rows]


class _Order:
    """By what a filter's inputs are ordered, and how one tells what comes after an input."""

    def __init__(self, wanted: Filter) -> None:
        is_searching = bool(wanted.words or wanted.metadata)
        self.field = "name" if wanted.order == "name" else "pk" if is_searching else "created_at"
        self.is_down = wanted.order == "newest"

    def key(self, row: Input) -> Key:
        return (row.pk if self.field == "pk" else getattr(row, self.field)), row.pk

    def sorted(self, rows: InputQuerySet, *, is_back: bool) -> InputQuerySet:
        sign = "-" if self.is_down != is_back else ""
        return rows.order_by(f"{sign}pk") if self.field == "pk" else rows.order_by(f"{sign}{self.field}", f"{sign}pk")

    def beyond(self, rows: InputQuerySet, key: Key | None, *, is_back: bool) -> InputQuerySet:
        if key is None:
            return rows
        value, pk = key
        sign = "lt" if self.is_down != is_back else "gt"
        if self.field == "pk":
            return rows.filter(**{f"pk__{sign}": pk})
        # The first condition alone is what an index is entered by.
        past = Q(**{f"{self.field}__{sign}": value}) | Q(**{self.field: value, f"pk__{sign}": pk})
        return rows.filter(past, **{f"{self.field}__{sign}e": value})

    def walk(self, rows: InputQuerySet, key: Key | None, *, is_back: bool) -> QuerySet[Input, int]:
        """The ids of what comes after ``key``, in order."""
        return self.sorted(self.beyond(rows, key, is_back=is_back), is_back=is_back).values_list("pk", flat=True)

    def parse(self, cursor: str) -> Key | None:
        if not cursor:
            return None
        try:
            value, pk = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if not isinstance(pk, int):
                raise TypeError
            if self.field == "created_at":
                value = _EPOCH + timedelta(microseconds=value)
            return (str(value) if self.field == "name" else value), pk
        except (binascii.Error, ValueError, TypeError, OverflowError):
            raise InputError("This is no place in a list of inputs: go on from its beginning.") from None


def _cursor(key: Key) -> str:
    value, pk = key
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(orjson.dumps([value, pk])).decode().rstrip("=")


def _may_see(user: User | AnonymousUser, app: App) -> bool:
    return type(app).objects.with_role(user).filter(pk=app.pk).exists()


def _ids(
    user: User | AnonymousUser,
    app: App,
    wanted: Filter,
    order: _Order,
    cursor: str,
    limit: int,
    *,
    skip: int = 0,
    is_back: bool = False,
) -> list[int]:
    key = order.parse(cursor)
    if not _may_see(user, app):
        return []
    conditions = Conditions(app, wanted)
    few = conditions.few()
    if few is not None:
        keys = sorted(_keys(conditions, few, order, key, is_back), reverse=order.is_down != is_back)
        return [pk for _, pk in keys[skip : skip + limit]]
    if conditions.is_searching and order.field == "pk":
        return _walk_search(conditions, order, key, limit, skip, is_back=is_back)

    find = _search_by_name if conditions.is_searching else _walk
    return find(conditions, order, key, limit, skip, is_back=is_back)


def _walk(conditions: Conditions, order: _Order, key: Key | None, limit: int, skip: int, *, is_back: bool) -> list[int]:
    return list(order.walk(conditions.rows(), key, is_back=is_back)[skip : skip + limit])


def _search_by_name(
    conditions: Conditions, order: _Order, key: Key | None, limit: int, skip: int, *, is_back: bool
) -> list[int]:
    """What most inputs have is looked for in the nearest ones; of what many have, all is gathered and soon met by name;
    fewer are put in order."""
    last = skip + limit
    if 3 * conditions.sample.share > 1 and last <= NEAR:
        nearest = list(order.walk(conditions.rows(), key, is_back=is_back)[: 4 * last])
        each = conditions.searched(by_key=True, one_by_one=True).filter(pk__in=nearest)
        fitting = set(each.values_list("pk", flat=True))
        if len(fitting) >= last:
            return [pk for pk in nearest if pk in fitting][skip:last]
    rows = conditions.searched(by_key=conditions.sample.number < SORTED)
    return list(order.walk(rows, key, is_back=is_back)[skip:last])


def _among(conditions: Conditions, few: Few) -> Iterator[InputQuerySet]:
    """The rows of these ids that fit, in batches."""
    one_by_one = len(few.ids) <= ONE_BY_ONE
    is_known = few.is_searched or not conditions.is_searching
    rows = conditions.rows(by_key=True) if is_known else conditions.searched(by_key=True, one_by_one=one_by_one)
    for start in range(0, len(few.ids), FEW):
        yield rows.filter(pk__in=few.ids[start : start + FEW])


def _keys(conditions: Conditions, few: Few, order: _Order, key: Key | None, is_back: bool) -> Iterator[Key]:
    for rows in _among(conditions, few):
        yield from order.beyond(rows, key, is_back=is_back).order_by().values_list(order.field, "pk")


def _walk_search(
    conditions: Conditions, order: _Order, key: Key | None, limit: int, skip: int, *, is_back: bool
) -> list[int]:
    """In the index's own order, some at a time, until enough fit the rest of the filter."""
    is_up = order.is_down == is_back
    found: list[int] = []
    after, at_once = (key[1] if key else 0), max(limit + skip, 200)
    # The sample begins where the first page of the newest does.
    known = conditions.sample.ids[:at_once] if key is None and not is_up else []
    while len(found) < limit + skip:
        some = known if len(known) == at_once else _found(conditions, at_once, after, is_up=is_up)
        fitting = {
            pk for rows in _among(conditions, Few(some, is_searched=True)) for pk in rows.values_list("pk", flat=True)
        }
        found += [pk for pk in some if pk in fitting]
        if len(some) < at_once:
            break
        after, at_once, known = some[-1], min(at_once * 2, FEW), []
    return found[skip : skip + limit]


def _found(conditions: Conditions, limit: int, after: int, *, is_up: bool) -> list[int]:
    return search.find(conditions.query, limit=limit, after=after, is_oldest_first=is_up)
