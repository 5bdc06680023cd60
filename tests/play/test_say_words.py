"""The words of pages: what authors wrote, and figures."""

from __future__ import annotations

import pytest

from playground.templatetags.ui import prose, unquoted


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Give ``text`` or `url`.", "Give <code>text</code> or <code>url</code>."),
        ("plain & <b>", "plain &amp; &lt;b&gt;"),
        ("``<i>``", "<code>&lt;i&gt;</code>"),
        ("a ` alone", "a ` alone"),
    ],
)
def test_backticks_become_code(text: str, drawn: str) -> None:
    assert prose(text) == drawn


def test_where_no_code_can_stand_they_are_left_out() -> None:
    assert unquoted("Give ``text``.") == "Give text."
