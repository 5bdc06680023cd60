"""Measures the model's page in Chromium: how soon it can be used, and how it holds a long answer.

    python -m tests.benchmarks.page
    python -m tests.benchmarks.page --quick

Beside each figure stands the bare limit of the same run: an empty page of the same browser and server machine.
"""

from __future__ import annotations

import argparse
import http.server
import statistics
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.live import product

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import CDPSession, Page

MODEL = Path(__file__).resolve().parent / "model"
TOKENS, PER_SECOND = 20_000, 500
OPENED = "performance.getEntriesByType('mark').find(({ name }) => name === 'usable').startTime"
MARK = """
  new MutationObserver((_, observer) => {
    if (!document.querySelector("play-page[data-begun], main[data-bare]")) return;
    observer.disconnect();
    performance.mark("usable");
  }).observe(document, { subtree: true, childList: true, attributes: true });
"""
# Gaps between frames, from the first output on.
WATCH = """() => {
  const gaps = (window.gaps = []);
  let last = performance.now();
  const frame = (now) => { gaps.push(now - last); last = now; window.watching = requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
GAPS = "() => { cancelAnimationFrame(window.watching); return window.gaps.slice(1); }"


class Bare(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = b"<!DOCTYPE html><title>bare</title><main data-bare>bare</main>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def bare_site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bare)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def opening_ms(page: Page, address: str, times: int) -> float:
    """The median from navigation to usable, the browser's caches being warm."""
    taken = []
    for _ in range(times + 2):
        page.goto(address)
        page.wait_for_selector("play-page[data-begun], main[data-bare]")
        taken.append(float(page.evaluate(OPENED)))
    return statistics.median(taken[2:])


def heap_mb(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / 1e6


def gaps_ms(page: Page, wait: Any) -> list[float]:
    page.evaluate(WATCH)
    wait()
    found: list[float] = page.evaluate(GAPS)
    return sorted(found)


def stream(page: Page, address: str, count: int) -> None:
    """A long answer, watched from its first output to its end."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(address)
    page.wait_for_selector("play-page[data-begun]")
    before = heap_mb(session)
    idle = gaps_ms(page, lambda: page.wait_for_timeout(5000))
    fields = page.locator("[data-form]")
    fields.locator("summary").first.click()
    fields.get_by_label("count", exact=True).fill(str(count))
    fields.get_by_label("interval", exact=True).fill(str(1 / PER_SECOND))
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => document.querySelector('[data-outputs]').textContent.length > 0")
    seconds = count / PER_SECOND
    over = "() => document.querySelector('run-view').run?.isOver"
    gaps = gaps_ms(page, lambda: page.wait_for_function(over, timeout=(seconds + 60) * 1000))
    total = page.evaluate("() => document.querySelector('run-view').run.elapsedMs") / 1000
    after = heap_mb(session)
    say(f"{count} tokens at {PER_SECOND}/s: longest frame", gaps[-1], "ms", 50, bare=idle[-1])
    say("frames over 50 ms", sum(gap > 50 for gap in gaps), f"of {len(gaps)}", 0, bare=sum(gap > 50 for gap in idle))
    say("frame, p99", gaps[int(len(gaps) * 0.99)], "ms", bare=idle[int(len(idle) * 0.99)])
    say("seconds it took", total, "s", seconds * 1.05, bare=seconds)
    say("memory of the page's scripts", after, "MB", bare=before)


def say(what: str, figure: float, unit: str, goal: float | None = None, *, bare: float | None = None) -> None:
    verdict = "" if goal is None else f"  ≤ {goal:g}  {'met' if figure <= goal else 'NOT MET'}"
    beside = "" if bare is None else f"  (bare {bare:.1f})"
    sys.stdout.write(f"{what:<44} {figure:>9.1f} {unit}{verdict}{beside}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, fewer tokens")
    quick = parser.parse_args().quick
    with product() as stack, bare_site() as bare, sync_playwright() as driver:
        stack.add_model(MODEL, "bench")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(MARK)
        page.goto(stack.link)
        times = 5 if quick else 20
        address = f"{stack.web}/owner/main/models/bench?method=paced"
        nothing = opening_ms(page, bare, times)
        say("model page, usable", opening_ms(page, address, times), "ms", 500, bare=nothing)
        stream(page, address, TOKENS // 10 if quick else TOKENS)
        browser.close()


if __name__ == "__main__":
    main()
