"""Finding inputs by words: FTS5 on SQLite, tsvector on Postgres, behind ``find``.

A row of the index holds an input's words (name, id, text, metadata) and its marks: exact tokens for its app, its kind
and each pair of its metadata, so that one look-up narrows by all of these at once. The index knows no rows by key: what
is found is ids of inputs, newest first.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

ORIGIN = "\0origin"  # beside the keys of metadata: the address that an input was fetched from
MAX_TEXT = 100_000  # characters of a text that can be found by its words
_WORD = re.compile(r"\w+")
_MAX_WORDS = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """What an input can be found by."""

    input_id: int
    app_id: int
    kind: str
    words: str
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def marks(self) -> list[str]:
        return [_of_app(self.app_id), _of_kind(self.kind), *(mark_of(key, value) for key, value in self.pairs)]


@dataclass(frozen=True, slots=True)
class Query:
    """Words, each the beginning of one that is there, and exact marks: all of them. A quoted part is one phrase."""

    app_id: int
    words: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    kinds: tuple[str, ...] = ()
    span: tuple[int, int] | None = None  # the least and the greatest id to look among

    @property
    def is_empty(self) -> bool:
        return not self.phrases and not self.pairs

    @property
    def phrases(self) -> list[list[str]]:
        """Each typed word as the words that the index has it as: ``IMG_12.jpg`` is ``img``, ``12``, ``jpg``."""
        parts = [_words(part) for part in _quoted(self.words)]
        return [part for part in parts if part][:_MAX_WORDS]

    @property
    def marks(self) -> list[str]:
        return [_of_app(self.app_id), *(mark_of(key, value) for key, value in self.pairs)]

    @property
    def is_hopeless(self) -> bool:
        """Words were typed, and none has a letter or digit: nothing is found by them."""
        return bool(self.words.strip()) and not self.phrases


def find(query: Query, *, limit: int, after: int = 0, is_oldest_first: bool = False) -> list[int]:
    """Ids of inputs, newest first or oldest first, beyond ``after`` (0: from the start). Deleted ones may be among
    them for a while."""
    if query.is_hopeless:
        return []
    bound = ("rowid > %s" if is_oldest_first else "rowid < %s") if after else ""
    order = "ASC" if is_oldest_first else "DESC"
    among = "rowid BETWEEN %s AND %s" if query.span else ""
    where = " AND ".join(part for part in (_matches(), bound, among) if part)
    sql = f"SELECT rowid FROM inputs_search WHERE {where} ORDER BY rowid {order} LIMIT %s"
    parameters: list[Any] = [_text(query), *([after] if after else []), *(query.span or ()), limit]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


def is_match(query: Query, *, one_by_one: bool = False) -> RawSQL:
    """A condition for a query of inputs: that this one is found. All that match are gathered once for the query, or,
    where few rows are asked about, each is looked up by itself."""
    if query.is_hopeless:
        return RawSQL("1 = 0", [], output_field=BooleanField())
    found = f"SELECT rowid FROM inputs_search WHERE {_matches()}"
    sql = f"EXISTS ({found} AND rowid = inputs_input.id)" if one_by_one else f"inputs_input.id IN ({found})"
    return RawSQL(sql, [_text(query)], output_field=BooleanField())


def put(entries: Iterable[Entry]) -> None:
    """Make these inputs be found by what they say now. Call it in the transaction that writes them."""
    rows = [(entry.input_id, " ".join(_words(entry.words)), " ".join(entry.marks)) for entry in entries]
    remove([row[0] for row in rows])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.executemany(
                "INSERT INTO inputs_search (rowid, words) "
                "VALUES (%s, to_tsvector('simple', left(%s, 200000)) || to_tsvector('simple', %s))",
                rows,
            )
        else:
            cursor.executemany("INSERT INTO inputs_search (rowid, words, marks) VALUES (%s, %s, %s)", rows)


def remove(input_ids: Sequence[int]) -> None:
    """Let these inputs be found no more."""
    with connection.cursor() as cursor:
        for some in _batches(input_ids, 500):
            places = ", ".join(["%s"] * len(some))
            cursor.execute(f"DELETE FROM inputs_search WHERE rowid IN ({places})", list(some))


def mark_of(key: str, value: str) -> str:
    """The token of a pair of metadata, whatever characters it has."""
    return "m" + hashlib.sha256(f"{key}\0{value}".encode("utf-8", "surrogatepass")).hexdigest()[:20]


def pairs_of(metadata: Any) -> tuple[tuple[str, str], ...]:
    """The pairs that metadata is filtered by: ``{"camera": {"iso": 200}}`` has ``camera.iso`` = ``200``."""
    return tuple(dict.fromkeys(_pairs("", metadata)))[:200]


def _pairs(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _pairs(f"{path}.{key}" if path else str(key), part)
    elif isinstance(value, list):
        for part in value:
            yield from _pairs(path, part)
    elif path:
        yield path, _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))  # V2 has all numbers as doubles
    return "null" if value is None else str(value)


def _of_app(app_id: int) -> str:
    return f"a{app_id}"


def _of_kind(kind: str) -> str:
    return f"k{kind}"


def _words(text: str) -> list[str]:
    """The same cut for what is kept and what is asked, whatever a database takes for a word."""
    return _WORD.findall(folded(text).replace("_", " "))


def folded(text: str) -> str:
    """As words are compared: in small letters, without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _quoted(words: str) -> list[str]:
    """``cup "red table"`` as ``cup`` and ``red table``."""
    parts: list[str] = []
    for number, part in enumerate(words.split('"')):
        parts += [part] if number % 2 else part.split()
    return parts


def _matches() -> str:
    return "words @@ to_tsquery('simple', %s)" if connection.vendor == "postgresql" else "inputs_search MATCH %s"


def _text(query: Query) -> str:
    """The query in the index's own language. Words are of letters and digits alone, so nothing needs escaping."""
    if connection.vendor == "postgresql":
        phrases = [f"({' <-> '.join([*words[:-1], f'{words[-1]}:*'])})" for words in query.phrases]
        kinds = [f"({' | '.join(map(_of_kind, query.kinds))})"] if query.kinds else []
        return " & ".join([*phrases, *query.marks, *kinds])
    phrases = [f'words : "{" ".join(words)}" *' for words in query.phrases]
    kinds = [f"marks : ({' OR '.join(map(_of_kind, query.kinds))})"] if query.kinds else []
    return " AND ".join([*phrases, *(f"marks : {mark}" for mark in query.marks), *kinds])


def _batches(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
