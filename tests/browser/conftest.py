"""Chromium before the whole product: page, socket, gateway, runners, as its own command starts them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    StorageState,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.live import Stack, product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BENCH = Path(__file__).resolve().parents[1] / "benchmarks" / "model"
EVERYTHING = Path(__file__).resolve().parent / "everything"
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--use-fake-device-for-media-stream"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

Open = "Callable[..., Page]"
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a journey; without a Chromium each is skipped, and says why."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium is installed: apt install chromium"))


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """The product with its built-in models, and the model of the benchmarks for what must be paced."""
    with product(demo=True) as running:
        running.add_model(BENCH, "bench")
        yield running


@pytest.fixture(scope="package")
def everything(stack: Stack) -> str:
    """The model that has a method for each type."""
    stack.add_model(EVERYTHING, "everything", patience=60)
    return "everything"


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, stack: Stack) -> StorageState:
    """What the owner's browser keeps once the link was opened."""
    first = browser.new_context()
    page = first.new_page()
    page.goto(stack.link)
    assert "token" not in page.url
    state = first.storage_state()
    first.close()
    return state


@pytest.fixture
def context(browser: Browser, stack: Stack, signed_in: StorageState) -> Iterator[BrowserContext]:
    """A signed-in owner's browser, 1440 pixels wide; an error in any of its pages fails the test."""
    errors: list[str] = []
    size = ViewportSize(width=1440, height=900)
    fresh = browser.new_context(viewport=size, base_url=stack.web, storage_state=signed_in)
    fresh.set_default_timeout(15_000)
    fresh.on("weberror", lambda error: errors.append(str(error.error)))
    fresh.new_page()
    yield fresh
    fresh.close()
    assert not errors, errors


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.pages[0]


@pytest.fixture
def open_model(page: Page) -> Callable[..., Page]:
    """Opens a model's page with a method chosen, ready to be used."""

    def opened(model: str, method: str = "") -> Page:
        page.goto(f"/owner/main/models/{model}" + (f"?method={method}" if method else ""))
        page.wait_for_selector("play-page[data-begun]")
        return page

    return opened
