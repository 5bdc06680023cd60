"""A long answer keeps its reader's place: at the end while they are there, still where they went."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT_SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({ type: "layout-shift" });
"""
FROM_END = "(s) => Math.round(s.scrollHeight - s.scrollTop - s.clientHeight)"


def start(page: Page, count: int) -> None:
    page.locator("summary").filter(has_text="optional").click()
    page.get_by_label("count", exact=True).fill(str(count))
    page.get_by_label("interval", exact=True).fill("0.01")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_have_text(re.compile(r"\d+ \d+ \d+"))


def test_it_follows_the_end_until_its_reader_leaves_it(page: Page, open_model: Callable[..., Page]) -> None:
    page.set_viewport_size({"width": 1440, "height": 560})
    open_model("bench", "paced")
    start(page, 600)
    scroller = page.locator("[data-scroller]")
    page.wait_for_function("() => document.querySelector('[data-scroller]').scrollTop > 100")
    assert scroller.evaluate(FROM_END) <= 30
    newest = page.get_by_role("button", name="Newest")
    expect(newest).to_be_hidden()
    scroller.hover()
    page.mouse.wheel(0, -400)
    expect(newest).to_be_visible()
    place = scroller.evaluate("(s) => s.scrollTop")
    height = scroller.evaluate("(s) => s.scrollHeight")
    page.wait_for_function("(h) => document.querySelector('[data-scroller]').scrollHeight > h + 50", arg=height)
    assert scroller.evaluate("(s) => s.scrollTop") == place
    newest.click()
    expect(newest).to_be_hidden()
    assert scroller.evaluate(FROM_END) <= 30


def test_nothing_jumps_while_it_streams(page: Page, open_model: Callable[..., Page]) -> None:
    open_model("bench", "paced")
    start(page, 400)
    page.evaluate(COUNT_SHIFTS)
    expect(page.get_by_role("button", name=re.compile("^Run")).first).to_be_visible(timeout=20_000)
    assert page.evaluate("window.shifts") < 0.01
