"""From model to model without a mouse, what an author says of one, and what its versions are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live import Stack


def test_the_keyboard_leads_to_another_model_at_the_same_tab(page: Page, stack: Stack) -> None:
    stack.wait_ready("hello")
    page.goto("/owner/main/models/hello/versions")
    name = page.get_by_role("button", name="hello", exact=True)
    name.focus()
    page.keyboard.press("Enter")
    search = page.get_by_role("searchbox", name="Search models").last
    expect(search).to_be_focused()
    expect(page.locator("#switch-list a").first).to_be_visible()
    check(page, is_idle=True)
    page.keyboard.type("nano")
    expect(page.locator("[data-found-for=nano]")).to_be_attached()
    expect(page.locator("#switch-count")).to_have_text("1 model found")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(search).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/owner/main/models/nanodet/versions")


def test_its_authors_words_are_one_press_away(page: Page, open_model: Callable[..., Page]) -> None:
    open_model("movenet")
    about = page.get_by_role("button", name="About")
    about.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="About movenet")
    expect(dialog.get_by_role("cell", name="pose")).to_be_visible()
    check(page, is_idle=True)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(about).to_be_focused()


def test_a_version_shows_methods_log_and_source(page: Page, stack: Stack) -> None:
    stack.wait_ready("nanodet", patience=200)
    page.goto("/owner/main/models/nanodet/versions")
    expect(page.get_by_role("row", name="threshold Setting float 0.4 0 to 1").first).to_be_visible()
    expect(page.locator("#build-log pre")).to_contain_text("+ onnxruntime==")
    page.get_by_role("link", name="1/labels.txt").click()
    expect(page.locator("pre[aria-label='1/labels.txt']")).to_contain_text("person\nbicycle")
    assert page.url.endswith("?file=1%2Flabels.txt#source")
    check(page)


@pytest.mark.parametrize("name", ["movenet", "blazeface", "selfie", "speak"])
def test_each_new_model_answers_in_the_page(stack: Stack, open_model: Callable[..., Page], name: str) -> None:
    stack.wait_ready(name, patience=200)
    page = open_model(name, "generate" if name == "speak" else "predict")
    if name == "speak":
        page.locator("textarea[data-input]").first.fill("Good morning. How are you?")
    else:
        page.get_by_role("button", name="astronaut").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-metric-label=total]")).to_have_text("Total", timeout=60_000)
    expect(page.locator("[data-end] .notice--bad")).to_have_count(0)
    if name == "speak":
        expect(page.locator("audio").first).to_be_attached()


def test_the_list_of_models_is_narrowed_and_turned(page: Page, stack: Stack) -> None:
    page.goto("/models/")
    page.get_by_label("Type").select_option("visual-detector")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".table__name")).to_have_text(["blazeface", "nanodet"])
    page.get_by_role("link", name="Last used").click()
    assert "type=visual-detector" in page.url
    assert "sort=used" in page.url
    expect(page.get_by_role("columnheader", name="Last used")).to_have_attribute("aria-sort", "descending")
