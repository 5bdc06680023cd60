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

from inputs import nearest
from inputs.nearest import Bounds, Sample

ORIGIN = "\0origin"  # beside the keys of metadata: the address that an input was fetched from
MAX_TEXT = 100_000  # characters of a text that can be found by its words
SHORT = 4  # letters: the index has a list of what each beginning up to this is in
_WORD = re.compile(r"\w+")
_SLOW = re.compile(rf'\w{{{SHORT + 1},}}" \*')
_MAX_WORDS = 12
_MAX_ENDINGS = 16
_LAST = "\U0010ffff"  # stands behind all letters


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
    """Words, each the beginning of one that is there, and exact marks: all of them. A quoted part is one phrase.

    ``app_id`` is None where what is found is looked at anyway, and most of it is of the app.
    """

    app_id: int | None
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
        app = [] if self.app_id is None else [_of_app(self.app_id)]
        return app + [mark_of(key, value) for key, value in self.pairs]

    @property
    def is_hopeless(self) -> bool:
        """Words were typed, and none has a letter or digit: nothing is found by them."""
        return bool(self.words.strip()) and not self.phrases


def find(query: Query, *, limit: int, after: int = 0, is_oldest_first: bool = False) -> list[int]:
    """Ids of inputs, newest first or oldest first, beyond ``after`` (0: from the start). Deleted ones may be among
    them for a while."""
    if query.is_hopeless:
        return []
    bounds = Bounds(query.span, after, is_oldest_first)
    if connection.vendor == "postgresql":
        return nearest.find(_text(query), bounds, limit)
    where, parameters = bounds.where()
    sql = f"SELECT rowid FROM inputs_search WHERE inputs_search MATCH %s{where} ORDER BY rowid {bounds.order} LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [_text(query), *parameters, limit])
        return [row[0] for row in cursor.fetchall()]


def is_match(query: Query, *, one_by_one: bool = False) -> RawSQL:
    """A condition for a query of inputs: that this one is found. All that match are gathered once for the query, or,
    where few rows are asked about, each is looked up by itself."""
    if query.is_hopeless:
        return RawSQL("1 = 0", [], output_field=BooleanField())
    text = _text(query)
    found = f"SELECT rowid FROM inputs_search WHERE {_matches()}"
    is_each = one_by_one and not _SLOW.search(text)
    sql = f"EXISTS ({found} AND rowid = inputs_input.id)" if is_each else f"inputs_input.id IN ({found})"
    return RawSQL(sql, [text], output_field=BooleanField())


def sample(query: Query, most: int) -> Sample:
    """The newest that is found, more than ``most`` only where there is more; with what part of all that will be."""
    if query.is_hopeless:
        return Sample([], is_all=True, share=0)
    if connection.vendor == "postgresql":
        return nearest.sample(_text(query), query.span, most)
    ids = find(query, limit=most + 1)
    return Sample(ids, is_all=len(ids) <= most, share=len(ids) / (ids[0] - ids[-1] + 1) if ids else 0)


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
    phrases = [f"words : ({' OR '.join(_endings(words))})" for words in query.phrases]
    kinds = [f"marks : ({' OR '.join(map(_of_kind, query.kinds))})"] if query.kinds else []
    return " AND ".join([*phrases, *(f"marks : {mark}" for mark in query.marks), *kinds])


def _endings(words: list[str]) -> list[str]:
    """A phrase with each word that its last one begins, where those are few: SQLite merges the lists of all that a long
    beginning stands for at each look-up, and has those of words and of short beginnings as they are."""
    *ahead, last = words
    there = _beginning_with(last) if last.isascii() and len(last) > SHORT else []
    if 0 < len(there) <= _MAX_ENDINGS:
        return [f'"{" ".join([*ahead, word])}"' for word in there]
    if there and _is_as_short(last):
        last = last[:SHORT]
    return [f'"{" ".join([*ahead, last])}" *']


def _beginning_with(beginning: str) -> list[str]:
    """The index's words that do; one more than ``_MAX_ENDINGS`` where there are more than that."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE there (word) AS ("
            "SELECT (SELECT term FROM inputs_search_words WHERE term >= %s LIMIT 1) UNION ALL "
            "SELECT (SELECT term FROM inputs_search_words WHERE term >= there.word || char(1) LIMIT 1) "
            "FROM there WHERE there.word < %s LIMIT %s) SELECT word FROM there WHERE word < %s",
            [beginning, beginning + _LAST, _MAX_ENDINGS + 1, beginning + _LAST],
        )
        return [row[0] for row in cursor.fetchall()]


def _is_as_short(beginning: str) -> bool:
    """Whether every word that begins with its first letters begins with all of it."""
    short = beginning[:SHORT]
    among = "SELECT 1 FROM inputs_search_words WHERE term >= %s AND term < %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS ({among}) OR EXISTS ({among})", [short, beginning, beginning + _LAST, short + _LAST]
        )
        return not cursor.fetchone()[0]


def _batches(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
