"""What lists and searches know of a run: the first words of what was asked, and the text that it is found by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from playground.runs import events

if TYPE_CHECKING:
    from playground.runs.models import Run

MOST_WORDS = 160  # characters
MOST_ASKED = 1000
MOST_ANSWERED = 2000
_PARSED_BELOW = 64 * 1024  # bytes of an event; a larger one is searched as it is written
_NOT_WORDS = frozenset({"media", "content_type"})


def first_words(arguments: Mapping[str, Any]) -> str:
    """The first words of what a run was asked; "" where there are none."""
    for value in arguments.values():
        if words := _words(value):
            return words[:MOST_WORDS]
    return ""


def _words(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value[:400].split())
    if isinstance(value, list):
        return " · ".join(filter(None, map(_words, value[:3])))
    if isinstance(value, dict):
        if "media" in value:
            kind = str(value.get("content_type", "file")).split("/")[0]
            return str(value.get("name") or f"{kind.capitalize()} given")
        return _words(value.get("url") or value.get("text") or [*value.values()])
    return f"{value:g}" if isinstance(value, float | int) and not isinstance(value, bool) else ""


def asked_text(method: str, arguments: Mapping[str, Any]) -> str:
    """By what a run is found from its start: its method, and the beginning of its arguments."""
    return f"{method} {_joined(_texts(arguments), MOST_ASKED)}".casefold()


def answered_text(written: Iterable[bytes]) -> str:
    """By what it is found too once it has ended: the beginning of its outputs, and its error."""
    return _joined(_said(written), MOST_ANSWERED).casefold()


def kept_facts(run: Run, written: Sequence[bytes]) -> dict[str, Any]:
    """What a row says of a run that has ended: by what it is found, and how much of it is kept."""
    return {
        "searched": f"{run.searched} {answered_text(written)}",
        "kept_bytes": sum(map(len, written)) + len(orjson.dumps(run.arguments)),
    }


def _said(written: Iterable[bytes]) -> Iterator[str]:
    for event in written:
        fields = _parsed(event)
        if fields is None:
            yield event[:_PARSED_BELOW].decode("utf-8", "replace")
        elif fields["kind"] == events.OUTPUT:
            yield from _texts(fields["value"])
        elif fields["kind"] == events.FAILED:
            yield f" {fields['error'].get('message', '')}"


def _parsed(event: bytes) -> dict[str, Any] | None:
    try:
        return orjson.loads(event) if len(event) < _PARSED_BELOW else None
    except orjson.JSONDecodeError:
        return None


def _texts(value: Any) -> Iterator[str]:
    """Pieces of a text follow each other as they are; other texts stand apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in _NOT_WORDS:
                yield " "
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield " "
            yield from _texts(item)


def _joined(pieces: Iterable[str], most: int) -> str:
    """At most so many characters, with white space made one space."""
    parts: list[str] = []
    size = 0
    for piece in pieces:
        parts.append(piece[: most - size])
        size += len(parts[-1])
        if size >= most:
            break
    return " ".join("".join(parts).replace("\0", " ").split())
