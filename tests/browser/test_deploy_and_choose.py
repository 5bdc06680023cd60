"""A deployment is made in a dialog, watched, chosen, called while it is cold, and deleted while it is chosen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.test_be_open_to_all import check
from tests.browser.test_use_the_keyboard_alone import go_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.live import Stack

MODEL, SLOW = "owner/main/models/hello", "owner/main/models/bench"


def test_by_keyboard_from_the_picker_and_back(page: Page, open_model: Callable[..., Page]) -> None:
    open_model("hello", "generate")
    picker = page.locator("#places-button")
    go_to(page, picker)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Shared (default)")).to_be_focused()
    check(page, is_idle=True)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New deployment")
    expect(dialog.get_by_label("Model", exact=True)).to_be_focused()
    dialog.locator("summary").first.press("Enter")
    check(page)

    go_to(page, dialog.get_by_label("Name", exact=True))
    page.keyboard.press("Control+A")
    page.keyboard.type("night")
    go_to(page, dialog.get_by_label("Fewest replicas"))
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    expect(dialog.locator("#new-cost")).to_contain_text("2 replicas are always ready")
    page.keyboard.press("Enter")
    expect(dialog.locator(".field__error")).to_have_text("The fewest, 2, are more than the most, 1.")
    expect(dialog.get_by_label("Fewest replicas")).to_be_focused()
    check(page, is_idle=True)
    page.keyboard.press("Control+A")
    page.keyboard.type("0")
    page.keyboard.press("Enter")

    expect(dialog.locator("start-timeline")).to_contain_text("Placed on local / shared")
    expect(dialog).to_contain_text("Closing this window does not stop it.")
    expect(dialog.get_by_role("link", name="Open in playground")).to_be_visible(timeout=30_000)
    for stage in ("Environment", "Process started", "Model loaded", "Health checked"):
        expect(dialog.locator(".timeline__step--done", has_text=stage)).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    expect(picker).to_be_focused()
    expect(picker).to_have_accessible_name("Deployment: night")
    expect(page).to_have_url(re.compile("deployment=night"))

    page.locator("textarea[data-input]").first.fill("good morning")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-verdict]")).to_have_text("As asked", timeout=20_000)
    expect(page.locator("[data-served-by]")).to_have_text("night")


def test_a_call_waits_for_what_is_cold_and_one_that_is_gone_says_so(stack: Stack, page: Page) -> None:
    place = ("--nodepool", "local/shared", "--min", "0", "--scale-to-zero-delay", "0", "--env", "LOAD_SECONDS=3")
    stack.manage("deployments", "create", "cold", "--model", SLOW, *place)
    page.goto(f"/{SLOW}?method=predict&deployment=cold")
    page.wait_for_selector("play-page[data-begun]")
    picker = page.locator("#places-button")
    expect(page.locator("#head-state")).to_have_text("Scaled to zero", timeout=30_000)
    expect(picker).to_contain_text("starts ")
    page.locator("textarea[data-input]").first.fill("good morning")
    page.keyboard.press("Control+Enter")
    timeline = page.locator("#deployment start-timeline")
    expect(timeline).to_contain_text("A call waits, and goes on by itself when it is ready.", timeout=20_000)
    expect(page.locator("[data-outputs]")).to_contain_text("good morning", timeout=30_000)
    expect(timeline).to_be_hidden(timeout=10_000)

    stack.manage("deployments", "delete", "cold")
    expect(page.locator("#deployment")).to_contain_text("cold is gone.", timeout=15_000)
    check(page, is_idle=True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-end]")).to_contain_text("Nothing was run.", timeout=15_000)
    page.get_by_role("link", name="Use Shared", exact=True).press("Enter")
    expect(picker).to_have_accessible_name("Deployment: Shared (default)")
    expect(page).not_to_have_url(re.compile("deployment="))


def test_a_pair_and_the_page_of_its_own(page: Page, open_model: Callable[..., Page]) -> None:
    open_model("hello", "generate")
    picker = page.locator("#places-button")
    picker.press("Enter")
    page.get_by_role("button", name="Cluster and nodepool…").press("Enter")
    expect(page.get_by_label("Cluster", exact=True)).to_be_focused()
    check(page, is_idle=True)
    page.get_by_role("button", name="Use", exact=True).press("Enter")
    expect(picker).to_have_accessible_name("Deployment: local / shared")
    expect(page).to_have_url(re.compile("cluster=local&nodepool=shared"))
    page.goto(f"/compute/deployments/new?model={MODEL}")
    check(page)
    page.goto("/compute/")
    page.get_by_role("link", name="New deployment").first.click()
    expect(page.get_by_role("dialog", name="New deployment")).to_be_visible()
    check(page, is_idle=True)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="New deployment").first).to_be_focused()
