"""What differs between answers, by their kind: boxes, pictures, sounds, concepts, texts; and files of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from tests.live import Stack


def compare(page: Page, *targets: str, kind: str, text: str = "") -> None:
    """Opens and runs them; each has ended when this returns."""
    words = "&".join(f"t={quote(f'owner/main/models/{target}')}" for target in targets)
    page.goto(f"/compare/?{words}&kind={kind}&text={quote(text)}")
    page.locator("compare-page[data-begun]").wait_for()
    if kind == "image":
        page.locator("[data-sample]").first.click()
    page.get_by_role("button", name="Run all").first.click()
    expect(page.locator("[data-pane] [data-foot] dl")).to_have_count(len(targets), timeout=90_000)
    page.get_by_role("button", name="Differences from A").click()


def saved(page: Page, name: str) -> bytes:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=name).click()
    page.keyboard.press("Escape")
    return Path(download.value.path()).read_bytes()


def test_boxes_as_a_picture_and_as_a_page_to_send(stack: Stack, page: Page, tmp_path: Path) -> None:
    stack.wait_ready("nanodet", patience=200)
    compare(page, "nanodet?method=predict", 'nanodet?method=predict&arguments={"threshold":0.2}', kind="image")
    counts = page.locator(".boxes__group .tag")
    expect(page.get_by_role("heading", name="Only here")).to_be_visible()
    page.get_by_label("Concept").fill("person")
    expect(page.locator(".boxes__group .pairs__head b").filter(has_not_text="person")).to_have_count(0)
    page.get_by_label("Concept").fill("no such thing")
    expect(counts.first).to_have_text("0")
    page.get_by_label("Concept").fill("")
    expect(counts.first).not_to_have_text("0")
    with Image.open(io.BytesIO(saved(page, "The picture, with what differs (PNG)"))) as picture:
        assert picture.format == "PNG"
        assert picture.height > picture.width  # the picture is square, its legend below it
    report = tmp_path / "report.html"
    report.write_bytes(saved(page, "A page to send (HTML)"))
    page.goto(report.as_uri())
    expect(page.locator("img").first).to_have_js_property("complete", value=True)
    expect(page.get_by_role("columnheader", name="Overlap")).to_be_visible()
    check(page)


def test_pictures_that_were_made(stack: Stack, page: Page) -> None:
    stack.wait_ready("selfie", patience=200)
    stack.wait_ready("nanodet", patience=200)
    compare(page, "selfie?method=cut_out", "selfie?method=cut_out", "nanodet?method=predict", kind="image")
    expect(page.locator(".boxes__made")).to_have_count(2)
    expect(page.locator(".likeness")).to_contain_text("1.000")
    expect(page.locator("[data-over]")).to_contain_text("C gives regions, the others pictures")
    for mode in ("Swipe", "Blink", "Difference"):
        page.get_by_role("button", name=mode, exact=True).press("Enter")
        expect(page.get_by_role("button", name=mode, exact=True)).to_have_attribute("aria-pressed", "true")
    assert "show=Difference" in page.url
    check(page)


def test_sounds_are_played_together(stack: Stack, page: Page) -> None:
    stack.wait_ready("speak", patience=250)
    faster = 'speak?method=predict&arguments={"speed":1.5}'
    words = "The sky is blue today, and the sea is calm. Far out a ship goes by, slowly, towards the harbour."
    compare(page, "speak?method=predict", faster, kind="text", text=words)
    expect(page.locator(".wave")).to_have_count(2)
    expect(page.locator(".sounding__row").nth(1)).to_contain_text("shorter")
    page.get_by_role("button", name="Play together").press("Enter")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.get_by_role("button", name="B alone").press("Enter")
    expect(page.get_by_role("button", name="B alone")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Place in the sounds")).not_to_have_value("0")
    expect(page.get_by_role("button", name="Play together")).to_be_visible(timeout=30_000)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("group", name="How loud each is").locator("tbody tr")).to_have_count(24)
    expect(page.locator(".wave__reading title").first).to_contain_text("From 0")
    check(page)


def test_concepts_filtered_at_once(stack: Stack, page: Page) -> None:
    stack.wait_ready("efficientnet", patience=200)
    compare(page, "efficientnet?method=predict", "efficientnet?method=predict", kind="image")
    expect(page.locator("[data-over] .pairs__item").first).to_be_visible()
    expect(page.locator("[data-alike]").nth(1)).to_have_text("100\u00a0% alike")
    page.get_by_label("Threshold", exact=False).first.fill("1")
    expect(page.locator("[data-over]")).to_contain_text("No concepts above this threshold.")
    page.get_by_role("button", name="Answers").click()
    expect(page.locator("[data-pane] .bar")).to_have_count(0)


def test_long_texts_scroll_together(stack: Stack, page: Page) -> None:
    """The second has a paragraph that the first lacks: what is the same stays side by side."""
    stack.wait_ready("hello")
    lines = [f"This is the paragraph of number {number}, which goes on. " * 8 for number in range(40)]
    longer = [*lines[:5], "Something else altogether stands here. " * 60, *lines[5:]]
    page.goto("/compare/?t=owner/main/models/hello&t=owner/main/models/hello%3Fprompt%3Dx&kind=text")
    page.locator("compare-page[data-begun]").wait_for()
    page.locator("[data-prompt]").nth(1).fill("\n".join(longer))
    page.locator("[data-field] textarea").first.fill("\n".join(lines))
    page.get_by_role("button", name="Run all").first.click()
    expect(page.locator("[data-pane] [data-foot] dl")).to_have_count(2, timeout=90_000)
    page.get_by_role("button", name="Differences from A").click()
    bodies = page.locator("[data-body]")
    expect(bodies.nth(1).locator("ins").first).to_be_visible()
    bodies.nth(0).hover()
    page.mouse.wheel(0, 3000)
    tops = "body => body.querySelectorAll('.answer__block')[0] && body.scrollTop"
    expect(bodies.nth(0)).not_to_have_js_property("scrollTop", value=0)
    page.wait_for_function("() => document.querySelectorAll('[data-body]')[1].scrollTop > 3050")
    page.get_by_label("Scroll together").uncheck()
    before = bodies.nth(1).evaluate(tops)
    page.keyboard.press("End")
    bodies.nth(0).hover()
    page.mouse.wheel(0, -2000)
    page.wait_for_function("() => document.querySelectorAll('[data-body]')[0].scrollTop < 2000")
    assert bodies.nth(1).evaluate(tops) == before
    check(page)
