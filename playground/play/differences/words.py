"""Two texts word by word: what both have, what only one has, and how alike they are."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

MOST_WORDS = 25_000  # a punctuation mark counts as one: some 20,000 of prose
SAME, GONE, NEW = "=", "-", "+"
# Fewer words than this between two changes are no landmark: a lone "the" would only tear a changed sentence to pieces.
_SHORT = 2
_LANDMARK = 3
_STRETCH = 5_000
_GLANCE = 12 * MOST_WORDS  # characters: enough for all of them, but in a text of very long words
_WORD = re.compile(r"\s*(?:\w+|[^\w\s])")


@dataclass(frozen=True)
class Diff:
    """``parts`` are (kind, text) in reading order; ``alike`` is from 0 to 1; ``is_cut`` where a text was too long."""

    alike: float
    parts: tuple[tuple[str, str], ...]
    is_cut: bool = False


@dataclass(frozen=True)
class _Words:
    """Words by number, as they are compared, and each with the white space before it as it is shown."""

    keys: list[int]
    shown: list[str]
    tail: str
    is_cut: bool


def compare_words(reference: str, other: str) -> Diff:
    """What of ``other`` is new against ``reference``, and what of that is gone in it; the first 25,000 of each."""
    numbers: dict[str, int] = {}
    old, new = _split(reference, numbers), _split(other, numbers)
    spans = _spans(old.keys, new.keys)
    same = sum(last - first for kind, first, last, _, _ in spans if kind == SAME)
    total = len(old.keys) + len(new.keys)
    parts: list[tuple[str, str]] = []
    for kind, first, last, start, end in _without_crumbs(spans):
        if kind == SAME:
            parts.append((SAME, "".join(new.shown[start:end])))
            continue
        if last > first:
            parts.append((GONE, "".join(old.shown[first:last])))
        if end > start:
            parts.append((NEW, "".join(new.shown[start:end])))
    if new.tail:
        parts.append((SAME, new.tail))
    return Diff(2 * same / total if total else 1.0, tuple(parts), old.is_cut or new.is_cut)


def _split(text: str, numbers: dict[str, int]) -> _Words:
    """``numbers`` has the number of each word met so far, and gets those of new ones."""
    shown = _WORD.findall(text, 0, _GLANCE)
    if len(shown) <= MOST_WORDS and len(text) > _GLANCE:
        shown = [found[0] for found in islice(_WORD.finditer(text), MOST_WORDS + 1)]
    is_cut = len(shown) > MOST_WORDS
    shown = shown[:MOST_WORDS]
    tail = "" if is_cut else text[sum(map(len, shown)) :]
    return _Words([numbers.setdefault(word.lstrip(), len(numbers)) for word in shown], shown, tail, is_cut)


def _spans(old: list[int], new: list[int]) -> list[tuple[str, int, int, int, int]]:
    """(kind, from, to, from, to) over both, in order; equal ends are set aside first, as they cost nothing."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    spans = [(SAME, 0, head, 0, head)] if head else []
    row, column = head, head
    last_row, last_column = len(old) - tail, len(new) - tail
    for at, to, length in _aligned(old[head:last_row], new[head:last_column]):
        start, end = at + head, to + head
        if start > row or end > column:
            spans.append((GONE, row, start, column, end))
        elif spans:  # it goes on where the last one ended
            _, start, _, end, _ = spans.pop()
        row, column = at + head + length, to + head + length
        spans.append((SAME, start, row, end, column))
    if row < last_row or column < last_column:
        spans.append((GONE, row, last_row, column, last_column))
    if tail:
        spans.append((SAME, len(old) - tail, len(old), len(new) - tail, len(new)))
    return spans


def _aligned(old: Sequence[int], new: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """What both have in order, as (place in old, place in new, length): between landmarks, which come once in each."""
    at = to = 0
    for row, column in [*_landmarks(old, new), (len(old), len(new))]:
        if row < at or column < to:
            continue
        if at < row and to < column:
            for first, start, length in _common(old[at:row], new[to:column]):
                yield first + at, start + to, length
        at, to = row, column
        while at < len(old) and to < len(new) and old[at] == new[to]:
            at, to = at + 1, to + 1
        if at > row:
            yield row, column, at - row


def _landmarks(old: Sequence[int], new: Sequence[int]) -> list[tuple[int, int]]:
    """Where words in a row stand that each text has just once, as many as follow one another in both."""
    base = max(max(old, default=0), max(new, default=0)) + 1
    groups, others = _groups(old, base), _groups(new, base)
    counts, there = Counter(groups), _once(others)
    rows = [row for row, group in enumerate(groups) if group in there and counts[group] == 1]
    columns = [there[groups[row]] for row in rows]
    # The longest chain that rises in both, the rows rising by themselves.
    ends: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for index, column in enumerate(columns):
        at = bisect.bisect_left(ends, column) if ends and column < ends[-1] else len(ends)
        before.append(chain[at - 1] if at else -1)
        ends[at : at + 1] = [column]
        chain[at : at + 1] = [index]
    found, index = [], chain[-1] if chain else -1
    while index >= 0:
        found.append((rows[index], columns[index]))
        index = before[index]
    return found[::-1]


def _groups(words: Sequence[int], base: int) -> list[int]:
    """Each few words in a row as one number."""
    groups = list(words)
    for start in range(1, _LANDMARK):
        groups = [group * base + word for group, word in zip(groups, words[start:], strict=False)]
    return groups


def _once(groups: Sequence[int]) -> dict[int, int]:
    counts = Counter(groups)
    return {group: place for place, group in enumerate(groups) if counts[group] == 1}


def _common(old: Sequence[int], new: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """What both have in order, as (place in old, place in new, length): of the words alone that stand in both.

    Texts with little in common but their small words are aligned a stretch at a time, so that none takes long.
    """
    both = set(old).intersection(new)
    if not both:
        return
    rows = [place for place, word in enumerate(old) if word in both]
    columns = [place for place, word in enumerate(new) if word in both]
    pieces = max(len(rows), len(columns)) // _STRETCH + 1
    for piece in range(pieces):
        some, others = (
            every[len(every) * piece // pieces : len(every) * (piece + 1) // pieces] for every in (rows, columns)
        )
        for row, column in _longest([old[place] for place in some], [new[place] for place in others]):
            yield some[row], others[column], 1


def _longest(old: Sequence[int], new: Sequence[int]) -> list[tuple[int, int]]:
    """A longest common subsequence as (place in old, place in new), in order.

    Hyyrö's bit-parallel algorithm: a row of the table is one large integer, so that 5,000 words against 5,000 are
    5,000 additions, not 25 million steps.
    """
    masks: dict[int, int] = {}
    for word, places in _places(old).items():
        bits = bytearray(len(old) // 8 + 1)
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        masks[word] = int.from_bytes(bits, "little")
    every = (1 << len(old)) - 1
    state, rows = every, []
    for word in new:
        met = state & masks.get(word, 0)
        state = ((state + met) | (state - met)) & every
        rows.append(state)
    found: list[tuple[int, int]] = []
    at, to = len(old), len(new)
    while at and to:
        if rows[to - 1] >> (at - 1) & 1:
            at -= 1
        elif to > 1 and not rows[to - 2] >> (at - 1) & 1:
            to -= 1
        else:
            at, to = at - 1, to - 1
            found.append((at, to))
    return found[::-1]


def _places(words: Sequence[int]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for place, word in enumerate(words):
        places.setdefault(word, []).append(place)
    return places


def _without_crumbs(spans: list[tuple[str, int, int, int, int]]) -> list[tuple[str, int, int, int, int]]:
    """Neighbouring changes as one, also over a word or two that happen to be the same between larger ones."""
    kept: list[tuple[str, int, int, int, int]] = []
    for place, span in enumerate(spans):
        kind, first, last, start, end = span
        if kind == SAME and last - first < _SHORT and 0 < place < len(spans) - 1:
            around = sum(each[2] - each[1] + each[4] - each[3] for each in (spans[place - 1], spans[place + 1]))
            kind = GONE if around >= 8 * (last - first) else SAME
        if kept and kept[-1][0] == kind:
            before = kept.pop()
            span = (kind, before[1], last, before[3], end)
        else:
            span = (kind, first, last, start, end)
        kept.append(span)
    return kept
