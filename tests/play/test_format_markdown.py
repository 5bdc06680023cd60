"""Markdown becomes safe HTML, within bounds, for who is signed in."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog.models import User
from playground.play.markdown import MAX_CHARACTERS, render
from tests.play.conftest import browser

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x)",
    "![a](javascript:alert(1))",
    "<javascript:alert(1)>",
    '[a](https://x.y "\\" onclick=alert(1)")',
    '``` "onmouseover=alert(1)\nx\n```',
    "[a]: javascript:alert(1)\n\n[a]",
    "| a |\n|-|\n| <iframe src=//x> |",
    "<a href='javascript:alert(1)'>x</a>",
]


class Seen(HTMLParser):
    """The tags and attributes that a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)


def is_harmless(text: str) -> bool:
    seen = Seen(text)
    names = {name for name, _ in seen.attributes}
    addresses = [value or "" for name, value in seen.attributes if name == "href"]
    is_known = names <= {"href", "title", "class", "start", "style", "target", "rel", "tabindex", "role", "aria-label"}
    is_outside = all(re.match(r"(https?://|mailto:)", address, re.IGNORECASE) for address in addresses)
    return is_known and is_outside and not seen.tags & {"script", "img", "svg", "iframe", "style", "form", "input"}


@pytest.mark.parametrize("text", EVIL)
def test_nothing_in_it_runs(text: str) -> None:
    assert is_harmless(render(text)), render(text)


@given(st.lists(st.sampled_from([*EVIL, "[", "](", "`", "<", ">", '"', "\n", "|", "-", "x", " "]), max_size=12))
def test_nothing_in_any_mixture_runs(pieces: list[str]) -> None:
    assert is_harmless(render("".join(pieces)))


def test_it_is_formatted() -> None:
    made = render(
        "# Title\n\none\ntwo **bold**\n\n| a | b |\n|-|-:|\n| 1 | `2` |\n\n```python\nx < 1\n```\n\n- ~~gone~~"
    )
    assert "<h2>Title</h2>" in made
    assert "one<br>\ntwo <strong>bold</strong>" in made
    assert '<td style="text-align:right"><code>2</code></td>' in made
    assert re.search(r'<div [^>]*role="region"[^>]*><table>', made)
    assert '<code class="language-python">x &lt; 1' in made
    assert "<s>gone</s>" in made


def test_pictures_are_links_and_links_lead_outside() -> None:
    made = render("![a cat](https://x.example/cat.png) [here](/signout) [there](https://x.example)")
    assert "<img" not in made
    assert made.count("href=") == 2
    assert re.search(r'<a href="https://x.example/cat.png"[^>]*rel="noopener noreferrer nofollow"[^>]*>a cat</a>', made)


@pytest.mark.parametrize("piece", ["[", "![", "*a ", "[a](", "<", "`a", ">", "|", "_a_", "|a|b|\n|-|-|\n"])
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * MAX_CHARACTERS)[:MAX_CHARACTERS]
    began = time.process_time()
    render(text)
    assert time.process_time() - began < 5


def test_a_text_too_long_stays_as_it_is_written() -> None:
    assert render("*a* <b> " * MAX_CHARACTERS).startswith("<pre>*a* &lt;b&gt; *a*")


def test_who_is_signed_in_may_have_texts_formatted(owner: User) -> None:
    answer = browser(owner).post("/markdown", "**gr\u00fc\u00dfe**\udc00".encode("utf-8", "replace"), "text/plain")
    assert answer.content.decode() == "<p><strong>gr\u00fc\u00dfe</strong>?</p>\n"
    assert browser(owner).post("/markdown", b"\xff", "text/plain").content.decode() == "<p>\ufffd</p>\n"
    assert browser(owner).get("/markdown").status_code == 405
    assert browser().post("/markdown", "a", "text/plain").status_code == 302
    for text in ("a" * (MAX_CHARACTERS + 1), "\U0001f600" * (MAX_CHARACTERS + 1)):
        assert browser(owner).post("/markdown", text, "text/plain").status_code == 400
