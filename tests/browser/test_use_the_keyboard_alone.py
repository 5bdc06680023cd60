"""A whole visit without a mouse, on a screen where the settings are a drawer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

SEES_FOCUS = """(element) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return element.matches(":focus-visible") && outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
}"""


def go_to(page: Page, target: Locator, key: str = "Tab", limit: int = 40) -> None:
    """Press a key until the target has the focus, and see that it shows."""
    for _ in range(limit):
        if target.evaluate("(element) => element === document.activeElement"):
            assert target.evaluate(SEES_FOCUS), "the focus does not show"
            return
        page.keyboard.press(key)
    pytest.fail(f"{target} is not reached by {key}")


def test_a_run_from_the_skip_link_to_its_return(page: Page, open_model: Callable[..., Page]) -> None:
    page.set_viewport_size({"width": 1000, "height": 800})
    open_model("hello", "predict")
    go_to(page, page.get_by_role("link", name="Skip to content"))
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    method = page.get_by_role("button", name=re.compile("^Method"))
    go_to(page, method)
    page.keyboard.press("Enter")
    go_to(page, page.locator("[data-method-choice=generate]"), "ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-method-name]")).to_have_text("generate")
    expect(method).to_be_focused()

    settings = page.get_by_role("button", name="Settings", exact=True)
    go_to(page, settings)
    page.keyboard.press("Enter")
    delay = page.get_by_label("delay", exact=True)
    go_to(page, delay)
    page.keyboard.press("Control+A")
    page.keyboard.type("0.3")
    page.keyboard.press("Escape")
    expect(delay).to_be_hidden()
    expect(page.locator(".play__settings-button")).to_be_focused()

    go_to(page, page.get_by_label("text", exact=True))
    page.keyboard.type("one two three four five six seven eight nine ten eleven twelve " * 3)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text("three")
    page.keyboard.press("Control+.")
    expect(page.locator("[data-end]")).to_contain_text("Stopped after")
    expect(page.get_by_label("text", exact=True)).to_be_focused()

    recent = page.locator("[data-run-link]").first
    go_to(page, recent)
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    expect(page.locator("[data-end]")).to_contain_text("Stopped after")
    expect(page.locator("[data-outputs]")).to_contain_text("one two three")
