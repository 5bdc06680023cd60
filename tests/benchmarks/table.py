"""How quick a table of 2,000 deployments is in Chromium: ``python -m tests.benchmarks.table``.

First paint is from the navigation's start to the paint that has rows. A sort is from the press to the frame in which
the new order is painted. Each deployment had calls in each of the last 24 hours.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.live import ROOT, product

if TYPE_CHECKING:
    from playwright.sync_api import Page

MANY = 2000
ROUNDS = 9
LOOK_MS = 600  # somebody looks at an order before asking for the next
SETTLING_S = 25  # in which the controller reads that all of them stand at zero
PAINT_S, SORT_S = 0.6, 0.3
HERE = "/owner/main/models/hello/deployments"
SORTS = ("calls", "cluster", "p95", "errors", "deployment", "trend", "speed", "used")
FILL = f"""
import random
from datetime import timedelta
from django.utils import timezone
from playground.catalog.models import Model
from playground.compute.models import Cluster, Deployment, Nodepool
from tests.compute.using import call, store
model, chance, now = Model.objects.get(slug="hello"), random.Random(7), timezone.now()
owner = model.app.owner
cluster = Cluster.objects.create(owner=owner, slug="lab", region="Frankfurt")
pools = [Nodepool.objects.create(cluster=cluster, slug=f"pool-{{n}}") for n in range(9)]
Deployment.objects.bulk_create(
    Deployment(owner=owner, slug=f"d{{n:04}}", model=model, nodepool=pools[n % 9], state="scaled to zero",
               min_replicas=0)
    for n in range({MANY - 1})
)
for row in Deployment.objects.filter(model=model):
    times = [now - timedelta(hours=hour, minutes=chance.randrange(50)) for hour in range(24)]
    store(call(row, owner, at, duration_s=chance.expovariate(1), first_output_s=chance.random()) for at in times)
"""
PAINTED = """() => new Promise((done) => {
  const painted = () => performance.getEntriesByType("paint").find((one) => one.name === "first-contentful-paint");
  const look = () => painted() && document.querySelector("tbody tr") ? done(painted().startTime) : setTimeout(look, 5);
  look();
})"""
SORTED = """(key) => new Promise((done) => {
  const table = document.querySelector("usage-table"), began = performance.now();
  const was = table.querySelector("[data-part]").dataset.sortWords;
  const watch = new MutationObserver(() => {
    if (table.querySelector("[data-part]").dataset.sortWords === was) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  watch.observe(table, { subtree: true, attributes: true, attributeFilter: ["data-sort-words"] });
  document.querySelector(`#sort-${key}`).click();
})"""


def main() -> int:
    with product() as stack, sync_playwright() as driver:
        stack.add_model(ROOT / "playground" / "runner" / "examples" / "hello", "hello", patience=60)
        stack.manage("shell", "--no-imports", "-c", FILL)
        time.sleep(SETTLING_S)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.web).new_page()
        page.goto(stack.link)
        paint = [_open(page) for _ in range(ROUNDS)]
        order = {key: [_sort(page, key) for _ in range(ROUNDS)] for key in SORTS}
        browser.close()
    return _tell(paint, order)


def _open(page: Page) -> float:
    page.goto(HERE, wait_until="commit")
    seconds = float(page.evaluate(PAINTED)) / 1000
    page.wait_for_selector("usage-table[data-live]")
    return seconds


def _sort(page: Page, key: str) -> float:
    page.wait_for_timeout(LOOK_MS)
    return float(page.evaluate(SORTED, key)) / 1000


def _tell(paint: list[float], order: dict[str, list[float]]) -> int:
    """Whether the medians keep what was promised: 0 when they do."""
    slowest = max(statistics.median(times) for times in order.values())
    sys.stdout.write(f"{MANY} deployments: first paint {statistics.median(paint):.2f} s (at most {PAINT_S})\n")
    for key, times in order.items():
        sys.stdout.write(
            f"  sorted by {key}: {statistics.median(times):.2f} s, worst {max(times):.2f} (at most {SORT_S})\n"
        )
    return int(statistics.median(paint) > PAINT_S or slowest > SORT_S)


if __name__ == "__main__":
    sys.exit(main())
