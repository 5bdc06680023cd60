"""The Inputs-Manager in Chromium: files come in, are found, labelled, deleted and brought back, by keyboard too."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from playground.sdk import Client
from tests.browser.test_be_open_to_all import check
from tests.live import Stack

SLOW = 30_000


def picture(number: int, width: int = 96, height: int = 72) -> bytes:
    noise = np.random.default_rng(number).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).resize((width, height)).save(stream, "JPEG")
    return stream.getvalue()


def file(name: str, data: bytes, kind: str = "image/jpeg") -> FilePayload:
    return FilePayload(name=name, mimeType=kind, buffer=data)


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def choose(page: Page, *files: FilePayload) -> None:
    """By the button, as a person does."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files(list(files))


@pytest.fixture
def manager(page: Page, stack: Stack) -> Page:
    """The page with nothing in it, whatever ran before."""
    with Client(f"http://{stack.api}", stack.token) as client:
        if kept := [found.id for found in client.inputs.each()]:
            client.inputs.delete(*kept)
    page.goto("/inputs/")
    page.wait_for_selector("inputs-manager[data-live]")
    return page


def said(page: Page, words: str) -> None:
    expect(page.locator("upload-list [data-title]")).to_have_text(words, timeout=SLOW)


def counted(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.locator(".manager__count")).to_have_text(words, timeout=SLOW)


def test_files_come_in_and_what_fails_can_be_tried_again(manager: Page) -> None:
    page = manager
    broken = file("broken.jpg", picture(9)[:300])
    choose(page, *(file(f"quay-{n}.jpg", picture(n)) for n in range(4)), broken)
    said(page, "4 of 5 added")
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads).to_contain_text("The picture is damaged or cut off")
    expect(uploads).to_contain_text("1 refused")
    for n in range(4):
        expect(tile(page, f"quay-{n}.jpg")).to_be_visible()
    expect(page.locator(".thumb img").first).to_have_js_property("complete", True)
    assert page.locator(".thumb img").first.evaluate("(image) => image.naturalWidth") > 0

    # The same bytes are offered, not doubled.
    choose(page, file("again.jpg", picture(1)))
    said(page, "0 of 1 added")
    expect(uploads).to_contain_text("The same bytes as quay-1.jpg.")
    uploads.get_by_role("button", name="Add anyway").click()
    said(page, "1 input added")
    expect(tile(page, "again.jpg")).to_be_visible()

    # What the server could not take just now can be tried again.
    page.route("**/inputs/add", lambda route: route.fulfill(status=503, body="{}"), times=1)
    choose(page, file("later.jpg", picture(5)))
    uploads.get_by_role("button", name="Retry").click(timeout=SLOW)
    said(page, "1 input added")

    # Too large: an early no, before anything is sent.
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(21 * 2 ** 20)], "huge.jpg", { type: "image/jpeg" }));
          transfer.items.add(new File(["Dropped on the page"], "note.txt", { type: "text/plain" }));
          for (const kind of ["dragenter", "drop"])
            document.querySelector(".manager__scroller").dispatchEvent(
              new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    said(page, "1 of 2 added")
    expect(uploads).to_contain_text("a picture may have 20")
    expect(tile(page, "note.txt")).to_be_visible()


def test_a_thousand_files_dropped_at_once_come_in_and_are_flung_through(manager: Page) -> None:
    page = manager
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          const add = (words, name) => transfer.items.add(new File([words], name, { type: "text/plain" }));
          for (let n = 0; n < 997; n += 1) add(`Leaf ${n} of a log`, `leaf-${n}.txt`);
          add("", "empty.txt");
          add("Leaf 3 of a log", "same.txt");
          transfer.items.add(new File([new Uint8Array(21 * 2 ** 20)], "huge.jpg", { type: "image/jpeg" }));
          for (const kind of ["dragenter", "drop"])
            document.querySelector(".manager__scroller").dispatchEvent(
              new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    # The page stays in hand meanwhile.
    expect(page.get_by_role("region", name="Uploads").get_by_role("button", name="Pause")).to_be_visible()
    page.locator("#inputs-search").fill("no such leaf")
    page.locator("#inputs-search").fill("")
    expect(page.locator("upload-list [data-title]")).to_have_text("997 of 1,000 added", timeout=8 * SLOW)
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads).to_contain_text("a picture may have 20")
    expect(uploads).to_contain_text("The file is empty.")
    expect(uploads).to_contain_text("The same bytes as")
    uploads.get_by_role("button", name="Close the list of uploads").click()
    counted(page, "997")

    # Flung through, some tiles are left out for a while; where it comes to rest, all are there, each in its place.
    page.evaluate(
        """() => new Promise((done) => {
          const scroller = document.querySelector(".manager__scroller");
          let left = 40;
          const draw = () => {
            scroller.scrollTop += 300;
            left -= 1;
            if (left) requestAnimationFrame(draw);
            else done();
          };
          requestAnimationFrame(draw);
        })"""
    )
    page.wait_for_function(
        """() => {
          const edges = document.querySelector(".manager__scroller").getBoundingClientRect();
          const isSeen = ({ top, bottom }) => bottom > edges.top && top < edges.bottom;
          const seen = [...document.querySelectorAll(".thumb")]
            .map((tile) => ({ tile, box: tile.getBoundingClientRect() }))
            .filter(({ box }) => isSeen(box))
            .sort((a, b) => a.box.top - b.box.top || a.box.left - b.box.left)
            .map(({ tile }) => (tile.matches(".thumb--blank") ? null : Number(tile.getAttribute("aria-posinset"))));
          return seen.length > 8 && seen.every((place, n) => place !== null && place === seen[0] + n);
        }""",
        timeout=SLOW,
    )


def test_an_upload_pauses_and_outlives_a_lost_line(manager: Page, tmp_path: Path) -> None:
    page = manager
    large = tmp_path / "large.bmp"
    Image.effect_noise((2000, 3000), 90).convert("RGB").save(large)  # 18 MB: five parts
    held: list[Route] = []
    lost = 1

    def part(route: Route) -> None:
        nonlocal lost
        if route.request.method == "PUT" and lost:
            lost -= 1
            route.abort()
        elif route.request.method == "PUT" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/media/uploads/**", part)
    page.locator("input[data-files]").set_input_files(large)
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_timeout(50)
    uploads.get_by_role("button", name="Pause").click()
    expect(page.locator("upload-list [data-title]")).to_have_text("Paused at 0 of 1")
    uploads.get_by_role("button", name="Go on").click()
    page.wait_for_function("document.querySelector('upload-list progress')")
    for _ in range(100):
        if held:
            held[0].continue_()
            break
        page.wait_for_timeout(50)
    said(page, "1 input added")
    expect(tile(page, "large.bmp")).to_be_visible()


def test_texts_addresses_and_tables_come_in_with_labels(manager: Page) -> None:
    page = manager
    more = page.get_by_role("button", name="More ways to add")
    more.click()
    page.get_by_role("button", name="Text", exact=True).click()
    page.get_by_label("Text", exact=True).fill("Gulls over the quay\nBoats below them")
    page.get_by_label("Each line is an input of its own").check()
    page.get_by_label("Concepts", exact=True).first.fill("sea, port")
    page.get_by_label("Metadata", exact=True).first.fill("place = quay")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    said(page, "2 inputs added")
    page.get_by_role("checkbox", name="sea", exact=True).check()
    counted(page, re.compile(r"^\s*2 of"))
    page.get_by_label("Metadata, as key = value").fill("place=quay")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"any=sea&metadata=place%3Dquay"))
    page.get_by_role("link", name="Clear all").click()
    expect(page).to_have_url(re.compile(r"/inputs/\??$"))

    more.click()
    page.get_by_role("button", name="URLs").click()
    page.get_by_label("URLs, one a line").fill("not an address")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Line 1")
    page.get_by_role("button", name="CSV").click()
    table = 'text,concepts,metadata\n"Ropes, coiled",rope,"{""year"": 2020}"\n,rope,\n'
    page.get_by_label("CSV file").set_input_files(file("table.csv", table.encode(), "text/csv"))
    expect(page.get_by_role("dialog")).to_contain_text("table.csv: 1 text to add.")
    expect(page.get_by_role("dialog")).to_contain_text("Line 3: there is neither a URL nor a text.")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    said(page, "1 input added")
    expect(tile(page, "Ropes, coiled")).to_be_visible()


def test_the_keyboard_alone_chooses_labels_deletes_and_brings_back(manager: Page) -> None:
    page = manager
    choose(page, *(file(f"mast-{n}.jpg", picture(20 + n)) for n in range(3)))
    said(page, "3 inputs added")
    page.keyboard.press("/")
    page.keyboard.type("mast")
    counted(page, re.compile(r"^\s*3 of"))
    expect(page).to_have_url(re.compile("q=mast"))
    tile(page, "mast-0.jpg").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-chosen]")).to_have_text("3 selected")
    page.get_by_role("button", name="Label", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("tall mast")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("3 inputs labelled “tall mast”.")
    expect(page.get_by_role("checkbox", name="tall mast", exact=True)).to_be_visible()
    expect(page.locator(".toast")).to_have_count(0, timeout=SLOW)
    tile(page, "mast-1.jpg").focus()
    page.keyboard.press("Delete")
    counted(page, re.compile(r"^\s*0 of"))
    expect(page.get_by_role("heading", name="Nothing matches mast")).to_be_visible()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    counted(page, re.compile(r"^\s*3 of"))
    tile(page, "mast-2.jpg").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/inputs/\w+/\?q=mast$"))
    page.go_back()
    counted(page, re.compile(r"^\s*3 of"))


def test_what_is_chosen_goes_into_a_file_and_into_predict_mode(manager: Page) -> None:
    page = manager
    choose(page, *(file(f"crane-{n}.jpg", picture(60 + n)) for n in range(2)))
    said(page, "2 inputs added")
    page.get_by_label("Search text, name and metadata").fill("crane")
    counted(page, re.compile(r"^\s*2 of"))
    page.get_by_role("button", name="Export all that match").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as COCO").click()
    assert Path(download.value.path()).read_text().count('"file_name":"crane-') == 2
    tile(page, "crane-0.jpg").focus()
    page.keyboard.press("Space")
    export = page.get_by_role("button", name="Export", exact=True)
    # At once, so that a quick second Enter is for the menu.
    export.focus()
    assert export.evaluate("(press) => (press.click(), document.activeElement.closest('menu-popover') !== null)")
    page.keyboard.press("Escape")
    expect(export).to_be_focused()
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert '"file_name":"crane-0.jpg"' in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page).to_have_url(re.compile(r"/inputs/\w+/\?q=crane$"))
    expect(page.get_by_label("Predict mode")).to_be_checked(timeout=SLOW)
    expect(page).to_have_title(re.compile(r"^crane-0\.jpg"))


def test_it_is_open_to_all_with_all_of_it_open(manager: Page) -> None:
    page = manager
    choose(page, file("axe.jpg", picture(40)), file("bad.jpg", b"no picture"))
    expect(page.locator("upload-list [data-title]")).to_have_text(re.compile("added$"), timeout=SLOW)
    tile(page, "axe.jpg").focus()
    page.keyboard.press("Space")
    check(page)
    page.get_by_role("button", name="List", exact=True).click()
    check(page, is_idle=True)
    page.get_by_role("button", name="Grid", exact=True).click()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Filters", exact=True).click()
    expect(page.get_by_role("heading", name="Filters")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Filters", exact=True)).to_be_focused()
    page.set_viewport_size({"width": 1440, "height": 900})
    for name in ("Label", "Metadata"):
        page.get_by_role("button", name=name, exact=True).click()
        check(page, is_idle=True)
        page.keyboard.press("Escape")
    page.get_by_role("button", name="More ways to add").click()
    check(page, is_idle=True)
