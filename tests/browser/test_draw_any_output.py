"""Each kind of output is drawn as what it is, filtered in place, copied and saved; nothing in it runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.forms import given
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Locator]

FOREIGN = "[data-outputs] :is(script, iframe, object, img[src=x], [onerror], [onload])"
# Half a second of a film, as a browser records it.
RECORD = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  const pen = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const done = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  for (let n = 0; n < 18; n += 1) {
    pen.fillStyle = `hsl(${n * 20} 80% 50%)`;
    pen.fillRect(0, 0, 64, 48);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  recorder.stop();
  await done;
  return [...new Uint8Array(await new Blob(pieces).arrayBuffer())];
}"""


@pytest.fixture
def ask(everything: str, open_model: Callable[..., Page]) -> Ask:
    """Runs a method of the model, and gives where its outputs are drawn."""

    def asked(method: str, **values: str) -> Locator:
        page: Page = open_model(everything, method)
        if page.locator("media-input").count():
            page.get_by_role("button", name=re.compile("coffee")).first.click()
        for name, value in values.items():
            if page.locator("summary", has_text="optional").count():
                page.locator("summary", has_text="optional").click()
            page.get_by_label(name, exact=True).fill(value)
        page.keyboard.press("Control+Enter")
        page.wait_for_function("() => document.querySelector('run-view').run?.isOver", timeout=60_000)
        return page.locator("[data-outputs]")

    return asked


def test_markdown_is_formatted_when_it_is_done(ask: Ask, page: Page) -> None:
    for method in ("give_text", "give_pieces"):
        outputs = ask(method)
        expect(outputs.locator("h2")).to_have_text("Rivers")
        expect(outputs.locator("td").first).to_have_text("Nile")
        expect(outputs.locator("pre code")).to_have_text('print("a < b")\n')
        expect(outputs).to_contain_text("<script>document.title = 'owned'</script>")
        assert outputs.locator("img").count() == 0
        assert outputs.get_by_role("link", name="map").get_attribute("rel") == "noopener noreferrer nofollow"
    check(page)
    page.get_by_role("button", name="As written").click()
    expect(outputs).to_contain_text("| river | km |")
    assert outputs.locator("h2").count() == 0
    page.get_by_role("button", name="As written").click()
    expect(outputs.locator("h2")).to_be_visible()


def test_nothing_in_a_string_runs(ask: Ask, page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    for method, values in (("give_words", {}), ("give_json", {}), ("give_regions", {"name": evil}), ("give_parts", {})):
        outputs = ask(method, **values)
        expect(outputs).to_contain_text("onerror")
        assert page.locator(FOREIGN).count() == 0
    assert "owned" not in page.title()
    outputs = ask("give_lies")
    expect(outputs).to_contain_text("The bytes are no picture")
    expect(outputs).to_contain_text("This picture cannot be shown")
    expect(outputs).to_contain_text("Declared as picture; the bytes are a sound (audio/wav).")
    assert outputs.get_by_role("link").count() == 0
    assert "owned" not in page.title()


def test_regions_link_list_and_picture(ask: Ask, page: Page) -> None:
    outputs = ask("give_regions")
    items = outputs.locator(".regions__item")
    expect(items).to_have_count(6)
    expect(items.first).to_contain_text("also mug 0.60")
    expect(items.first).to_contain_text("#7")
    expect(items.first).to_contain_text("240 \u00d7 200 px")
    expect(outputs.locator("svg rect.box--model")).to_have_count(2)
    expect(outputs.locator("svg polygon.box--model")).to_have_count(1)
    expect(outputs.locator("svg path.box--point.box--model")).to_have_count(1)
    page.wait_for_function("() => document.querySelector('.stage__masks')?.width === 480")
    alpha = "(c, [x, y]) => c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data[3]"
    masks = outputs.locator(".stage__masks")
    assert (masks.evaluate(alpha, [0.75, 0.75]), masks.evaluate(alpha, [0.25, 0.25])) == (128, 0)

    items.nth(1).hover()
    expect(outputs.locator("svg polygon.box--hot")).to_have_count(1)
    box = outputs.locator(".stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.65)
    expect(items.nth(2)).to_have_class(re.compile("regions__item--hot"))  # on its mask alone
    items.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(items.last).to_be_focused()
    page.keyboard.press("Home")
    expect(outputs.locator("svg rect.box--hot")).to_have_count(1)
    assert outputs.locator(".regions__list [tabindex='0']").count() == 1
    check(page)


def test_a_filter_acts_on_the_answer_at_hand_and_lives_in_the_url(ask: Ask, page: Page) -> None:
    outputs = ask("give_regions")
    run = page.evaluate("document.querySelector('run-view').run.id")
    items = outputs.locator(".regions__item")
    count = page.locator(".filters__count")
    expect(count).to_have_text("6 of 6 regions")
    page.get_by_label("Threshold", exact=True).fill("0.45")
    expect(items).to_have_count(4)  # three, and the one that has no value
    expect(count).to_have_text("4 of 6 regions")
    page.get_by_label("Top", exact=True).fill("2")
    expect(items).to_have_count(2)
    page.get_by_role("button", name="All concepts").click()
    page.get_by_role("button", name=re.compile("^mug")).press("Space")
    page.keyboard.press("Escape")
    expect(items).to_have_count(1)
    assert {"threshold=0.45", "top=2", "concept=mug"} <= set(page.url.partition("?")[2].split("&"))
    page.reload()
    expect(items).to_have_count(1)
    expect(items).to_contain_text("cup")
    expect(page.get_by_role("button", name="1 concept", exact=True)).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(items).to_have_count(6)
    assert "threshold" not in page.url
    assert page.evaluate("document.querySelector('run-view').run.id") == run


def test_a_filter_acts_on_what_a_stream_answered(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "give_found")
    page.get_by_label("names", exact=True).fill("cup")
    page.keyboard.press("Control+Enter")
    items = page.locator("[data-outputs] .regions__item")
    expect(items).to_have_count(2)
    page.get_by_label("Threshold", exact=True).fill("0.5")
    expect(items).to_have_count(1)
    page.get_by_label("names", exact=True).fill("kite")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(items).to_have_text([re.compile("cup"), re.compile("kite")])
    expect(page.locator(".filters__count")).to_have_text("2 of 4 regions")


def test_concepts_of_a_long_list_are_found_by_name(ask: Ask, page: Page) -> None:
    outputs = ask("give_concepts")
    expect(outputs.locator(".bar")).to_have_count(20)
    outputs.get_by_text("20 more, below 0.05").click()
    expect(outputs.locator(".bar")).to_have_count(40)
    page.get_by_role("button", name="All concepts").click()
    page.get_by_label("Find a concept").press_sequentially("Label 39")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(outputs.locator(".bar")).to_have_count(1)
    expect(outputs.locator(".bar")).to_contain_text("label 39")


def test_frames_are_shown_with_what_was_found_on_each(ask: Ask, page: Page) -> None:
    outputs = ask("give_frames")
    words = outputs.locator(".frames__words")
    slider = outputs.get_by_role("slider", name="Frame")
    slider.fill("0")
    expect(words).to_have_text("1 of 6 · 0.00\u00a0s")
    expect(outputs.locator(".regions__item")).to_contain_text("0.90")
    slider.press("ArrowRight")
    expect(words).to_have_text("2 of 6 · 0.20\u00a0s")
    expect(outputs.locator(".regions__item")).to_contain_text("0.80")
    assert outputs.locator("rect.box--model").get_attribute("x") == "0.1"
    outputs.get_by_role("button", name="Play").click()
    expect(words).to_have_text("6 of 6 · 1.00\u00a0s")
    expect(outputs.get_by_role("button", name="Play")).to_be_visible()
    check(page)


def test_a_films_regions_stand_on_the_picture_they_belong_to(everything: str, open_model: Callable[..., Page]) -> None:
    page = open_model(everything, "give_film")
    film = bytes(page.evaluate(RECORD))
    page.get_by_label("film", exact=True).set_input_files(given("a.webm", "video/webm", film))
    expect(page.locator("[data-progress]")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    outputs = page.locator("[data-outputs]")
    outputs.get_by_role("button", name="Play").click()
    seen = page.evaluate(
        """async () => {
          const film = document.querySelector(".stage video");
          const seen = [];
          const label = () => document.querySelector(".box__label")?.textContent;
          while (!film.ended && seen.length < 12) {
            const time = await new Promise((on) => film.requestVideoFrameCallback((_, frame) => on(frame.mediaTime)));
            seen.push([time, label()]);
          }
          return seen;
        }"""
    )
    assert len(seen) > 5
    for time, label in seen:
        second = float(label.split()[1])
        assert second <= time + 0.005 < second + 0.3, seen

    page = open_model(everything, "give_cut")
    page.get_by_label("film", exact=True).set_input_files(given("a.webm", "video/webm", film))
    expect(page.locator("[data-progress]")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(outputs.get_by_label("The film that the model made")).to_be_visible()
    expect(outputs.locator(".stage:has(video) rect.box--model")).to_have_count(1)


def test_arrays_sounds_and_pictures_are_drawn(ask: Ask, page: Page) -> None:
    outputs = ask("give_array")
    expect(outputs.get_by_role("img", name="Heat map of 60 \u00d7 60 values, from \u22121.00 to 1.00")).to_be_visible()
    expect(outputs.locator(".facts")).to_contain_text("60 \u00d7 60")
    check(page)
    outputs = ask("give_array", shape="row")
    expect(outputs.get_by_role("img", name=re.compile("^Line of 60 values"))).to_be_visible()
    outputs = ask("give_array", shape="none")
    expect(outputs.locator(".facts")).to_contain_text("not finite2")
    outputs = ask("give_sounds")
    expect(outputs.get_by_label("The whole sound")).to_be_visible()
    seconds = "(a) => a.duration || new Promise((r) => (a.onloadedmetadata = () => r(a.duration)))"
    assert outputs.get_by_label("The whole sound").evaluate(seconds) == pytest.approx(0.9, abs=0.01)
    outputs = ask("give_images")
    expect(outputs.locator(".media__size")).to_have_text(["320 \u00d7 240 px · image/png"] * 3)


def test_each_part_can_be_copied_and_saved(ask: Ask, page: Page) -> None:
    outputs = ask("give_parts")
    names = ["words", "count", "pair", "0", "1", "found", "shade", "facts", "rows"]
    expect(outputs.locator(".part__name")).to_have_text(names)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    outputs.get_by_role("button", name="Copy facts").press("Enter")
    expect(page.locator("[data-announcer=polite]")).to_contain_text("Copied")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == {"a": 1, "b": [True, None]}
    with page.expect_download() as saved:
        outputs.get_by_role("button", name="Download shade").press("Enter")
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download", exact=True).click()
    assert re.fullmatch(r"everything-give_parts-[0-9a-f]{8}\.json", saved.value.suggested_filename)
    assert json.loads(saved.value.path().read_text())["fields"]["count"] == 3
    check(page)


def test_what_is_too_much_is_shown_in_part_and_says_so(ask: Ask, page: Page) -> None:
    outputs = ask("give_many", count="3000")
    expect(outputs).to_contain_text("The strongest 500 of 3,000.")
    expect(outputs.locator("rect.box--model")).to_have_count(500)
    outputs.get_by_role("button", name="400 more").click()
    expect(outputs.locator(".regions__item")).to_have_count(200)
    outputs = ask("give_text", length="1000000")
    expect(outputs.locator("p.muted")).to_contain_text("Here the first 300,000 characters end.", timeout=30_000)
    assert page.evaluate("document.querySelector('run-view').run.outputs[0].length") == 1_000_000
