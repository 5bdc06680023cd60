"""Two targets side by side: run by keyboard, told apart, run again, and read by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from tests.live import Stack

HELLO = "owner/main/models/hello"


def address(*targets: str, text: str) -> str:
    return f"/compare/?{'&'.join(f't={quote(target)}' for target in targets)}&text={quote(text)}"


def test_two_targets(stack: Stack, page: Page) -> None:
    stack.wait_ready("hello")
    own = "good morning to everybody"
    page.goto(address(f"{HELLO}?method=predict", f"{HELLO}?method=predict&prompt={own}", text="good morning to all"))
    check(page, is_idle=True)
    page.keyboard.press("Control+Enter")
    panes = page.locator("[data-pane]")
    expect(panes.nth(1).locator("[data-outputs]")).to_contain_text(own)
    expect(page.locator("[data-verdict]")).to_contain_text("One run each says little about speed.")
    expect(panes.nth(1).locator("[data-alike]")).to_contain_text("alike")

    page.get_by_role("button", name="Differences from A").press("Enter")
    expect(panes.nth(1).locator("ins")).to_have_text("everybody")
    expect(panes.nth(1).locator("del")).to_have_text("all")
    check(page)

    page.get_by_label("Repeat").fill("4")
    page.keyboard.press("Control+Enter")
    expect(panes.nth(0).get_by_text("4 of 4 repeats")).to_be_visible(timeout=30_000)
    expect(panes.nth(0).get_by_role("img", name="A, total time: 4 runs")).to_be_visible()

    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    page.get_by_role("button", name="Close").click()
    page.goto(link.split("?")[0])
    expect(panes.nth(1).locator("[data-outputs]")).to_contain_text(own)


def test_a_picture_with_boxes_and_a_target_that_is_not_there(stack: Stack, page: Page) -> None:
    stack.wait_ready("nanodet", patience=200)
    nanodet = "owner/main/models/nanodet"
    low = nanodet + '?method=predict&arguments={"threshold":0.2}'
    page.goto(address(nanodet, low, "owner/main/models/gone", text="") + "&kind=image")
    expect(page.locator("[data-pane]").nth(2)).to_contain_text("It does not exist, or is not shared with you.")
    expect(page.get_by_role("button", name="Choose picture")).to_be_visible()
    page.locator("[data-sample]").first.click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-pane]").nth(1).locator("[data-alike]")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Differences from A").click()
    expect(page.get_by_role("heading", name="Only here")).to_be_visible()
    for mode in ("Swipe", "Blink", "Difference", "Both"):
        page.get_by_role("button", name=mode, exact=True).click()
    check(page)
    page.get_by_label("Threshold", exact=False).first.fill("1")
    expect(page.locator(".boxes__group .tag").first).to_have_text("0")
