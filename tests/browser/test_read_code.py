"""From the form to code: what it holds, where it would go, in the language one wants; never a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.browser.forms import field
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from collections.abc import Callable

API = re.compile(r"/api\?")


def code(page: Page, slug: str = "python") -> str:
    return page.locator(f"[data-code={slug}]").text_content() or ""


def to_code(page: Page) -> None:
    """By the tab, to what the form holds."""
    with page.expect_response(re.compile("/api/code")):
        page.get_by_role("link", name="API", exact=True).click()
    expect(page).to_have_url(API)
    page.wait_for_load_state()


def test_what_stands_in_the_form_is_what_the_code_sends(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_defaults")
    page.get_by_label("prompt", exact=True).fill('Say "hi"')
    page.get_by_label("style", exact=True).select_option("loud")
    page.get_by_label("api_key", exact=True).fill("hunter2")
    to_code(page)
    expect(page.locator("[data-code=python]")).to_contain_text(r"Say \"hi\"")
    assert 'style="loud"' in code(page)
    assert 'api_key=os.environ["API_KEY"]' in code(page)
    assert "steps" not in code(page)
    assert "hunter2" not in page.content() + page.evaluate("JSON.stringify(localStorage)")
    check(page)


def test_what_was_sent_is_what_the_code_sends(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_pairs")
    field(page, "value").locator("[data-input]").first.fill("first")
    field(page, "value").locator("[data-input]").nth(1).fill("7")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text("first")
    to_code(page)
    expect(page).to_have_url(re.compile("run="))
    expect(page.locator("[data-code=python]")).to_contain_text('("first", 7)')


def test_another_language_by_the_keyboard_is_in_the_address(open_model: Callable[..., Page]) -> None:
    page = open_model("hello", "predict")
    page.get_by_label("text", exact=True).fill("good morning")
    page.get_by_role("link", name="API", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-code=python]")).to_contain_text("good morning")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the call").press("Enter")
    expect(page.get_by_role("button", name="Copy the call")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == code(page)
    page.get_by_role("link", name="Terminal").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-code=cli]")).to_be_visible()
    expect(page.locator("[data-code=python]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-code=cli]")).to_contain_text("'text=good morning'")
    page.locator("[aria-labelledby='method-label method-name']").click()
    page.get_by_role("link", name="generate").click()
    expect(page.locator("[data-code=cli]")).to_contain_text("--method generate")
    page.get_by_role("link", name="Try it").click()
    expect(page.locator("play-page")).to_have_attribute("data-method", "generate")


def test_another_tab_follows_the_form(open_model: Callable[..., Page]) -> None:
    page = open_model("hello", "predict")
    page.get_by_label("text", exact=True).fill("before")
    other = page.context.new_page()
    page.get_by_role("link", name="API", exact=True).hover()
    page.mouse.down(button="middle")
    other.goto("/owner/main/models/hello/api?method=predict")
    expect(other.locator("[data-code=python]")).to_contain_text("before")
    page.get_by_label("text", exact=True).fill("after")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(other.locator("[data-code=python]")).to_contain_text("after")
