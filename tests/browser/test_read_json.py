"""The editor's own reader of JSON: what Python writes it reads, and of a mistake it says where and what is wanted."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.protocol.strategies import json_documents

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

READ = """async ([name, texts]) => {
  const { parseJson, writeJson } = await import(`/static/js/state/${name}.js`);
  return texts.map((text) => {
    const { value, mistake } = parseJson(text);
    return mistake ?? { value, again: writeJson(value) };
  });
}"""
MISTAKES = [
    ("", 1, 1, "a value is missing"),
    ("[1, 2", 1, 6, "a comma or ] is wanted"),
    ("[1, 2,]", 1, 6, "after the last item stands no comma"),
    ('{"a": 1,\n}', 1, 8, "after the last entry stands no comma"),
    ('{"a" 1}', 1, 6, "a colon is wanted after the name"),
    ("{\n  \"ä\": 'x'\n}", 2, 8, 'text stands in double quotes: "…"'),
    ('["a\nb"]', 1, 2, 'the text is not closed: " is wanted'),
    ('["\\x"]', 1, 2, "this text has a sign that must be written with a backslash, like \\n or \\\\"),
    ("[True]", 1, 2, "write true, not True"),
    ("[None]", 1, 2, "write null, not None"),
    ("[01]", 1, 2, "this is no number that JSON knows"),
    ("[] []", 1, 4, "nothing more may come after the value"),
    ("[" * 300, 1, 201, "it is nested deeper than 200 levels"),
]


@pytest.fixture
def read(open_model: Callable[..., Page]) -> Callable[[list[str]], list[dict[str, Any]]]:
    page = open_model("bench")
    return lambda texts: page.evaluate(READ, ["json", texts])


def test_a_mistake_has_its_place_and_what_is_wanted(read: Callable[[list[str]], list[dict[str, Any]]]) -> None:
    found = read([text for text, *_ in MISTAKES])
    told = [(entry.get("line"), entry.get("column"), entry.get("words")) for entry in found]
    assert told == [(line, column, words) for _, line, column, words in MISTAKES]


def test_numbers_that_a_browser_would_get_wrong_are_kept(read: Callable[[list[str]], list[dict[str, Any]]]) -> None:
    [found] = read(["[12345678901234567890, NaN, -Infinity, 1e3, 0.5]"])
    great = [{"number": "12345678901234567890"}, {"number": "nan"}, {"number": "-inf"}]
    assert found["value"] == [*great, 1000, 0.5]
    assert math.isnan(json.loads(found["again"])[1])


def test_what_python_writes_is_read_and_written_again(read: Callable[[list[str]], list[dict[str, Any]]]) -> None:
    @settings(
        max_examples=30,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(json_documents)
    def holds(document: Any) -> None:
        [found] = read([json.dumps(document, ensure_ascii=False)])
        assert "again" in found, found
        assert json.loads(found["again"]) == document

    holds()
