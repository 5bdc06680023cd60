"""What a newcomer does in the first minutes, with real models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live import Stack


def test_the_link_leads_to_the_models_and_hello_answers(page: Page, stack: Stack) -> None:
    page.goto("/")
    page.get_by_role("link", name="hello").click()
    page.get_by_label("text", exact=True).fill("good morning")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text("good morning")
    expect(page.locator("[data-method-name]")).to_have_text("generate")
    expect(page.locator("[data-verdict]")).to_contain_text("As asked")
    expect(page.locator("[data-metric=first]")).to_contain_text("ms")
    expect(page.locator(".strip__item").first).to_contain_text("good morning")


def test_a_language_model_streams_and_stop_stops_it(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("smollm2", patience=200)
    page = open_model("smollm2", "generate")
    page.get_by_label("prompt", exact=True).fill("Count slowly from one to five hundred, in words.")
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    outputs = page.locator("[data-outputs]")
    expect(outputs).to_have_text(re.compile(r"\S+\s+\S+"), timeout=30_000)
    early = len(outputs.inner_text())
    page.wait_for_function("n => document.querySelector('[data-outputs]').innerText.length > n", arg=early)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.locator("[data-end]")).to_contain_text("Stopped after")
    arrived = "document.querySelector('run-view').run.outputs.join('')"
    kept = page.evaluate(arrived)
    page.reload()
    expect(page.locator("[data-end]")).to_contain_text("Stopped after")
    assert page.evaluate(arrived) == kept != ""


def test_a_detector_draws_boxes_over_a_sample_picture(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("nanodet", patience=200)
    page = open_model("nanodet")
    page.get_by_role("button", name=re.compile("astronaut")).click()
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.locator("[data-outputs] svg rect").first).to_be_attached(timeout=30_000)
    expect(page.locator("[data-outputs]")).to_contain_text("person")
    for seen in (".stage__picture", ".regions__item"):
        expect(page.locator(seen).first).to_be_in_viewport(ratio=1)


def test_a_classifier_lists_concepts_by_value(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("efficientnet", patience=200)
    page = open_model("efficientnet")
    page.get_by_role("button", name=re.compile("coffee")).click()
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.locator("[data-outputs]")).to_contain_text("espresso", timeout=30_000)


def test_each_field_has_its_argument_s_name(stack: Stack, open_model: Callable[..., Page]) -> None:
    stack.wait_ready("smollm2", patience=200)
    page = open_model("smollm2", "generate")
    for name in ("prompt", "system_prompt", "max_tokens", "temperature", "top_p"):
        expect(page.get_by_label(name, exact=True)).to_have_count(1)
    page.get_by_label("max_tokens", exact=True).fill("7")
    expect(page.get_by_role("slider", name="max_tokens slider")).to_have_value("7")
