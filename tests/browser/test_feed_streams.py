"""Streams fed from lines, files, a camera and a microphone: what was sent stands beside what was answered to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, StorageState, expect

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.film import SAMPLES, make_film
from tests.browser.forms import given
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live import Stack

LAST_PAIR = re.compile(r"^400\s*line 399\s*> line 399$")


@pytest.fixture
def open_method(everything: str, open_model: Callable[..., Page]) -> Callable[[str], Page]:
    return lambda method: open_model(everything, method)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def count(page: Page, name: str) -> int:
    return int(page.locator(f"[data-count={name}]").inner_text().replace(",", ""))


def test_lines_of_a_file_are_sent_in_turn_and_paired(open_method: Callable[[str], Page]) -> None:
    page = open_method("echo_lines")
    page.get_by_label("before", exact=True).fill("> ")
    press(page, "Lines of a file")
    lines = "\n".join(f"line {number}" for number in range(400)).encode()
    page.locator("[data-files]").set_input_files([given("poem.txt", "text/plain", lines)])
    expect(page.locator("[data-files-words]")).to_contain_text("400 inputs, sent as soon as Run opens the stream")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".exchange").first).to_have_text(re.compile("^1\\s*line 0\\s*> line 0$"))
    press(page, "Pause")
    page.wait_for_function(
        "() => (({ run }) => run.taken > 0 && run.taken === run.inputCount)(document.querySelector('run-view'))"
    )
    assert 0 < count(page, "sent") < 400
    press(page, "Go on")
    expect(page.locator(".exchange").last).to_have_text(LAST_PAIR, timeout=30_000)
    press(page, "Close input")
    expect(page.locator("[data-run-label]")).to_have_text("Run")
    assert [count(page, name) for name in ("sent", "taken", "answered")] == [400, 400, 400]
    page.reload()
    expect(page.locator(".exchange").last).to_have_text(LAST_PAIR)
    check(page, is_idle=True)


def test_several_answers_to_one_input_stand_together_and_a_failure_keeps_them(
    open_method: Callable[[str], Page],
) -> None:
    page = open_method("echo_lines")
    page.get_by_label("before", exact=True).fill("> ")
    page.get_by_label("times", exact=True).fill("2")
    line = page.get_by_label("line", exact=True)
    line.fill("a")
    page.keyboard.press("Enter")  # opens the stream, with this as its first input
    expect(page.locator(".exchange")).to_have_count(1)
    expect(page.locator(".exchange__answers").first).to_have_text("> a> a")
    expect(line).to_be_focused()
    page.keyboard.type("break")
    page.keyboard.press("Enter")
    expect(page.locator("[data-end] .notice--bad")).to_contain_text("a line broke it")
    expect(page.locator(".exchange")).to_have_count(2)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_pictures_of_files_stand_beside_what_was_found_in_them(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = open_model("nanodet", "stream")
    press(page, "Files")
    page.keyboard.press("Control+Enter")
    page.locator("[data-files]").set_input_files([SAMPLES / "astronaut.jpg", SAMPLES / "coffee.jpg"])
    expect(page.locator(".exchange")).to_have_count(2)
    expect(page.locator(".exchange").nth(1)).to_contain_text("cup", timeout=20_000)
    expect(page.get_by_alt_text("astronaut.jpg")).to_be_visible()
    press(page, "Close input")
    expect(page.locator("[data-run-label]")).to_have_text("Run")


def test_pieces_of_the_microphone_follow_one_another(
    context: BrowserContext, open_method: Callable[[str], Page]
) -> None:
    context.grant_permissions(["microphone"])
    page = open_method("time_sounds")
    press(page, "Live microphone")
    page.get_by_label("In pieces of").select_option("0.25")
    press(page, "Start microphone")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".exchange__answers").nth(2)).to_have_text(re.compile(r"^0\.2[56]"), timeout=20_000)
    press(page, "Close input")
    expect(page.get_by_role("button", name="Start microphone")).to_be_visible()
    expect(page.locator("[data-run-label]")).to_have_text("Run")


@pytest.fixture
def filmed(
    playwright: Playwright, stack: Stack, signed_in: StorageState, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A page whose camera sees an astronaut."""
    film = make_film(tmp_path_factory.mktemp("film") / "camera.mjpeg")
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
    chromium: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    context = chromium.new_context(base_url=stack.web, storage_state=signed_in, permissions=["camera"])
    context.set_default_timeout(15_000)
    yield context.new_page()
    chromium.close()


def test_boxes_are_drawn_over_the_live_picture(stack: Stack, filmed: Page) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = filmed
    page.goto("/owner/main/models/nanodet?method=stream")
    page.wait_for_selector("play-page[data-begun]")
    press(page, "Live camera")
    page.locator("[data-rate]").fill("30")
    press(page, "Start camera")
    expect(page.get_by_label("What the camera sees")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".live__words")).to_have_text("1 region", timeout=20_000)
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector(".live__overlay");
          return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value);
        }"""
    )
    expect(page.locator(".exchange__answers").first).to_contain_text("person")
    expect(page.locator("[data-pace]")).to_contain_text("from input to answer")
    page.wait_for_function(
        "() => (({ run }) => run.outputCount > 8 && run.sender.dropped > 0)(document.querySelector('run-view'))"
    )
    ahead = page.evaluate("(({ run }) => run.sender.sent - run.outputCount)(document.querySelector('run-view'))")
    assert ahead <= 6
    check(page, is_idle=True)
    page.keyboard.press("Control+.")
    expect(page.locator("[data-end]")).to_contain_text("Stopped after")
    expect(page.locator(".live")).to_have_count(0)
    press(page, "Stop camera")
    expect(page.get_by_label("What the camera sees")).to_be_hidden()


def test_masks_are_drawn_over_the_live_picture(stack: Stack, filmed: Page) -> None:
    stack.wait_ready("selfie", patience=200)
    page = filmed
    page.goto("/owner/main/models/selfie?method=stream")
    page.wait_for_selector("play-page[data-begun]")
    press(page, "Live camera")
    press(page, "Start camera")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".live__words")).to_have_text("1 region", timeout=30_000)
    page.wait_for_function(  # the coat, which never leaves the middle below; not the corner above
        """() => {
          const canvas = document.querySelector(".live .stage__masks");
          const context = canvas?.getContext("2d");
          const at = (x, y) => context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data[3];
          return context && at(0.5, 0.8) > 60 && at(0.02, 0.05) < 20;
        }""",
        timeout=30_000,
    )
    expect(page.locator(".exchange__answers").first).to_contain_text("person")
    page.keyboard.press("Control+.")
    expect(page.locator("[data-end]")).to_contain_text("Stopped after")


def test_a_camera_that_is_refused_is_told(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = open_model("nanodet", "stream")
    page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
        }"""
    )
    press(page, "Live camera")
    press(page, "Start camera")
    expect(page.locator("[data-trouble]")).to_have_text("The browser does not let this page use the camera.")
    expect(page.get_by_role("button", name="Start camera")).to_be_enabled()
