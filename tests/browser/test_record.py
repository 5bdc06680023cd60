"""Pictures and films by the camera, sounds by the microphone: Chromium's own devices stand for real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.forms import error_of, run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def may_record(context: BrowserContext, everything: str) -> BrowserContext:
    context.grant_permissions(["camera", "microphone"])
    return context


def record(page: Page) -> None:
    """Press the shutter, wait for a second of it, and press it again."""
    page.locator("[data-shutter]").click()
    expect(page.locator("[data-capturing] .drop__meta")).to_contain_text("1.")
    page.locator("[data-shutter]").click()
    expect(page.locator("[data-filled]")).to_be_visible()
    expect(page.locator("[data-progress]")).to_be_hidden()


def test_the_camera_takes_a_picture(may_record: BrowserContext, open_model: Callable[..., Page]) -> None:
    page = open_model("everything", "take_image")
    page.get_by_role("button", name="Camera", exact=True).click()
    view = page.locator("[data-capturing] video")
    page.wait_for_function("(view) => view.videoWidth > 0", arg=view.element_handle())
    page.locator("[data-shutter]").click()
    expect(page.locator(".drop__name")).to_have_text("camera.jpg")
    expect(page.locator("[data-progress]")).to_be_hidden()
    assert run(page)["head"].startswith("ffd8ff")


def test_the_microphone_makes_a_wav_file(may_record: BrowserContext, open_model: Callable[..., Page]) -> None:
    page = open_model("everything", "take_audio")
    page.get_by_role("button", name="Microphone").click()
    record(page)
    expect(page.locator("media-input audio")).to_be_visible()
    seen = run(page)
    assert seen["head"] == b"RIFF".hex()
    assert seen["bytes"] > 16_000  # a second, at whatever rate


def test_the_camera_makes_a_film(may_record: BrowserContext, open_model: Callable[..., Page]) -> None:
    page = open_model("everything", "take_video")
    page.get_by_role("button", name="Camera", exact=True).click()
    record(page)
    seen = run(page)
    assert seen["head"] == "1a45dfa3"
    assert seen["bytes"] > 1000


def test_a_camera_that_is_refused_is_told(
    context: BrowserContext, everything: str, open_model: Callable[..., Page]
) -> None:
    context.clear_permissions()
    page = open_model(everything, "take_image")
    page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
        }"""
    )
    page.get_by_role("button", name="Camera", exact=True).click()
    expect(error_of(page, "value")).to_have_text("The browser does not let this page use the camera.")
    expect(page.get_by_role("button", name="Choose picture")).to_be_visible()


def test_recording_can_be_given_up(may_record: BrowserContext, open_model: Callable[..., Page]) -> None:
    page = open_model("everything", "take_audio")
    page.get_by_role("button", name="Microphone").click()
    page.locator("[data-shutter]").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Microphone")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(error_of(page, "value")).to_have_text("A sound is needed.")
