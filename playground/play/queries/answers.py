"""What of the answers of a comparison differs, by the kind of what they gave."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from playground.play.differences.pictures import compare_pictures
from playground.play.differences.regions import Matches, Region, match_regions
from playground.play.differences.structure import MISSING, compare_values
from playground.play.differences.words import compare_words
from playground.protocol.errors import InputError, PlaygroundError

TEXT, REGIONS, CONCEPTS, PICTURES, SOUNDS, VALUES = "text", "regions", "concepts", "pictures", "sounds", "values"
OVERSIZE = "oversize"
WORDS = {kind: kind for kind in (TEXT, REGIONS, CONCEPTS, PICTURES, SOUNDS)} | {VALUES: "other values"}
WORDS[OVERSIZE] = "what is too large to be held against another"
LONGEST = 1_000_000
MOST_CONCEPTS = 200
MOST_PICTURES = 12


@dataclass(frozen=True)
class File:
    """What is known of a stored file that an answer names; ``digest`` is the same for the same bytes."""

    digest: str
    content_type: str
    open: Callable[[], BinaryIO]


Files = Callable[[str], File | None]  # by the file's id


@dataclass(frozen=True)
class Answer:
    """What a pane shows: outputs as one value of a kind. ``is_cut`` where a text was too long to be compared whole."""

    pane: str
    kind: str
    value: Any
    is_cut: bool = False


def answer_of(pane: str, outputs: Sequence[Any]) -> Answer | None:
    """None where nothing came. Pieces of a text are the text; lists of regions or concepts that come are one."""
    if not outputs:
        return None
    if any(isinstance(value, dict) and value.keys() == {OVERSIZE} for value in outputs):
        return Answer(pane, OVERSIZE, list(outputs))
    texts = [_text_of(value) for value in outputs]
    if all(text is not None for text in texts):
        text = "".join(text or "" for text in texts)
        return Answer(pane, TEXT, text[:LONGEST], len(text) > LONGEST)
    flat = [item for value in outputs for item in (value if isinstance(value, list) else [value])]
    for kind, key in ((REGIONS, "region"), (CONCEPTS, "concept")):
        if flat and all(isinstance(item, dict) and key in item for item in flat):
            return Answer(pane, kind, [item[key] for item in flat if isinstance(item[key], dict)])
    for kind, word in ((PICTURES, "image/"), (SOUNDS, "audio/")):
        if flat and all(_is_file(item) and str(item.get("content_type")).startswith(word) for item in flat):
            return Answer(pane, kind, [{"media": item["media"], "content_type": item["content_type"]} for item in flat])
    return Answer(pane, VALUES, outputs[0] if len(outputs) == 1 else list(outputs))


def _text_of(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"text"} and isinstance(value["text"], str):
        return str(value["text"])
    return None


def _is_file(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("media"), str)


@dataclass(frozen=True)
class Filter:
    """What of regions and concepts counts: those at least as sure, named like the words."""

    same_from: float = 0.5
    threshold: float = 0.0
    words: str = ""

    def passes(self, name: str, value: float | None) -> bool:
        return (value is None or value >= self.threshold) and self.words.casefold() in name.casefold()


def _no_file(media_id: str) -> File | None:
    return None


def differences(
    answers: Sequence[Answer], reference: str, wanted: Filter = Filter(), files: Files = _no_file
) -> dict[str, Any]:
    """What of each answer differs from the reference's, as the page draws it: {kind, strange, panes, …}.

    ``panes`` has a score of each, ``alike``, where one can be given.
    """
    base = next((answer for answer in answers if answer.pane == reference), None)
    if base is None or len(answers) < 2:
        return {"kind": "", "words": ""}
    kind = next((answer.kind for answer in (base, *answers) if not _is_none(answer)), base.kind)
    if kind == OVERSIZE:
        return {"kind": kind, "gives": WORDS[kind], "panes": {}, "strange": {}}
    others = [answer for answer in answers if answer is not base and (answer.kind == kind or _is_none(answer))]
    strange = [answer for answer in answers if answer is not base and answer not in others]
    found: dict[str, Any] = {"kind": kind, "gives": WORDS[kind], "panes": {}}
    found["strange"] = {answer.pane: WORDS[answer.kind] for answer in strange}
    if kind == TEXT:
        found["panes"] = {answer.pane: _texts(base, answer) for answer in others}
    elif kind == REGIONS:
        old = _regions(base.value, wanted)
        matched = {
            answer.pane: match_regions(old, _regions(answer.value, wanted), same_from=wanted.same_from)
            for answer in others
        }
        found["panes"] = {pane: describe_matches(matches) for pane, matches in matched.items()}
    elif kind == CONCEPTS:
        found |= _concepts([base, *others], wanted)
    elif kind == PICTURES:
        found["pictures"] = {answer.pane: answer.value[:MOST_PICTURES] for answer in (base, *others)}
        found["panes"] = {answer.pane: _pictures(base.value, answer.value, files) for answer in others}
    elif kind == SOUNDS:
        found["sounds"] = {answer.pane: answer.value for answer in (base, *others)}
    else:
        found |= _values([base, *others], files)
    return found


def _is_none(answer: Answer) -> bool:
    """Whether it is an empty list, which is no kind of its own."""
    return bool(answer.value in ([], [[]]))


def _texts(old: Answer, new: Answer) -> dict[str, Any]:
    texts = ["" if _is_none(answer) else answer.value for answer in (old, new)]
    diff = compare_words(*texts)
    return {"alike": diff.alike, "parts": diff.parts, "is_cut": diff.is_cut or old.is_cut or new.is_cut}


def _pictures(old: Sequence[Any], new: Sequence[Any], files: Files) -> dict[str, Any]:
    """Picture by picture in their order: {pairs, alike}; a pair has its words where it has no figure."""
    pairs = [
        _picture_pair(files(one["media"]), files(other["media"]))
        for one, other in list(zip(old, new, strict=False))[:MOST_PICTURES]
    ]
    known = [pair["ssim"] for pair in pairs]
    is_whole = len(old) == len(new) and known and None not in known
    return {
        "pairs": pairs,
        "counts": [len(old), len(new)],
        "alike": max(sum(known) / len(known), 0.0) if is_whole else None,
    }


def _picture_pair(one: File | None, other: File | None) -> dict[str, Any]:
    try:
        if one is None or other is None:
            raise InputError("One of the two is gone.")
        with one.open() as source, other.open() as against:
            found = compare_pictures(source, against)
    except PlaygroundError as error:
        return {"ssim": None, "words": error.message}
    return {
        "ssim": found.ssim,
        "percent": None if found.differing is None else found.differing * 100,
        "sizes": found.sizes,
        "words": found.words,
    }


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _surest(region: Mapping[str, Any]) -> tuple[str, float | None]:
    named = [entry.get("concept", entry) for entry in region.get("concepts") or [] if isinstance(entry, dict)]
    known = [(str(one.get("name") or one.get("id") or "region"), _number(one.get("value"))) for one in named]
    if not known:
        return str(region.get("text") or "region"), _number(region.get("value"))
    return max(known, key=lambda one: one[1] if one[1] is not None else -1.0)


def _regions(plain: Sequence[Mapping[str, Any]], wanted: Filter) -> list[Region]:
    found = []
    for region in plain:
        if not isinstance(region, dict):
            continue
        box = [_number(edge) for edge in region.get("box") or []] if isinstance(region.get("box"), list) else []
        if len(box) != 4 or None in box:
            continue
        name, value = _surest(region)
        if wanted.passes(name, value):
            left, top, right, bottom = (edge or 0.0 for edge in box)
            found.append(Region(name, (left, top, right, bottom), value))
    return found


def describe_matches(matches: Matches) -> dict[str, Any]:
    def plain(region: Region) -> dict[str, Any]:
        return {"name": region.name, "box": region.box, "value": region.value}

    def pairs(found: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {"one": plain(one.one), "other": plain(one.other), "overlap": one.overlap, "apart": one.apart}
            for one in found
        ]

    both = len(matches.same) + len(matches.moved)
    total = both + len(matches.only_one) + len(matches.only_other)
    return {
        "same": pairs(matches.same),
        "moved": pairs(matches.moved),
        "only_one": [plain(region) for region in matches.only_one],
        "only_other": [plain(region) for region in matches.only_other],
        "cut": matches.cut,
        "alike": len(matches.same) / total if total else 1.0,
    }


def _concepts(answers: Sequence[Answer], wanted: Filter) -> dict[str, Any]:
    """One list: of each concept its value in each answer, those most at odds first; None where it is no number."""
    values: dict[str, dict[str, float | None]] = {}
    for answer in answers:
        for concept in answer.value:
            name = (
                str(concept.get("name") or concept.get("id") or "concept") if isinstance(concept, dict) else "concept"
            )
            values.setdefault(name, {})[answer.pane] = _number(concept.get("value"))
    rows: list[tuple[float, str, dict[str, float | None]]] = []
    for name, found in values.items():
        known = [value for value in found.values() if value is not None]
        if not wanted.passes(name, max(known, default=None)):
            continue
        low = min(known, default=0.0) if len(known) == len(answers) else min((0.0, *known))
        rows.append((max(known, default=0.0) - low, name, found))
    rows.sort(key=lambda row: (-row[0], row[1]))
    base = answers[0].pane
    return {
        "rows": [{"name": name, "values": found, "spread": spread} for spread, name, found in rows[:MOST_CONCEPTS]],
        "count": len(rows),
        "panes": {one.pane: {"alike": _shared([row[2] for row in rows], base, one.pane)} for one in answers[1:]},
    }


def _shared(rows: Sequence[Mapping[str, float | None]], base: str, pane: str) -> float:
    """How much of the values both have, of what either has."""
    pairs = [(max(row.get(base) or 0.0, 0.0), max(row.get(pane) or 0.0, 0.0)) for row in rows]
    whole = sum(max(pair) for pair in pairs)
    return sum(min(pair) for pair in pairs) / whole if whole else 1.0


def _values(answers: Sequence[Answer], files: Files) -> dict[str, Any]:
    plain = [answer.value for answer in answers]
    table = compare_values(plain, lambda part: _readable(part, files))
    rows = [
        {
            "path": row.path,
            "values": {
                answer.pane: None if value is MISSING else _words_for(value)
                for answer, value in zip(answers, row.values, strict=True)
            },
        }
        for row in table.rows
    ]
    total = table.same + len(table.rows) + table.more
    scores = {}
    for answer, value in list(zip(answers, plain, strict=True))[1:]:
        one = table if len(answers) == 2 else compare_values([plain[0], value], lambda part: _readable(part, files))
        places = one.same + len(one.rows) + one.more
        scores[answer.pane] = {"alike": one.same / places if places else 1.0}
    return {
        "rows": rows,
        "same": table.same,
        "more": table.more,
        "is_cut": table.is_cut,
        "alike": table.same / total if total else 1.0,
        "panes": scores,
    }


def _readable(value: Any, files: Files) -> Any:
    """A part of a plain value: an odd number as a number, a file by its bytes, not by its name."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"number"} and isinstance(value["number"], str):
        return _odd_number(value["number"])
    known = files(value["media"]) if _is_file(value) else None
    if known is None:
        return value
    return {name: item for name, item in value.items() if name != "media"} | {"bytes": f"{known.digest[:12]}…"}


def _odd_number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if not math.isfinite(number) or "." in text or "e" in text.lower() else int(text)


def _words_for(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "no value (NaN)" if math.isnan(value) else "∞" if value > 0 else "−∞"  # noqa: RUF001 - a true minus sign
    words = json.dumps(value, ensure_ascii=False)
    return words[:400] + ("…" if len(words) > 400 else "")
