"""An administrator in Django's admin: it works below our policy, without a word from the browser against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_cluster_is_made_found_and_deleted(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/admin/")
    page.get_by_role("link", name="Clusters").first.click()
    page.get_by_role("link", name="Add cluster").first.click()
    page.get_by_label("Slug").fill("cellar")
    page.get_by_label("Region").fill("below the stairs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    row = page.get_by_role("row", name="owner/cellar")
    row.get_by_role("checkbox").check()
    page.get_by_label("Action").first.select_option("delete_selected")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).first.click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Successfully deleted 1 cluster")).to_be_visible()
    page.goto("/admin/compute/deployment/add/")
    expect(page.get_by_label("Secret value")).to_have_attribute("type", "password")
    assert complaints == []
