"""What the squeezing of scripts must not do: it has put a destructuring before what it takes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

minify = pytest.importorskip("minify")

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "static" / "js").rglob("*.js"))
OPENING, CLOSING, QUOTES = "([{", ")]}", "\"'`"


def squeezed(text: str) -> str:
    return str(minify.string("application/javascript", text))


def declarations(text: str) -> Iterator[list[str]]:
    """The parts of each declaration that begins with a destructuring."""
    for found in re.finditer(r"\b(?:const|let|var)(?=[\[{])", text):
        parts, depth, quote, at, start = [], 0, "", found.end(), found.end()
        while at < len(text):
            letter = text[at]
            if quote:
                at += letter == "\\"
                quote = "" if letter == quote else quote
            elif letter in QUOTES:
                quote = letter
            elif letter in OPENING:
                depth += 1
            elif depth and letter in CLOSING:
                depth -= 1
            elif not depth and letter in ";" + CLOSING:
                break
            elif not depth and letter == ",":
                parts.append(text[start:at])
                start = at + 1
            at += 1
        yield [*parts, text[start:at]]


def turned_round(text: str) -> list[tuple[str, str]]:
    """Destructurings that take from what the same declaration makes only after them."""
    return [
        (first, later)
        for first, *others in declarations(text)
        for later in others
        if (name := re.match(r"([\w$]+)=", later))
        and re.search(rf"(?<![\w$.#]){re.escape(name[1])}(?![\w$:])", first.partition("=")[2])
    ]


def test_the_order_of_a_declaration_is_kept() -> None:
    assert len(SCRIPTS) > 50
    assert {path.name: found for path in SCRIPTS if (found := turned_round(squeezed(path.read_text())))} == {}


def test_one_that_is_turned_round_is_noticed() -> None:
    assert turned_round("const[first]=(item&&given[item.name])??[],item=this.field;")
    assert not turned_round("const{item}=this.#given,given=item.name;const[x]=given,y=2")
