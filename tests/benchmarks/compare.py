"""Six panes of a comparison in Chromium, each streaming 100 pieces a second, against one bare stream of the same run.

    python -m tests.benchmarks.compare

Allowed are no frame over 50 ms, and 30 ms more than the bare stream from a piece's making to its being painted. The
bare stream is read by a plain socket on an empty comparison, and nothing of it is drawn.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.live import Stack, product

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODEL = Path(__file__).resolve().parent / "model"
PANES, COUNT, PER_SECOND = 6, 1000, 100
MOST_FRAME_MS, MOST_ADDED_MS = 50.0, 30.0
TARGET = "owner/main/models/bench"
ARGUMENTS = {"count": COUNT, "interval": 1 / PER_SECOND}

# A stream's pieces are readings of the server's clock; `offset` turns them into the page's.
BARE = """({ offset, message }) => new Promise((resolve) => {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/runs/`);
  const delays = [];
  socket.addEventListener("open", () => socket.send(JSON.stringify(message)));
  socket.addEventListener("message", ({ data }) => {
    const now = performance.timeOrigin + performance.now();
    for (const event of JSON.parse(data).events ?? []) {
      if (event.kind === "output") delays.push(now - (Number(event.value) / 1e6 + offset));
      if (["finished", "failed"].includes(event.kind)) socket.close(), resolve(delays);
    }
  });
})"""
# From a piece's making to the frame after that in which it was written into its pane, and the gaps between frames.
WATCH = """({ offset }) => {
  const found = (window.found = { delays: [], gaps: [] });
  let fresh = [];
  let last = 0;
  for (const pane of document.querySelectorAll("[data-pane] [data-outputs]")) {
    let length = pane.textContent.length;
    const written = () => {
      const text = pane.textContent;
      for (const piece of text.slice(length).split(" "))
        if (piece) fresh.push(Number(piece) / 1e6 + offset);
      length = text.length;
    };
    new MutationObserver(written).observe(pane, { subtree: true, childList: true, characterData: true });
  }
  const look = (now) => {
    if (last && fresh.length) found.gaps.push(now - last);
    last = now;
    const painted = performance.timeOrigin + now;
    for (const made of fresh) found.delays.push(painted - made);
    fresh = [];
    window.watching = requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def main() -> None:
    with product() as stack, sync_playwright() as driver:
        stack.add_model(MODEL, "bench")
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.web).new_page()
        page.goto(stack.link)
        bare = measure_bare(page)
        found = measure_panes(page, stack)
        chromium.close()
    added = statistics.median(found["delays"]) - statistics.median(bare)
    late = _high(found["delays"]) - _high(bare)
    gaps = found["gaps"]
    misses = max(gaps) > MOST_FRAME_MS or added > MOST_ADDED_MS
    say("bare stream, a piece's delay", statistics.median(bare), f"p99 {_high(bare):.1f}")
    say(f"{PANES} panes, painted", statistics.median(found["delays"]), f"p99 {_high(found['delays']):.1f}")
    say("added", added, f"allowed {MOST_ADDED_MS:.0f}; at p99 {late:.1f}")
    say("longest frame", max(gaps), f"allowed {MOST_FRAME_MS:.0f}; p99 {_high(gaps):.1f} of {len(gaps)}")
    parts = ", ".join(f"{name} {found[name]:.0f}" for name in ("script", "style", "layout"))
    say("the page's thread is busy", found["busy"], f"of {found['took']:.0f} ms: {parts}")
    sys.exit(1 if misses else 0)


def say(what: str, figure: float, beside: str) -> None:
    sys.stdout.write(f"{what:<34} {figure:>8.1f} ms  ({beside})\n")


def _high(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def offset_ms() -> float:
    """What is to be added to the server's monotonic clock for the time of day."""
    return (time.time_ns() - time.monotonic_ns()) / 1e6


def measure_bare(page: Page) -> list[float]:
    page.goto("/compare/")
    message = {
        "type": "start",
        "run": str(uuid.uuid4()),
        "model": TARGET,
        "version": "",
        "method": "clocked",
        "arguments": {"text": "", **ARGUMENTS},
        "selector": {},
        "open_input": False,
    }
    delays: list[float] = page.evaluate(BARE, {"offset": offset_ms(), "message": message})
    return delays[1:]


def measure_panes(page: Page, stack: Stack) -> dict[str, Any]:
    target = quote(f"{TARGET}?method=clocked&arguments={json.dumps(ARGUMENTS)}")
    page.goto(f"/compare/?{'&'.join([f't={target}'] * PANES)}&text=go")
    page.wait_for_selector("compare-page[data-begun]")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"[data-pane]:nth-child({PANES}) .answer__block")
    page.wait_for_timeout(500)
    before, began = busy_ms(session), time.monotonic()
    page.evaluate(WATCH, {"offset": offset_ms()})
    page.wait_for_timeout((COUNT / PER_SECOND - 3) * 1000)
    found: dict[str, Any] = page.evaluate("() => { cancelAnimationFrame(window.watching); return window.found; }")
    found |= {name: value - before[name] for name, value in busy_ms(session).items()}
    found["took"] = (time.monotonic() - began) * 1000
    page.locator("[data-verdict]").wait_for(timeout=60_000)
    return found


def busy_ms(session: Any) -> dict[str, float]:
    """What the page's own thread has done so far."""
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    names = {"busy": "Task", "script": "Script", "style": "RecalcStyle", "layout": "Layout"}
    return {name: float(told[f"{metric}Duration"]) * 1000 for name, metric in names.items()}


if __name__ == "__main__":
    main()
