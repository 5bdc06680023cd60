"""What a model's page loads of our own before anybody does anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

MOST_BYTES = 120_000
OWN = """() => performance.getEntriesByType("resource")
    .filter(({ name }) => /\\.(css|js)$/.test(new URL(name).pathname) && !name.includes("htmx"))
    .map(({ name, decodedBodySize }) => [new URL(name).pathname, decodedBodySize])"""


@pytest.mark.parametrize(("model", "method"), [("hello", "generate"), ("nanodet", "")])
def test_styles_and_scripts_stay_light(open_model: Callable[..., Page], model: str, method: str) -> None:
    page = open_model(model, method)
    sizes = dict(page.evaluate(OWN))
    assert any("play-page" in name for name in sizes)
    assert all(sizes.values()), sizes
    assert sum(sizes.values()) <= MOST_BYTES, sizes
