"""A run belongs to the server: reloading, closing the tab or losing the socket loses nothing and repeats nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 150


def start_paced(page: Page, count: int = COUNT) -> None:
    page.get_by_label("count", exact=True).fill(str(count))
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.locator("[data-outputs]")).to_have_text(re.compile(r"\d+ \d+ \d+"))


def readings(page: Page) -> list[int]:
    """The readings of the clock that the finished answer holds."""
    expect(page.get_by_role("button", name=re.compile("^Run")).first).to_be_visible(timeout=20_000)
    return [int(word) for word in page.locator("[data-outputs]").inner_text().split()]


def is_whole(numbers: list[int], count: int = COUNT) -> bool:
    return len(numbers) == count and numbers == sorted(set(numbers))


def open_details(page: Page) -> None:
    for fold in page.locator("[data-form]:not([hidden]) details").all():
        fold.locator("summary").click()


def test_reloading_in_mid_stream_loses_nothing(open_model: Callable[..., Page]) -> None:
    page = open_model("bench", "paced")
    open_details(page)
    start_paced(page)
    page.reload()
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    assert is_whole(readings(page))


def test_closing_the_tab_detaches_and_the_link_brings_it_back(
    open_model: Callable[..., Page], context: BrowserContext
) -> None:
    page = open_model("bench", "paced")
    open_details(page)
    start_paced(page)
    address = page.url
    page.close()
    again = context.new_page()
    again.goto(address)
    again.wait_for_selector("play-page[data-begun]")
    assert is_whole(readings(again))


def test_a_lost_socket_is_taken_up_where_it_broke(page: Page, open_model: Callable[..., Page]) -> None:
    routes: list[WebSocketRoute] = []

    def through(route: WebSocketRoute) -> None:
        route.connect_to_server()
        routes.append(route)

    page.route_web_socket(re.compile("/ws/runs/"), through)
    open_model("bench", "paced")
    open_details(page)
    start_paced(page)
    routes[0].close(code=1012, reason="the network went away")
    numbers = readings(page)
    assert len(routes) > 1
    assert is_whole(numbers)


def test_the_page_says_that_it_reconnects(page: Page, open_model: Callable[..., Page]) -> None:
    routes: list[WebSocketRoute] = []
    is_down: list[bool] = []

    def through(route: WebSocketRoute) -> None:
        if is_down:
            route.close(code=1012)
            return
        route.connect_to_server()
        routes.append(route)

    page.route_web_socket(re.compile("/ws/runs/"), through)
    open_model("bench", "paced")
    open_details(page)
    start_paced(page)
    is_down.append(True)
    routes[0].close(code=1012)
    notice = page.locator("[data-offline]")
    expect(notice).to_contain_text("Reconnecting")
    expect(notice).to_be_visible()
    is_down.clear()
    assert is_whole(readings(page))
    expect(notice).to_be_hidden()


def test_an_old_run_opens_by_its_link_and_runs_again(open_model: Callable[..., Page]) -> None:
    page = open_model("bench", "predict")
    page.get_by_label("text", exact=True).fill("once upon a time")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-outputs]")).to_contain_text("once upon a time")
    run_id = page.evaluate("new URL(location.href).searchParams.get('run')")
    page.goto(f"/runs/{run_id}")
    page.wait_for_selector("play-page[data-begun]")
    expect(page.locator("[data-outputs]")).to_contain_text("once upon a time")
    expect(page.get_by_label("text", exact=True)).to_have_value("once upon a time")
