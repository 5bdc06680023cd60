"""Kept runs: found again, given to read, deleted and brought back; in two tabs at once, and by a wrong clock."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_be_open_to_all import check
from tests.browser.test_use_the_keyboard_alone import go_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live import Stack


def ask(page: Page, text: str) -> None:
    page.get_by_label("text", exact=True).fill(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text(text)
    expect(page.locator("[data-metric-label=total]")).to_have_text("Total")


def test_runs_are_found_deleted_and_brought_back(page: Page, open_model: Callable[..., Page]) -> None:
    open_model("bench", "predict")
    for text in ("a harbor at dawn", "a harbor at night", "<b>a mountain</b>"):
        ask(page, text)
    page.goto("/runs/?model=bench")
    rows, count = page.locator("tbody tr"), page.locator(".runs__count")
    expect(page.get_by_role("link", name="<b>a mountain</b>")).to_be_visible()
    page.get_by_label("Search runs").fill("HARBOR")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"\?(?=.*q=HARBOR)(?=.*model=bench)"))
    page.reload()
    expect(count).to_have_text(re.compile("^2 of "))
    expect(page.get_by_label("Search runs")).to_have_value("HARBOR")

    go_to(page, rows.first.get_by_role("gridcell").nth(1), limit=60)
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("tr[aria-selected=true]")).to_have_count(2)
    check(page)
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing matches HARBOR")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    page.go_back()
    expect(page.get_by_role("link", name="<b>a mountain</b>")).to_be_visible()


def test_the_list_is_live_and_stays_still_while_one_is_in_it(
    context: BrowserContext, page: Page, open_model: Callable[..., Page]
) -> None:
    open_model("bench", "predict")
    ask(page, "the first of two")
    listed = context.new_page()
    listed.goto("/runs/?model=bench")
    first = listed.locator("tbody tr").first.get_by_role("link")
    expect(first).to_have_text("the first of two")
    first.focus()
    ask(page, "the second of two")
    newer = listed.locator("[data-newer]")
    expect(newer).to_contain_text("1 newer run", timeout=10_000)
    expect(first).to_have_text("the first of two")
    newer.get_by_role("button").click()
    expect(first).to_have_text("the second of two")
    expect(first).to_be_focused()
    listed.locator("tbody tr").first.get_by_role("button").click()
    listed.get_by_role("menuitem", name="Run again").click()
    expect(listed.locator("[data-outputs]")).to_contain_text("the second of two")
    assert listed.url.count("run=") == 1


def test_a_link_lets_a_guest_read_until_it_is_withdrawn(
    stack: Stack, browser: Browser, page: Page, open_model: Callable[..., Page]
) -> None:
    told = stack.manage("users", "add", "leserin")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.web)
    guest = context.new_page()
    guest.goto(re.findall(r"http\S+", told)[0])
    open_model("bench", "predict")
    ask(page, "<i>for your eyes</i>")
    more = page.get_by_role("button", name="More acts on this run")
    go_to(page, more, limit=60)
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("menuitem", name="Share…"), "ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Share this run")
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.get_by_label("Link")
    expect(link).to_be_focused()
    check(page)
    address = link.input_value()
    guest.goto(address)
    expect(guest.locator("[data-outputs]")).to_contain_text("<i>for your eyes</i>")
    expect(guest.locator("[data-metric-label=total]")).to_have_text("Total")
    expect(guest.get_by_role("button", name="More acts on this run")).to_have_count(0)
    check(guest)
    dialog.get_by_role("button", name="Withdraw link").click()
    expect(dialog).to_contain_text("Nobody else can read it now")
    guest.reload()
    expect(guest.get_by_role("heading")).to_contain_text("Nothing is here for you")
    context.close()


def test_what_was_asked_can_be_asked_again_with_its_file(
    everything: str, page: Page, open_model: Callable[..., Page]
) -> None:
    open_model(everything, "take_image")
    page.get_by_role("button", name=re.compile("coffee")).first.click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-metric-label=total]")).to_have_text("Total", timeout=60_000)
    made = re.search(r"run=([\w-]+)", page.url)
    assert made
    page.goto(f"/owner/main/models/{everything}?method=take_image&like={made[1]}")
    expect(page.locator("[data-name]").first).to_have_text("coffee.jpg")
    expect(page.locator("[data-meta]")).to_contain_text("kB")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-metric-label=total]")).to_have_text("Total", timeout=60_000)


def test_a_stop_in_one_tab_is_seen_in_the_other_and_says_what_became_of_it(
    context: BrowserContext, page: Page, open_model: Callable[..., Page]
) -> None:
    open_model("bench", "paced")
    page.locator("[data-form] summary").click()
    page.get_by_label("count", exact=True).fill("100")
    page.get_by_label("interval", exact=True).fill("0.3")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_have_text(re.compile(r"\d+ \d+"))
    other = context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name=re.compile("^Stop")).click()
    for tab in (page, other):
        expect(tab.locator("[data-end]")).to_contain_text("The model has stopped computing")
    page.get_by_label("interval", exact=True).fill("8")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_have_text(re.compile(r"\d+"))
    page.keyboard.press("Control+.")
    expect(page.get_by_role("button", name="Stopping…")).to_be_visible()
    expect(page.locator("[data-end]")).to_contain_text("This runner cannot be stopped: its answer will be thrown away")


def test_a_clock_that_is_an_hour_ahead_changes_no_age(page: Page, open_model: Callable[..., Page]) -> None:
    page.clock.set_system_time(time.time() + 3600)
    open_model("bench", "predict")
    ask(page, "what time is it")
    expect(page.locator("#recent relative-time").first).to_have_text(re.compile(r"^(now|\d+.s)$"))
    page.goto("/runs/?span=1h")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("what time is it")
    expect(row.locator("relative-time")).to_have_text(re.compile("^(just now|.*s ago)$"))
