"""A comparison while it runs: what is cold, a reload in the middle, earlier rounds, and its end."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live import Stack

BENCH = "owner/main/models/bench"
DEPLOY = """
from playground.catalog.models import Model, User
from playground.compute import services
from playground.compute.models import Nodepool
owner = User.objects.get(username="owner")
model = Model.objects.get(app__owner=owner, slug="bench")
pool = Nodepool.objects.get(is_shared=True)
for slug in {slugs!r}:
    services.create_deployment(
        owner, slug, model, nodepools=[pool], min_replicas=0, environment={{"LOAD_UNTIL": {gate!r}}}
    )
"""
DELETE = """
from playground.catalog.models import User
from playground.compute import services
services.delete_deployments(User.objects.get(username="owner"), {slugs!r})
"""


def address(*targets: str) -> str:
    return f"/compare/?{'&'.join(f't={quote(target)}' for target in targets)}&text=go"


def clocked(count: int, deployment: str = "") -> str:
    place = f"&deployment={deployment}" if deployment else ""
    return f"{BENCH}?method=clocked{place}&arguments={json.dumps({'count': count, 'interval': 0.05})}"


def test_six_cold_at_once_and_what_is_deleted_meanwhile(stack: Stack, page: Page, tmp_path: Path) -> None:
    """None holds up another; a call goes on where its deployment is deleted, and ends where it had not begun."""
    cold, gate = [f"cold-{uuid.uuid4().hex[:6]}" for _ in range(6)], tmp_path / "may-load"
    stack.manage("shell", "--no-imports", "-c", DEPLOY.format(slugs=cold, gate=str(gate)))
    page.goto(address(*(clocked(4000, slug) for slug in cold)))
    page.locator("compare-page[data-begun]").wait_for()
    page.keyboard.press("Control+Enter")
    panes = page.locator("[data-pane]")
    for number in range(6):
        expect(panes.nth(number).locator("start-timeline")).to_be_visible(timeout=30_000)
    stack.manage("shell", "--no-imports", "-c", DELETE.format(slugs=cold[:1]))
    expect(panes.nth(0).locator("[data-end]")).to_contain_text(f"No deployment {cold[0]} for you.", timeout=30_000)
    check(page)
    gate.touch()
    for number in range(1, 6):  # each goes on by itself
        expect(panes.nth(number).locator("[data-outputs]")).not_to_be_empty(timeout=60_000)
    stack.manage("shell", "--no-imports", "-c", DELETE.format(slugs=cold[1:]))
    shown = panes.nth(1).locator("[data-outputs]").inner_text()
    expect(panes.nth(1).locator("[data-outputs]")).not_to_have_text(shown)
    expect(panes.nth(1).locator("[data-end]")).to_be_empty()
    page.keyboard.press("Control+.")
    for number in range(1, 6):
        expect(panes.nth(number).locator("[data-end]")).to_contain_text("The model has stopped computing")
    page.reload()
    expect(panes.nth(1).locator("[data-end]")).to_contain_text("The model has stopped computing")
    expect(panes.nth(1)).to_contain_text(f"No deployment {cold[1]} for you.")


def test_a_reload_in_the_middle_earlier_rounds_and_the_end(page: Page) -> None:
    page.goto(address(clocked(20), clocked(20)))
    expect(page.locator("[data-pane]").nth(1)).to_contain_text("The same target as A")
    page.get_by_label("Repeat").fill("3")
    page.get_by_label("How the panes run").select_option("turn")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-pane]").nth(1)).to_contain_text("Run 1 of 3")
    page.reload()
    left = page.locator("[data-left]")
    expect(left).to_contain_text("not begun")
    left.get_by_role("button", name="Go on").click()
    for number in (0, 1):
        expect(page.locator("[data-pane]").nth(number)).to_contain_text("3 of 3 repeats", timeout=30_000)
    expect(page.locator("[data-verdict]")).to_contain_text("no clear difference")

    page.get_by_label("Repeat").fill("1")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Rounds").click()
    page.get_by_role("menuitem", name="Round 1").click()
    expect(page.get_by_text("round 1, to be read")).to_be_visible()
    expect(page.locator("[data-pane]").nth(0)).to_contain_text("3 of 3 repeats")
    expect(page.get_by_role("button", name="Run all")).to_have_count(0)
    check(page)
    page.get_by_role("link", name="Ask this again").click()
    page.get_by_role("button", name="Add pane").first.click()
    expect(page.get_by_role("dialog", name="Choose a model to compare")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("button", name="Delete comparison").click()
    expect(page.get_by_text("Nothing to compare yet.")).to_be_visible()
