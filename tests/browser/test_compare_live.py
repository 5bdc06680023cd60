"""Use of deployments side by side, as it happens: plots with a table behind, refreshed while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from playground.sdk import Client
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from tests.live import Stack

KEY = "from playground.compute.models import Deployment as D; print(D.objects.get(slug='shared-bench').pk)"


def test_it_follows_what_happens(stack: Stack, page: Page) -> None:
    """The table that was opened stays open, and what was chosen and is not there is said."""
    key = stack.manage("shell", "--no-imports", "-c", KEY).split()[-1]
    page.goto(f"/compare/live?model=owner/main/models/bench&d={key}&d=999999&span=1h")
    part = page.locator(".live__part")
    expect(part.get_by_role("img")).to_have_count(3)
    expect(page.get_by_text("1 of those chosen is not there for you any more")).to_be_visible()
    page.get_by_text("As a table").press("Enter")
    rows = part.locator("tbody tr")
    expect(rows).to_have_count(30)
    calls = part.locator(".figures dd").first
    before = int(calls.inner_text().replace(",", ""))
    with Client(f"http://{stack.api}", stack.token) as client:
        client.model("owner/main/models/bench").predict(text="go")
    expect(calls).to_have_text(f"{before + 1:,}", timeout=30_000)
    expect(rows.last).to_be_visible()
    expect(part.locator("svg title").last).to_contain_text("ready")
    check(page)
