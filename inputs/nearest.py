"""What a search finds on Postgres, by the order of ids, which its index of words does not have.

A common word is met soon on a walk along the ids; a rare one is gathered by the index of words, and what it finds is
put in order. Which it is, the inputs at the beginning of the walk say: Postgres itself takes every beginning of a word
for equally common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

NEAR = 10_000  # inputs that are looked at one by one, as many as it takes to tell
_GATHERED = 3  # what gathering an input costs, to looking at one


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which ids are looked among, and from which end."""

    span: tuple[int, int] | None = None
    after: int = 0
    is_oldest_first: bool = False

    @property
    def order(self) -> str:
        return "ASC" if self.is_oldest_first else "DESC"

    def where(self) -> tuple[str, list[Any]]:
        """As conditions to go on with, and their parameters."""
        beyond = f" AND rowid {'>' if self.is_oldest_first else '<'} %s" if self.after else ""
        among = " AND rowid BETWEEN %s AND %s" if self.span else ""
        return beyond + among, [*([self.after] if self.after else []), *(self.span or ())]


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest ids that a search finds; ``is_all``: there are no others. ``share``: of all inputs, about."""

    ids: list[int]
    is_all: bool
    share: float

    @property
    def number(self) -> float:
        """How many are found, about."""
        return len(self.ids) if self.is_all else self.share * self.ids[0]


def sample(text: str, span: tuple[int, int] | None, most: int) -> Sample:
    bounds = Bounds(span)
    near, looked_at = _near(text, bounds)
    share = len(near) / max(1, looked_at)
    if looked_at < NEAR:
        return Sample(near, is_all=len(near) <= most, share=share)
    if share * _newest() > most:
        return Sample(near, is_all=False, share=share)
    ids = _gather(text, bounds, most + 1)
    return Sample(ids, is_all=len(ids) <= most, share=share)


def find(text: str, bounds: Bounds, limit: int) -> list[int]:
    near, looked_at = _near(text, bounds)
    if len(near) >= limit or looked_at < NEAR:
        return near[:limit]
    share = len(near) / looked_at
    is_common = limit < share * share * _newest() * _GATHERED
    return _walk(text, bounds, limit) if is_common else _gather(text, bounds, limit)


def _near(text: str, bounds: Bounds) -> tuple[list[int], int]:
    """What fits of the first inputs, and how many those are."""
    where, parameters = bounds.where()
    nearest = f"SELECT rowid, words FROM inputs_search WHERE true{where} ORDER BY rowid {bounds.order} LIMIT %s"
    fits = "words @@ to_tsquery('simple', %s)"
    sql = f"SELECT array_agg(rowid) FILTER (WHERE {fits}), count(*) FROM ({nearest}) AS near"
    with connection.cursor() as cursor:
        cursor.execute(sql, [text, *parameters, NEAR])
        ids, looked_at = cursor.fetchone()
    return sorted(ids or [], reverse=not bounds.is_oldest_first), looked_at


def _walk(text: str, bounds: Bounds, limit: int) -> list[int]:
    where, parameters = bounds.where()
    # OFFSET 0 keeps Postgres from looking into the index of words.
    there = f"SELECT rowid, words FROM inputs_search WHERE true{where} ORDER BY rowid {bounds.order} OFFSET 0"
    sql = f"SELECT rowid FROM ({there}) AS there WHERE words @@ to_tsquery('simple', %s) LIMIT %s"
    return _ids(sql, [*parameters, text, limit])


def _gather(text: str, bounds: Bounds, limit: int) -> list[int]:
    where, parameters = bounds.where()
    gathered = "SELECT rowid FROM inputs_search WHERE words @@ to_tsquery('simple', %s)"
    sql = (
        f"WITH gathered AS MATERIALIZED ({gathered}) "
        f"SELECT rowid FROM gathered WHERE true{where} ORDER BY rowid {bounds.order} LIMIT %s"
    )
    return _ids(sql, [text, *parameters, limit])


def _ids(sql: str, parameters: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


def _newest() -> int:
    """The greatest id: about how many inputs there are."""
    (newest,) = _ids("SELECT coalesce(max(rowid), 0) FROM inputs_search", [])
    return newest
