"""Failures say what happened, where it can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live import Stack

LACKING = """from clarifai.runners.models.model_class import ModelClass


class Lacking(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        return text
"""
CONFIG = "model:\n  id: lacking\n  user_id: owner\n  app_id: main\n  model_type_id: text-to-text\n"


def test_what_the_server_refuses_stands_beside_its_field(open_model: Callable[..., Page]) -> None:
    page = open_model("hello", "compose")
    page.get_by_label("name", exact=True).fill("Ada")
    language = page.get_by_label("language", exact=True)
    language.evaluate("(list) => list.append(new Option('Klingon', 'Klingon', true, true))")
    page.keyboard.press("Control+Enter")
    error = page.locator("play-field", has=language).locator("[data-error]")
    expect(error).to_contain_text("language")
    expect(language).to_be_focused()
    expect(page.locator("[data-end]")).to_contain_text("Nothing was run")


def test_what_does_not_fit_is_not_sent(open_model: Callable[..., Page]) -> None:
    page = open_model("hello", "compose")
    page.get_by_label("name", exact=True).fill("Ada")
    page.get_by_label("times", exact=True).fill("11")
    page.keyboard.press("Control+Enter")
    error = page.locator("play-field", has=page.get_by_label("times", exact=True)).locator("[data-error]")
    expect(error).to_have_text("This goes from 1 to 10.")
    expect(page.locator("[data-run-parts]")).to_be_hidden()


def test_a_build_that_failed_shows_its_log_and_is_tried_again(stack: Stack, page: Page, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.py").write_text(LACKING)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "requirements.txt").write_text("a-package-that-nobody-ever-made==1.0\n")
    with pytest.raises(TimeoutError, match="failed"):
        stack.add_model(tmp_path, "lacking", patience=200)
    page.goto("/owner/main/models/lacking")
    panel = page.locator("#deployment")
    expect(panel).to_contain_text("failed to start")
    expect(panel.locator(".log")).to_contain_text("a-package-that-nobody-ever-made")
    expect(page.locator("#head-state")).to_have_text("Failed")
    panel.get_by_role("button", name="Retry").click()
    expect(panel.locator(".timeline").or_(page.locator("#deployment[data-deployment-state=failed]"))).to_be_visible()
    expect(page.locator("#head-state")).to_have_text("Failed", timeout=30_000)
