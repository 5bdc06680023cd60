"""What was typed survives a reload, for its user, model and method; little of it is kept, and never for long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.browser.forms import field, run

if TYPE_CHECKING:
    from collections.abc import Callable


def begun(page: Page) -> None:
    page.wait_for_selector("play-page[data-begun]")


def test_a_nested_form_is_there_again_after_a_reload(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_fields")
    page.get_by_label("name", exact=True).fill("Ada")
    page.get_by_label("0", exact=True).fill("not yet a number")
    field(page, "tags").get_by_role("button", name="Add").click()
    field(page, "tags").locator("textarea").fill("red")
    page.reload()
    begun(page)
    expect(page.get_by_label("name", exact=True)).to_have_value("Ada")
    expect(page.get_by_label("0", exact=True)).to_have_value("not yet a number")
    expect(field(page, "tags").locator("textarea")).to_have_value("red")


def test_each_method_has_its_own_in_each_tab(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_str")
    page.get_by_label("value", exact=True).fill("words")
    other = page.context.new_page()
    other.goto(page.url)
    begun(other)
    expect(other.get_by_label("value", exact=True)).to_have_value("words")
    other.goto(page.url.replace("take_str", "take_text"))
    begun(other)
    expect(other.get_by_label("value", exact=True)).to_have_value("")


def test_somebody_else_s_draft_is_not_shown(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_str")
    page.get_by_label("value", exact=True).fill("mine")
    page.evaluate(
        """() => {
          const key = Object.keys(localStorage).find((name) => name.startsWith("draft:") && name.endsWith(":take_str"));
          localStorage.setItem(key.replace(/^draft:\\d+/, "draft:999"), localStorage.getItem(key));
          localStorage.removeItem(key);
        }"""
    )
    page.reload()
    begun(page)
    expect(page.get_by_label("value", exact=True)).to_have_value("")


def test_they_are_bounded(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_str")
    page.evaluate(
        """() => {
          for (let at = 0; at < 60; at += 1) {
            localStorage.setItem(`draft:1:other:${at}`, JSON.stringify({ values: {}, at }));
          }
        }"""
    )
    page.get_by_label("value", exact=True).fill("newest")
    kept = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))")
    assert len(kept) == 40
    assert any(re.search(":take_str$", key) for key in kept)
    page.get_by_label("value", exact=True).fill("x" * 250_000)
    kept = page.evaluate("Object.keys(localStorage).filter((key) => key.endsWith(':take_str'))")
    assert kept == []


def test_an_opened_run_fills_its_nested_form_again(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "take_fields")
    page.get_by_label("name", exact=True).fill("Ada")
    page.get_by_label("0", exact=True).fill("1")
    page.get_by_label("1", exact=True).fill("2")
    for text in ("red", "blue"):
        field(page, "tags").get_by_role("button", name="Add").click()
        field(page, "tags").locator("textarea").last.fill(text)
    seen = run(page)
    page.evaluate("localStorage.clear()")
    page.goto("/runs/" + page.evaluate("document.querySelector('run-view').run.id"))
    begun(page)
    expect(page.get_by_label("name", exact=True)).to_have_value("Ada")
    expect(field(page, "tags").locator("textarea")).to_have_count(2)
    assert run(page) == seen
