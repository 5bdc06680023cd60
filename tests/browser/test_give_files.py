"""Pictures pasted, dropped, chosen and named by URL; and what is no picture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, Route, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import JSHandle

    from tests.live import Stack

HOLD_SAMPLE = """async (name) => {
  const picture = await fetch(document.querySelector("[data-sample] img").src);
  const held = new DataTransfer();
  held.items.add(new File([await picture.blob()], name, { type: "image/jpeg" }));
  return held;
}"""
SIZE = re.compile("512 . 512")
PASTE = """(held) => document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true }))"""


def hold(page: Page, name: str) -> JSHandle:
    return page.evaluate_handle(HOLD_SAMPLE, name)


def test_a_pasted_picture_is_asked_about(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = open_model("nanodet")
    page.evaluate(PASTE, hold(page, "pasted.jpg"))
    expect(page.locator("[data-name]").first).to_have_text("pasted.jpg")
    expect(page.locator("[data-meta]")).to_contain_text(SIZE)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text("person")


def test_a_dropped_one_takes_its_place(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = open_model("nanodet")
    page.evaluate(PASTE, hold(page, "first.jpg"))
    expect(page.locator("[data-name]").first).to_have_text("first.jpg")
    page.locator("media-input").dispatch_event("drop", {"dataTransfer": hold(page, "second.jpg")})
    expect(page.locator("[data-name]").first).to_have_text("second.jpg")
    expect(page.locator("[data-meta]")).to_contain_text(SIZE)


def test_a_file_that_is_no_picture_is_refused_beside_the_field(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = open_model("nanodet")
    given = {"name": "words.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    page.get_by_label("image", exact=True).set_input_files(given)  # type: ignore[arg-type]
    expect(page.locator("play-field [data-error]").first).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("play-field [data-error]").first).to_have_text(re.compile("A picture is needed"))
    expect(page.locator("[data-run-parts]")).to_be_hidden()


def test_a_url_shows_its_picture(stack: Stack, page: Page, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    asked: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        asked.append(route.request.headers)
        route.fulfill(
            body=b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", content_type="image/svg+xml"
        )

    page.route("https://pictures.example/*", answer)
    open_model("nanodet")
    page.get_by_role("button", name="From a URL").click()
    page.get_by_label("URL", exact=True).fill("https://pictures.example/cat.svg")
    page.keyboard.press("Enter")
    picture = page.locator("media-input img[src*=pictures]")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.naturalWidth") == 9
    assert "referer" not in asked[0]
