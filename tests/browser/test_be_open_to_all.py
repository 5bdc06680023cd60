"""axe over every page, light and dark, on a desk and on a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live import Stack

SIZES = ((1440, 900), (390, 844))
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
BUILT_IN = ("hello", "smollm2", "nanodet", "efficientnet")


def check(page: Page, *, is_idle: bool = False) -> None:
    """Each width in both themes: all rules once, those of colour in the other theme too.

    A page on which nothing was run yet has nothing of its own for the other theme: its parts come again.
    """
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme, options in (("light", EVERYTHING), ("dark", COLOURS))[: 1 if is_idle else 2]:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            found = Axe().run(page, options=options)
            assert not found.response["violations"], f"{page.url} {width} {scheme}: {found.generate_report()}"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_signing_in(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.web)
    page = context.new_page()
    page.goto("/models/")
    check(page)
    context.close()


def test_a_finished_run_of_each_built_in_model(stack: Stack, open_model: Callable[..., Page]) -> None:
    for name in BUILT_IN:
        stack.wait_ready(name, patience=200)
        page = open_model(name)
        check(page, is_idle=name != "hello")
        if name in ("nanodet", "efficientnet"):
            page.get_by_role("button", name=re.compile("coffee")).click()
        else:
            page.locator("textarea[data-input]").first.fill("good morning")
            if name == "smollm2":
                page.get_by_label("max_tokens", exact=True).fill("20")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-metric-label=total]")).to_have_text("Total", timeout=60_000)
        check(page)


def test_a_failed_run_and_the_lists(stack: Stack, page: Page, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("smollm2", patience=200)
    open_model("smollm2", "generate")
    page.get_by_label("prompt", exact=True).fill("word " * 3000)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-end] .notice--bad")).to_be_visible(timeout=30_000)
    check(page)
    for address in ("/models/", "/runs/", "/owner/main/models/smollm2/runs"):
        page.goto(address)
        check(page)
