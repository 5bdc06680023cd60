"""Each type that a signature can have is filled in on the page, and the model gets just that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.forms import HOLD, WAV, WEBM, error_of, field, given, npy, picture, run
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from collections.abc import Callable

    Open = Callable[..., Page]


@pytest.fixture
def open_method(everything: str, open_model: Open) -> Open:
    def opened(method: str) -> Page:
        page: Page = open_model(everything, method)
        return page

    return opened


SCALARS = [
    ("take_str", "grüße\n<b>&amp;</b>", "grüße\n<b>&amp;</b>"),
    ("take_text", "words", {"text": "words", "url": ""}),
    ("take_int", "-12", -12),
    ("take_int", "9223372036854775807", {"int": "9223372036854775807"}),
    ("take_float", "2.5e-3", 0.0025),
    ("take_json", '{"a": [1, null, "x"], "big": 12}', {"a": [1, None, "x"], "big": 12}),
    ("take_array", "[[1, 2], [3, 4.5]]", {"dtype": "float64", "shape": [2, 2], "sum": 10.5}),
]


@pytest.mark.parametrize(("method", "text", "expected"), SCALARS)
def test_what_is_written_arrives(open_method: Open, method: str, text: str, expected: object) -> None:
    page = open_method(method)
    page.get_by_label("value", exact=True).fill(text)
    assert run(page) == expected


def test_the_address_of_a_text_arrives_as_one(open_method: Open) -> None:
    page = open_method("take_text")
    page.get_by_label("value", exact=True).fill("no address")
    page.get_by_label("It is a URL").check()
    page.keyboard.press("Control+Enter")
    expect(error_of(page, "value")).to_contain_text("begins with http")
    page.get_by_label("value", exact=True).fill("data:text/plain,hi")
    expect(error_of(page, "value")).to_contain_text("begins with http")
    page.get_by_label("value", exact=True).fill("https://texts.example/a.txt")
    expect(error_of(page, "value")).to_be_hidden()
    page.reload()
    page.wait_for_selector("play-page[data-begun]")
    expect(page.get_by_label("It is a URL")).to_be_checked()
    expect(page.get_by_label("value", exact=True)).to_have_value("https://texts.example/a.txt")


def test_a_text_file_is_read_where_it_is_dropped(open_method: Open) -> None:
    page = open_method("take_str")
    written = page.get_by_label("value", exact=True)
    held = page.evaluate_handle(HOLD, ["a.txt", "text/plain", list(b"from a file")])
    written.dispatch_event("drop", {"dataTransfer": held})
    expect(written).to_have_value("from a file")
    held = page.evaluate_handle(HOLD, ["a.bin", "", [65, 0, 66]])
    written.dispatch_event("drop", {"dataTransfer": held})
    expect(error_of(page, "value")).to_have_text("a.bin is no text.")
    page.locator("[data-text-file]").first.set_input_files(given("b.md", "text/markdown", b"chosen"))
    expect(written).to_have_value("chosen")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('pasted')")
    written.fill("")
    page.get_by_role("button", name="Paste", exact=True).click()
    expect(written).to_have_value("pasted")
    assert run(page) == "pasted"


def test_yes_or_no_arrives(open_method: Open) -> None:
    page = open_method("take_bool")
    page.get_by_role("switch", name="value").check()
    assert run(page) is True


MEDIA = [
    ("take_image", given("a.png", "image/png", picture()), "89504e47"),
    ("take_audio", given("a.wav", "audio/wav", WAV), "52494646"),
    ("take_video", given("a.webm", "video/webm", WEBM), "1a45dfa3"),
    ("take_bytes", given("a.bin", "", b"\x00\x01\x02\x03\x04"), "00010203"),
]


@pytest.mark.parametrize(("method", "file", "head"), MEDIA)
def test_a_chosen_file_arrives(open_method: Open, method: str, file: dict[str, bytes], head: str) -> None:
    page = open_method(method)
    page.get_by_label("value", exact=True).set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator(".drop__name")).to_have_text(str(file["name"]))
    expect(page.locator("[data-progress]")).to_be_hidden()
    assert run(page) == {"bytes": len(file["buffer"]), "head": head} | ({} if method == "take_bytes" else {"url": ""})


def test_a_dropped_sound_arrives_and_can_be_heard_first(open_method: Open) -> None:
    page = open_method("take_audio")
    held = page.evaluate_handle(HOLD, ["a.wav", "audio/wav", list(WAV)])
    page.locator("media-input").dispatch_event("drop", {"dataTransfer": held})
    expect(page.locator("media-input audio")).to_be_visible()
    expect(page.locator("[data-progress]")).to_be_hidden()
    assert run(page)["bytes"] == len(WAV)


def test_what_is_no_sound_is_refused_beside_the_field(open_method: Open) -> None:
    page = open_method("take_audio")
    page.get_by_label("value", exact=True).set_input_files(given("a.png", "image/png", picture()))
    expect(error_of(page, "value")).to_have_text("a.png is no sound.")


def test_an_array_from_a_npy_file_keeps_its_type(open_method: Open) -> None:
    page = open_method("take_array")
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    page.get_by_label("Its .npy file").set_input_files(given("a.npy", "", npy(array)))
    expect(page.locator("[data-meta]")).to_contain_text("float32, 2 × 3 ·")  # noqa: RUF001 - the sign for "times"
    expect(page.locator("array-input textarea")).to_be_hidden()
    assert run(page) == {"dtype": "float32", "shape": [2, 3], "sum": 15}
    page.reload()
    expect(page.locator("[data-meta]")).to_have_text("float32, 2 × 3")  # noqa: RUF001 - the sign for "times"


def test_an_array_that_does_not_fit_together_is_told(open_method: Open) -> None:
    page = open_method("take_array")
    page.get_by_label("value", exact=True).fill("[[1, 2], [3]]")
    expect(page.locator("array-input [data-status]")).to_contain_text("[1] is 1, [0] is 2")
    page.get_by_label("value", exact=True).blur()
    expect(error_of(page, "value")).to_contain_text("All rows need one size")


def test_json_says_the_line_and_column_of_a_mistake(open_method: Open) -> None:
    page = open_method("take_json")
    written = page.get_by_label("value", exact=True)
    written.fill('{\n  "a": 1,\n  b: 2\n}')
    status = page.locator("json-editor [data-status]")
    expect(status).to_have_text("Line 3, column 3: a name in double quotes is wanted, or }")
    status.click()
    assert written.evaluate("(area) => area.selectionStart") == 14
    page.keyboard.press("Control+Enter")
    expect(error_of(page, "value")).to_contain_text("line 3, column 3")
    expect(page.locator("[data-run-parts]")).to_be_hidden()
    written.fill('{"a":[1,2],"n":NaN,"i":12345678901234567890}')
    page.get_by_role("button", name="Tidy").click()
    expect(written).to_have_value('{\n  "a": [1, 2],\n  "n": NaN,\n  "i": 12345678901234567890\n}')
    expect(status).to_have_text("An object of 3 entries")


def test_a_concept_a_region_and_a_frame_arrive(open_method: Open) -> None:
    page = open_method("take_concept")
    page.get_by_label("name", exact=True).fill("cup")
    page.get_by_role("textbox", name="value", exact=True).fill("0.25")
    assert run(page) == {"id": "cup", "name": "cup", "value": 0.25}

    page = open_method("take_region")
    for name, text in {"left": "0.1", "top": "0.2", "right": "0.5", "bottom": "0.75"}.items():
        page.get_by_label(name, exact=True).fill(text)
    field(page, "concepts").get_by_role("button", name="Add").click()
    page.get_by_label("name", exact=True).fill("cup")
    page.get_by_text("More").last.click()
    page.get_by_label("track_id", exact=True).fill("t1")
    seen = run(page)
    assert (seen["box"], seen["track_id"]) == ([0.1, 0.2, 0.5, 0.75], "t1")
    assert [concept["name"] for concept in seen["concepts"]] == ["cup"]

    page = open_method("take_frame")
    page.locator("media-input input[data-file]").first.set_input_files(given("a.png", "image/png", picture()))
    expect(page.locator("[data-progress]").first).to_be_hidden()
    field(page, "regions").get_by_role("button", name="Add").click()
    for name, text in {"left": "0", "top": "0", "right": "1", "bottom": "1"}.items():
        page.get_by_label(name, exact=True).fill(text)
    seen = run(page)
    assert (seen["image"], seen["regions"][0]["box"]) == (len(picture()), [0, 0, 1, 1])


def test_half_a_box_is_told_beside_it(open_method: Open) -> None:
    page = open_method("take_region")
    page.get_by_label("left", exact=True).fill("0.1")
    page.keyboard.press("Control+Enter")
    expect(error_of(page, "box")).to_have_text("top: a number is needed here too.")


def test_named_fields_tuples_and_lists_nest(open_method: Open) -> None:
    page = open_method("take_fields")
    page.get_by_label("name", exact=True).fill("Ada")
    page.get_by_label("0", exact=True).fill("3")
    page.get_by_label("1", exact=True).fill("x")
    tags = field(page, "tags")
    for text in ("red", "", "blue"):
        tags.get_by_role("button", name="Add").click()
        tags.locator("textarea").last.fill(text)
    page.keyboard.press("Control+Enter")
    expect(error_of(page, "1")).to_have_text("A number is needed, like 0.5.")
    expect(page.get_by_label("1", exact=True)).to_be_focused()
    page.get_by_label("1", exact=True).fill("4")
    tags.get_by_role("button", name="Remove [1]").click()
    assert run(page) == {"name": "Ada", "size": [3, 4], "tags": ["red", "blue"]}

    page = open_method("take_tuple")
    page.get_by_label("0", exact=True).fill("a")
    page.get_by_label("1", exact=True).fill("7")
    assert run(page) == ["a", 7, False]

    page = open_method("take_list")
    outer = field(page, "value").locator(":scope > field-list")
    for label in ("first", "second"):
        outer.locator(":scope > [data-present] > .group__acts > [data-add]").click()
        item = outer.locator(":scope > [data-present] > [data-items] > li").last
        item.get_by_label("label", exact=True).fill(label)
        item.get_by_role("button", name="Add").click()
        item.get_by_label("0", exact=True).fill("1")
        item.get_by_label("1", exact=True).fill("2")
    ids = page.evaluate("[...document.querySelectorAll('play-page [id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert run(page) == [{"label": "first", "points": [[1, 2]]}, {"label": "second", "points": [[1, 2]]}]


def test_many_pictures_dropped_at_once_become_many_items(open_method: Open) -> None:
    page = open_method("take_images")
    page.get_by_role("button", name="Add").click()
    files = [given(f"{name}.png", "image/png", picture()) for name in "abc"]
    page.locator("media-input input[data-file]").set_input_files(files)
    expect(page.locator(".drop__name")).to_have_text(["a.png", "b.png", "c.png"])
    for progress in page.locator("[data-progress]").all():
        expect(progress).to_be_hidden()
    assert [image["bytes"] for image in run(page)] == [len(picture())] * 3


DEFAULTS = {"note": None, "count": None, "flag": None, "pair": [1, 2], "words": ["a", "b"], "extra": None}
DEFAULTS |= {"region": None, "picture": None, "scale": 0.5, "steps": 20, "seed": None, "style": "plain"}
DEFAULTS |= {"parts": ["head"], "stops": [], "is_short": False, "key_length": 0}


def test_what_is_left_alone_is_the_default_and_null_stays_null(open_method: Open) -> None:
    page = open_method("take_defaults")
    page.get_by_label("prompt", exact=True).fill("hi")
    assert run(page) == {"prompt": "hi"} | DEFAULTS


def test_settings_choices_sliders_and_secrets_arrive(open_method: Open) -> None:
    page = open_method("take_defaults")
    page.get_by_label("prompt", exact=True).fill("hi")
    page.get_by_text("8 optional fields").click()
    field(page, "region").get_by_role("button", name="Give a value").click()
    page.get_by_label("left", exact=True).fill("0")
    for name in ("top", "right", "bottom"):
        page.get_by_label(name, exact=True).fill("1")
    page.get_by_label("flag", exact=True).select_option("false")
    settings = page.get_by_role("complementary", name="Settings")
    settings.get_by_role("slider", name="scale slider").fill("1.5")
    settings.get_by_label("style", exact=True).select_option("loud")
    settings.get_by_label("body", exact=True).check()
    field(page, "stops").get_by_role("button", name="Add").click()
    field(page, "stops").locator("textarea").fill("END")
    secret = settings.get_by_label("api_key", exact=True)
    assert secret.get_attribute("type") == "password"
    secret.fill("hunter2")
    expect(page.locator("[data-changed]:visible")).to_have_count(5)
    seen = run(page)
    assert seen["region"]["box"] == [0, 1, 1, 1]
    wanted = {
        "flag": False,
        "scale": 1.5,
        "style": "loud",
        "parts": ["head", "body"],
        "stops": ["END"],
        "key_length": 7,
    }
    assert {name: seen[name] for name in wanted} == wanted
    assert seen["parts"] == ["head", "body"]
    assert "hunter2" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    page.reload()
    page.wait_for_selector("play-page[data-begun]")
    expect(settings.get_by_label("api_key", exact=True)).to_have_value("")
    expect(field(page, "stops").locator("textarea")).to_have_value("END")
    assert "hunter2" not in page.content()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("[data-changed]:visible")).to_have_count(0)


def test_a_stream_takes_pairs_one_after_another(open_method: Open) -> None:
    page = open_method("take_pairs")
    page.get_by_label("0", exact=True).fill("a")
    page.get_by_label("1", exact=True).fill("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text("a")
    page.get_by_label("0", exact=True).fill("second")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-outputs]")).to_contain_text("second")
    page.get_by_role("button", name="Close input").click()
    expect(page.locator("[data-run-label]")).to_have_text("Run")


def test_transports_of_other_protocols_are_not_listed(open_method: Open) -> None:
    page = open_method("take_str")
    expect(page.locator("[data-method-choice=take_bytes]")).to_have_count(1)
    expect(page.locator("[data-method-choice=openai_transport]")).to_have_count(0)


def test_forms_of_every_kind_pass_axe(open_method: Open) -> None:
    page = open_method("take_region")
    page.get_by_label("left", exact=True).fill("0.1")
    field(page, "concepts").get_by_role("button", name="Add").click()
    page.get_by_text("More").last.click()
    page.keyboard.press("Control+Enter")
    check(page)

    page = open_method("take_defaults")
    page.get_by_text("8 optional fields").click()
    field(page, "stops").get_by_role("button", name="Add").click()
    check(page)

    page = open_method("take_json")
    page.get_by_label("value", exact=True).fill("{a: 1}")
    expect(page.locator("json-editor [data-status]")).to_contain_text("column 2")
    check(page)

    page = open_method("take_audio")
    held = page.evaluate_handle(HOLD, ["a.wav", "audio/wav", list(WAV)])
    page.locator("media-input").dispatch_event("drop", {"dataTransfer": held})
    expect(page.locator("media-input audio")).to_be_visible()
    check(page)
