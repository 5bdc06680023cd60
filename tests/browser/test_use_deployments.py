"""Deployments & Usage: by the keyboard alone, with acts on rows; right by itself, and still under the pointer."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.runner import examples
from tests.browser.test_be_open_to_all import check
from tests.browser.test_use_the_keyboard_alone import go_to

if TYPE_CHECKING:
    from tests.live import Stack

EXAMPLES = Path(next(iter(examples.__path__)))
MODEL = "owner/main/models/fruits"
HERE = f"/{MODEL}/deployments"
USE = """
from datetime import timedelta
from django.utils import timezone
from playground.compute.models import Deployment
from tests.compute.using import call, store
rows = {{row.slug: row for row in Deployment.objects.all()}}
uses = {uses!r}
now = timezone.now()
store([call(rows[slug], rows[slug].owner_id, now - timedelta(seconds=ago)) for slug, n, ago in uses for _ in range(n)])
"""


@pytest.fixture(scope="module")
def two(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two deployments that need no replica: fruit-avocado, called 7 times, and fruit-banana, called 3 times, later."""
    folder = tmp_path_factory.mktemp("models") / "fruits"
    shutil.copytree(EXAMPLES / "hello", folder)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("id: hello", "id: fruits"))
    stack.add_model(folder, "fruits")
    for name in ("fruit-avocado", "fruit-banana"):
        place = ("--nodepool", "local/shared", "--min", "0", "--max", "2")
        stack.manage("deployments", "create", name, "--model", MODEL, *place)
    use(stack, ("fruit-avocado", 7, 900), ("fruit-banana", 3, 600))


def use(stack: Stack, *uses: tuple[str, int, int]) -> None:
    stack.manage("shell", "--no-imports", "-c", USE.format(uses=uses))


def open_table(page: Page, query: str) -> Locator:
    page.goto(f"{HERE}?{query}")
    page.wait_for_selector("usage-table[data-live]")
    return page.locator("tbody tr")


def test_by_keyboard(two: None, page: Page) -> None:
    rows = open_table(page, "sort=deployment")
    expect(rows).to_have_count(3)
    check(page)
    grid_stops = page.locator(".usage__region [tabindex='0']")
    expect(grid_stops).to_have_count(1)
    go_to(page, page.locator("#usage-csv"))
    page.keyboard.press("Tab")
    expect(rows.first.locator(".usage__first")).to_be_focused()

    go_to(page, page.locator("#sort-deployment"), "ArrowUp")
    go_to(page, page.locator("#sort-calls"), "ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort=descending] #sort-calls")).to_be_focused()
    expect(page.locator("[data-announcer=polite]")).to_have_text("3 deployments, sorted by calls, descending")
    expect(rows.first).to_contain_text("fruit-avocado")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort=ascending] #sort-calls")).to_be_focused()
    assert "sort=calls" in page.url

    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("[data-chosen]")).to_contain_text("3 selected")
    page.keyboard.press(" ")
    expect(page.locator("[data-chosen]")).to_contain_text("2 selected")
    page.reload()
    expect(page.locator("tr[aria-selected=true]")).to_have_count(2)

    page.locator("#usage-filter").fill("avo")
    expect(rows).to_have_count(1)
    assert "q=avo" in page.url
    expect(page.locator("[data-chosen]")).to_contain_text("2 selected")
    replicas = rows.first.locator(".usage__replicas")
    go_to(page, rows.first.locator(".usage__first"), limit=10)
    go_to(page, replicas, "ArrowRight")
    expect(page.locator("#usage-hint")).to_contain_text("Between 0 and 2, by the calls of the last 1 min.")
    page.keyboard.press("Escape")
    expect(page.locator("#usage-hint")).to_be_hidden()
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Open in playground")).to_be_focused()
    page.keyboard.press("Escape")
    expect(replicas).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/fruits?deployment=fruit-avocado")
    page.go_back()
    expect(rows).to_have_count(1)
    page.go_back()
    page.go_back()
    assert "sort=-calls" in page.url
    expect(page.locator("[aria-sort=descending] #sort-calls")).to_be_visible()


def test_it_is_right_by_itself_and_still_while_one_is_in_it(stack: Stack, two: None, page: Page) -> None:
    rows = open_table(page, "q=fruit")
    names = rows.locator(".usage__id")
    expect(names).to_have_text(["fruit-banana", "fruit-avocado"])
    calls = page.locator("tr[data-slug=fruit-avocado] .usage__col--calls")
    before = int(calls.inner_text().split()[-1])
    page.locator("tr[data-slug=fruit-banana] .usage__first").hover()
    use(stack, ("fruit-avocado", 5, 1))
    expect(calls).to_have_text(str(before + 5))
    expect(names).to_have_text(["fruit-banana", "fruit-avocado"])
    again = page.get_by_role("button", name="Sort again")
    again.focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["fruit-avocado", "fruit-banana"])
    expect(again).to_be_hidden()
    page.locator("h1").hover()
    page.locator("#usage-filter").focus()
    use(stack, ("fruit-banana", 1, 0))
    expect(names).to_have_text(["fruit-banana", "fruit-avocado"])
    expect(page.locator("#usage-filter")).to_be_focused()


def test_acts_on_a_row(stack: Stack, two: None, page: Page) -> None:
    rows = open_table(page, "sort=-calls")
    row = page.locator("tr[data-slug=fruit-banana]")

    def choose(name: str) -> None:
        row.locator("[data-menu]").click()
        page.get_by_role("menuitem", name=name).click()

    choose("Scale…")
    page.get_by_label("Fewest replicas").fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("min_replicas is 4, above max_replicas")
    page.get_by_label("Fewest replicas").fill("0")
    page.get_by_label("Most replicas").fill("3")
    check(page, is_idle=True)
    page.keyboard.press("Enter")
    expect(row.locator(".usage__replicas")).to_contain_text(re.compile("0.3"))

    choose("Edit…")
    page.get_by_label("Visibility").select_option("Public")
    check(page, is_idle=True)
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Public")

    choose("Disable")
    expect(row).to_contain_text("off")
    page.get_by_role("button", name="Undo").click()
    expect(row.locator(".tag--wait")).to_have_count(0)

    row.locator(".usage__trend").click()
    chart = page.get_by_role("dialog").get_by_role("img")
    expect(chart).to_have_attribute("aria-label", re.compile("fruit-banana, last 24 hours: .* calls?, at most"))
    page.get_by_text("As a table").click()
    check(page, is_idle=True)
    page.keyboard.press("Escape")

    choose("Logs")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "fruit-banana.log"
    page.keyboard.press("Escape")
    with page.expect_download() as file:
        page.get_by_role("link", name="CSV").click()
    lines = file.value.path().read_text().splitlines()
    assert lines[0].startswith("Deployment,Version,Cluster")
    assert len(lines) == 4

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitemcheckbox", name="Region").click()
    expect(page.locator("#sort-region")).to_have_count(0)
    page.keyboard.press("Escape")
    page.goto(HERE)
    expect(page.locator("#sort-region")).to_have_count(0)

    choose("Delete…")
    delete = page.get_by_role("button", name="Delete fruit-banana")
    expect(delete).to_be_disabled()
    page.keyboard.type("fruit-banana")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(row).to_have_count(0)
