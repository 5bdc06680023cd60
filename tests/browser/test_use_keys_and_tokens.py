"""The keys of every page and their sheet; a token made, shown once and revoked, by the keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.test_be_open_to_all import check


def test_the_sheet_of_keys_and_its_switch(page: Page) -> None:
    page.goto("/tokens/")
    page.keyboard.press("/")
    search = page.get_by_label("Search all models")
    expect(search).to_be_focused()
    page.keyboard.type("what? and/or")
    expect(search).to_have_value("what? and/or")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("main").focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("Close what lies on top")
    check(page, is_idle=True)
    letters = sheet.get_by_role("switch")
    letters.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("?")
    page.keyboard.press("/")
    expect(search).not_to_be_focused()
    expect(sheet).to_be_hidden()
    page.reload()
    page.get_by_role("button", name=re.compile("keys, theme")).press("Enter")
    page.get_by_role("link", name="Keys").press("Enter")
    expect(letters).not_to_be_checked()
    letters.check()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()


def test_a_token_s_life(page: Page) -> None:
    page.goto("/tokens/")
    page.get_by_label("What is it for?").fill("Robot")
    page.keyboard.press("Enter")
    token = page.locator("[data-new-token]")
    expect(token).to_have_text(re.compile(r"^pg_[\w-]{40}$"))
    expect(page.get_by_role("button", name="Copy")).to_be_focused()
    words = token.text_content() or "?"
    check(page, is_idle=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == words
    page.goto("/tokens/")
    assert words not in page.content()
    row = page.get_by_role("row", name="Robot")
    row.get_by_role("button", name="Revoke").press("Enter")
    dialog = page.get_by_role("dialog", name="Revoke Robot?")
    dialog.get_by_role("button", name="Cancel").press("Enter")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Revoke").press("Enter")
    dialog.get_by_role("button", name="Revoke", exact=True).press("Enter")
    expect(page.get_by_text("Revoked Robot.")).to_be_visible()
    expect(row).to_have_count(0)
