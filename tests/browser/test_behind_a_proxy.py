"""The whole product under a sub-path, behind a proxy that speaks TLS: pages, sockets, uploads and links hold."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests import tls
from tests.live import ROOT, product
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

HELLO = ROOT / "playground" / "runner" / "examples" / "hello"


@contextmanager
def proxied(certificate: tls.Certificate, web: str, port: int) -> Iterator[None]:
    """TLS at ``port``, the bytes inside passed on to ``web``, in a loop of its own."""
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def run() -> None:
        async with tls.door(certificate, urlsplit(web).netloc, port=port, protocol="http/1.1"):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[run()], daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_everything_works_under_a_sub_path_behind_tls(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    address = f"https://127.0.0.1:{port}/lab"
    certificate = tls.make_certificate(tmp_path)
    with product(public_url=address, trusted_proxies="127.0.0.1") as stack, proxied(certificate, stack.web, port):
        stack.add_model(HELLO, "hello")
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(15_000)
        page = context.new_page()
        wrong: list[str] = []
        page.on("response", lambda one: one.status >= 400 and wrong.append(f"{one.status} {one.url}"))
        page.on("request", lambda one: one.url.startswith(address) or wrong.append(f"outside: {one.url}"))
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        assert stack.link.startswith(address)
        page.goto(stack.link)
        page.goto(f"{address}/owner/main/models/hello?method=generate")
        page.wait_for_selector("play-page[data-begun]")
        page.get_by_label("text", exact=True).fill("under a sub-path")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-outputs]")).to_have_text("under a sub-path ")
        assert page.url.startswith(f"{address}/")
        links = page.eval_on_selector_all("a[href]", "links => links.map(({ href }) => href.split('#')[0])")
        for link in sorted({link for link in links if "sign-out" not in link and "/admin/" not in link}):
            assert link.startswith(address), link
            page.goto(link, wait_until="load")
        context.close()
        assert not wrong, wrong
