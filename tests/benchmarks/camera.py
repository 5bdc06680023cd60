"""Measures live video: Chromium's camera through NanoDet, from a picture's capture to its boxes on the screen.

    python -m tests.benchmarks.camera
    python -m tests.benchmarks.camera --seconds 30 --rate 30

The page counts answers, and times each from what the browser says of its capture to the frame after its boxes were
drawn. Beside it stands the bare limit: the same network on the same pictures in this process, one after another.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from playground.protocol.values import Image
from playground.runner import examples
from playground.runner.testing import running
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.film import SAMPLES, make_film
from tests.live import product
from tests.runner.calling import Conversation, calling

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.live import Stack

RATE_GOAL = 10.0
LATENCY_GOAL = 250.0
WARM_SECONDS = 3
NANODET = Path(next(iter(examples.__path__))) / "nanodet"
SEEN = """() => {
  const { run } = document.querySelector("run-view");
  const { sender } = run;
  return [run.outputCount, sender.sent, sender.dropped, [...sender.latencies]];
}"""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def runner_alone(seconds: float) -> float:
    """Answers a second of NanoDet's runner, asked by one caller who waits for each."""
    picture = Image(bytes=(SAMPLES / "astronaut.jpg").read_bytes())
    with running(NANODET) as address, calling(address) as caller:
        talk = Conversation(caller, "stream")
        talk.say(picture)
        talk.hear()
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            talk.say(picture)
            talk.hear()
            count += 1
        talk.end()
        return count / (time.perf_counter() - began)


def watch(page: Page, rate: int, seconds: float) -> tuple[float, list[float], float, int]:
    """Answers a second, times to the screen, and how many pictures were sent a second and dropped in all."""
    page.get_by_role("button", name="Live camera").click()
    page.locator("[data-rate]").fill(str(rate))
    page.get_by_role("button", name="Start camera").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => document.querySelector('run-view').run?.outputCount > 0", timeout=60_000)
    page.wait_for_timeout(WARM_SECONDS * 1000)
    began = time.perf_counter()
    answered, sent, dropped, _ = page.evaluate(SEEN)
    latencies: list[float] = []
    while time.perf_counter() - began < seconds:
        page.wait_for_timeout(1000)
        latencies += page.evaluate("() => document.querySelector('run-view').run.sender.latencies.splice(0)")
    span = time.perf_counter() - began
    answered_then, sent_then, dropped_then, _ = page.evaluate(SEEN)
    return (answered_then - answered) / span, latencies, (sent_then - sent) / span, dropped_then - dropped


def measure(stack: Stack, rate: int, seconds: float) -> bool:
    stack.add_model(NANODET, "nanodet", patience=180)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        film = make_film(Path(folder) / "camera.mjpeg")
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=["camera"])
        page = context.new_page()
        page.goto(stack.link)
        page.goto(f"{stack.web}/owner/main/models/nanodet?method=stream")
        page.wait_for_selector("play-page[data-begun]")
        answers, latencies, sent, dropped = watch(page, rate, seconds)
        browser.close()
    latency = statistics.median(latencies)
    slowest = statistics.quantiles(latencies, n=20)[-1]
    say(
        f"page: {answers:.1f} answers a second (goal {RATE_GOAL:g}) of at most {rate};"
        f" {sent:.1f} sent, {dropped} dropped"
    )
    say(f"picture to boxes: {latency:.0f} ms in the middle (goal {LATENCY_GOAL:g}), {slowest:.0f} ms at 95 %")
    return answers >= RATE_GOAL and latency < LATENCY_GOAL


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rate", type=int, default=20, help="pictures a second, at most")
    options = parser.parse_args()
    say(f"runner alone: {runner_alone(5):.1f} answers a second")
    with product() as stack:
        return 0 if measure(stack, options.rate, options.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
