"""Workflows of the built-in models, by keys alone: each node apart as it comes, half failed, written and deleted."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from playground import media
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from tests.live import Stack

AT = "/owner/main/workflows"
SAMPLES = Path(media.__file__).parent / "samples"
HALF = """\
workflow:
  id: half
  nodes:
    - id: classify
      model: {model_id: efficientnet}
    - id: describe
      model: {model_id: smollm2}
      deployment: NIGHT
      prompt: "Describe {classify}."
      node_inputs: [{node_id: classify}]
    - id: shorten
      model: {model_id: smollm2}
      prompt: "Shorter: {describe}"
      node_inputs: [{node_id: describe}]
"""


def opened(page: Page, name: str) -> Page:
    page.goto(f"{AT}/{name}")
    page.wait_for_selector("workflow-page[data-begun]")
    return page


def run_on(page: Page, sample: str) -> None:
    """Chooses a sample picture and runs, without a mouse."""
    page.get_by_role("button", name=re.compile(sample)).press("Enter")
    run(page)


def run(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-metric-label]")).to_have_text("Total", timeout=60_000)


def node(page: Page, name: str) -> str:
    return page.locator(f"section[data-node={name}]").inner_text()


def test_people_are_found_cut_out_and_their_poses_drawn(stack: Stack, page: Page) -> None:
    for model in ("nanodet", "movenet"):
        stack.wait_ready(model, patience=200)
    opened(page, "people-pose")
    check(page, is_idle=True)
    run_on(page, "camera")
    assert "person" in node(page, "detect")
    expect(page.locator("section[data-node=crop] img")).to_have_count(1)
    assert "left shoulder" in node(page, "pose")
    for name in ("detect", "crop", "pose"):
        expect(page.locator(f"[data-graph-node={name}]").first).to_have_attribute("data-state", "finished")
        assert "Done" in node(page, name)
    expect(page.locator("[data-announcer=polite]")).to_have_text(re.compile("Finished: .*3 nodes"))
    check(page)
    page.reload()
    expect(page.locator("section[data-node=pose]")).to_contain_text("left shoulder")
    page.goto("/runs/")
    expect(page.locator("tbody tr").first).to_contain_text("people-pose")


def test_a_picture_is_put_into_a_sentence_that_streams(stack: Stack, page: Page) -> None:
    for model in ("efficientnet", "smollm2"):
        stack.wait_ready(model, patience=200)
    opened(page, "picture-described")
    page.locator("[data-form] input[type=file]").set_input_files(SAMPLES / "chelsea.jpg")
    expect(page.locator("[data-form]")).to_contain_text("451 \u00d7 300", timeout=30_000)  # it is stored
    run(page)
    assert "cat" in node(page, "classify")
    said = page.locator("section[data-node=describe] .answer").inner_text()
    assert len(said.split()) > 3
    expect(page.locator("[data-metric=tokens]")).to_have_text(re.compile(r"\d"))


def test_one_is_written_runs_half_and_is_deleted(stack: Stack, page: Page) -> None:
    for model in ("efficientnet", "smollm2"):
        stack.wait_ready(model, patience=200)
    night = f"night-{uuid.uuid4().hex[:6]}"
    half = HALF.replace("NIGHT", night)
    page.goto(f"{AT.removeprefix('/owner/main')}/new")
    page.get_by_label("YAML").fill(half.replace("{describe}", "{descibe}"))
    expect(page.locator("#check")).to_contain_text("line 13: The prompt speaks of {descibe}")
    expect(page.locator("#check")).to_contain_text(f"line 8: No deployment {night} for you.")
    check(page)
    place = ("--model", "smollm2", "--nodepool", "local/shared", "--min", "0")
    stack.manage("deployments", "create", night, *place)
    page.get_by_label("YAML").fill(f"{half}# there now")
    expect(page.locator("#check")).to_contain_text("It fits together")
    page.get_by_role("button", name="Create workflow").press("Enter")
    page.wait_for_selector("workflow-page[data-begun]")
    stack.manage("deployments", "delete", night)
    run_on(page, "coffee")
    assert "espresso" in node(page, "classify")
    assert f"No deployment {night} for you." in node(page, "describe")
    assert "It takes from describe, which gave nothing." in node(page, "shorten")
    expect(page.locator("[data-end] .notice__title")).to_contain_text("1 of 3 nodes answered.")
    expect(page.locator("[data-announcer=assertive]")).to_contain_text("Partly failed")
    check(page)
    for tab in ("API", "YAML"):
        page.get_by_role("link", name=tab, exact=True).press("Enter")
        check(page, is_idle=True)
    page.get_by_role("button", name="Delete half…").press("Enter")
    page.get_by_label("Type half to go on").fill("half")
    page.keyboard.press("Enter")
    expect(page.get_by_text("half is deleted.")).to_be_visible()
    check(page)
