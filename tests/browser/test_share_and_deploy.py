"""An app is shared and left again; a deployment is watched, scaled, switched off and deleted: all by keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_be_open_to_all import check
from tests.browser.test_use_the_keyboard_alone import go_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live import Stack

MODEL = "owner/main/models/hello"


@pytest.fixture(scope="module")
def guest(browser: Browser, stack: Stack) -> Iterator[tuple[Page, str]]:
    """Somebody else's browser, not signed in, with the access token that adding them gave."""
    told = stack.manage("users", "add", "gast")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.web)
    yield context.new_page(), told.split()[-1]
    context.close()


def test_a_guest_signs_in_sees_what_is_shared_and_signs_out(page: Page, guest: tuple[Page, str]) -> None:
    other, token = guest
    other.goto(f"/{MODEL}")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    field = other.get_by_label("Link or access token")
    go_to(other, field)
    other.keyboard.type("nonsense")
    other.keyboard.press("Enter")
    expect(other.locator(".field__error")).to_contain_text("does not sign anyone in")
    check(other)
    go_to(other, other.get_by_label("Link or access token"))
    other.keyboard.press("Control+A")
    other.keyboard.type(token)
    other.keyboard.press("Enter")
    other.wait_for_url(f"**/{MODEL}")
    expect(other.get_by_role("heading")).to_contain_text("Nothing is here for you")

    page.goto("/owner/main/settings")
    go_to(page, page.get_by_label("Add a user"))
    page.keyboard.type("gast")
    page.keyboard.press("Enter")
    expect(page.locator("main").get_by_role("status")).to_contain_text("gast is viewer of owner/main.")
    check(page)

    other.reload()
    expect(other.get_by_role("heading", level=1)).to_contain_text("hello")
    other.goto("/compute/")
    expect(other.get_by_role("link", name="owner / shared-hello")).to_be_visible()
    expect(other.locator("main")).to_contain_text("No deployment of your own yet.")
    other.get_by_role("link", name="owner / shared-hello").click()
    expect(other.get_by_role("button", name="Scale…")).to_have_count(0)
    expect(other.get_by_role("heading", name="Log")).to_have_count(0)

    go_to(page, page.get_by_role("button", name="Remove gast"))
    page.keyboard.press("Enter")
    expect(page.locator("main").get_by_role("status")).to_contain_text("gast is no member")
    other.goto(f"/{MODEL}")
    expect(other.get_by_role("heading")).to_contain_text("Nothing is here for you")
    person = other.get_by_role("button", name=re.compile("^gast"))
    go_to(other, person)
    other.keyboard.press("Enter")
    go_to(other, other.get_by_role("button", name="Sign out", exact=True))
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_making_public_asks_and_can_be_left_alone(page: Page) -> None:
    page.goto("/owner/main/settings")
    ask = page.get_by_role("button", name="Make hello public").first
    go_to(page, ask, limit=60)
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Anyone who can sign in here will see it and may call it")
    check(page)
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(ask).to_be_focused()


def test_a_deployment_from_its_first_state_to_its_end(stack: Stack, page: Page) -> None:
    page.goto("/compute/")
    expect(page.locator("main")).to_contain_text("labels")
    check(page)
    region = page.get_by_role("region", name="Table of deployments")
    shared = region.get_by_role("link", name="shared-hello")
    shared.focus()
    place = ("--nodepool", "local/shared", "--min", "1", "--max", "2")
    stack.manage("deployments", "create", "watched", "--model", MODEL, *place)
    row = region.get_by_role("row", name=re.compile("^watched"))
    expect(row).to_contain_text("Ready", timeout=30_000)
    expect(row).to_contain_text(re.compile(r"1/1\s+\(1.2\)"))
    expect(shared).to_be_focused()

    row.get_by_role("link", name="watched").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("watched")
    history = page.locator(".history")
    expect(history.locator(".history__item").first).to_contain_text("Ready")
    expect(history.locator(".history__item").last).to_contain_text("Pending")
    expect(history.locator("time").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(page.locator("#log-lines")).to_contain_text("listening")
    check(page)

    go_to(page, page.get_by_role("button", name="Scale…"), limit=60)
    page.keyboard.press("Enter")
    go_to(page, page.get_by_label("Fewest replicas"))
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator("main").get_by_role("status")).to_contain_text("watched has 2 to 2 replicas from now on.")
    expect(page.get_by_role("region", name="Table of replicas").get_by_role("row")).to_have_count(3, timeout=30_000)

    go_to(page, page.get_by_role("button", name="Switch off"), limit=60)
    page.keyboard.press("Enter")
    expect(page.locator("main").get_by_role("status")).to_contain_text("watched is switched off")
    expect(page.locator("main")).to_contain_text("None runs now.", timeout=30_000)

    go_to(page, page.get_by_role("button", name="Delete…"), limit=60)
    page.keyboard.press("Enter")
    delete = page.get_by_role("button", name="Delete watched")
    expect(delete).to_be_disabled()
    page.keyboard.type("watched")
    expect(delete).to_be_enabled()
    check(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/compute/")
    expect(page.locator("main").get_by_role("status")).to_contain_text("watched is deleted.")
    expect(page.get_by_role("row", name=re.compile("^watched"))).to_have_count(0)
