"""How a million inputs are paged and scrolled: ``python -m tests.benchmarks.manager``, with ROWS for fewer.

The server's figures are the processor's time of a request, through Django's own client: the page, a hundred tiles from
the beginning and from the middle, the counts. Scrolling is in Chromium, slowly, fast, and by jumps of the bar; what the
browser draws with nothing to do stands beside.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.live import product

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROWS = int(os.environ.get("ROWS", "1000000"))
PAGE_MS, FRAMES = 60.0, 60
FILL = f"""
from datetime import timedelta
from django.db import connection, transaction
from django.utils import timezone
from inputs.models import Tally
from playground.catalog.services import ensure_owner
user, app = ensure_owner()
begin = (timezone.now() - timedelta(days=700)).replace(tzinfo=None).isoformat(" ")
with connection.cursor() as cursor, transaction.atomic():
    cursor.execute(
        "INSERT INTO inputs_input (app_id, owner_id, slug, kind, source_url, name, metadata, status, status_words, "
        "facts, has_thumbnail, has_preview, created_at, modified_at, delete_token) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
        "SELECT %s, %s, lower(hex(randomblob(16))), 'text', '', 'note-' || i || '.txt', '{{}}', 30000, '', "
        "json_object('excerpt', 'Note ' || i || ' of a lighthouse keeper who had counted ships for years'), 0, 0, "
        "datetime(%s, '+' || i || ' seconds'), %s, '' FROM n",
        [{ROWS}, app.pk, user.pk, begin, begin],
    )
    Tally.objects.filter(app=app).delete()
    Tally.objects.create(app=app, kind="text", count={ROWS})
"""
ASK = """
import statistics, time
from django.test import Client
from playground.catalog.services import ensure_owner
client = Client(SERVER_NAME="127.0.0.1")
client.force_login(ensure_owner()[0])
def asked(address):
    times = []
    for _ in range(9):
        began = time.process_time()
        answer = client.get(address)
        times.append((time.process_time() - began) * 1000)
        assert answer.status_code == 200, answer.status_code
    return statistics.median(times)
for address in ("/inputs/", "/inputs/rows", "/inputs/rows?at={middle}", "/inputs/summary"):
    print(address, round(asked(address), 1))
"""
# Frames of a while, in which something is done before each: (times between them in ms).
SCROLL = """([frames, step]) => new Promise((done) => {
  const scroller = document.querySelector(".manager__scroller"), times = [];
  let last = performance.now();
  const draw = (now) => {
    times.push(now - last);
    last = now;
    if (times.length > frames) return done(times.slice(1));
    if (step) scroller.scrollTop += step;
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
})"""
JUMP = """(share) => new Promise((done) => {
  const scroller = document.querySelector(".manager__scroller"), began = performance.now();
  scroller.scrollTop = share * scroller.scrollHeight;
  const look = () => {
    const box = scroller.getBoundingClientRect();
    const tile = document.elementFromPoint(box.left + 100, box.top + 200)?.closest(".thumb");
    if (tile && !tile.matches(".thumb--blank")) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def main() -> int:
    with product() as stack, sync_playwright() as driver:
        stack.manage("shell", "--no-imports", "-c", FILL)
        server = stack.manage("shell", "--no-imports", "-c", ASK.replace("{middle}", str(ROWS // 2)))
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.web).new_page()
        page.goto(stack.link)
        page.goto("/inputs/")
        page.wait_for_selector("inputs-manager[data-live] .thumb")
        time.sleep(2)
        still, slow, fast = (rate(page, step) for step in (0, 24, 300))
        jumps = [float(page.evaluate(JUMP, share)) for share in (0.5, 0.9, 0.1, 0.99, 0.3)]
        tiles = page.locator(".thumb").count()
        browser.close()
    lines = [
        f"{ROWS:,} inputs, on the server, at most {PAGE_MS:.0f} ms of processor time:",
        *(f"  {line} ms" for line in server.split("\n") if line.startswith("/inputs")),
        f"scrolled in Chromium, frames a second: {slow:.0f} slowly, {fast:.0f} fast ({still:.0f} with nothing to do)",
        f"jumps of the bar, until tiles are there: {statistics.median(jumps):.0f} ms, worst {max(jumps):.0f}",
        f"tiles in the page: {tiles}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    slowest = max(float(line.split()[-1]) for line in server.split("\n") if line.startswith("/inputs/ "))
    return int(slowest > PAGE_MS or min(slow, fast) < 0.95 * min(still, FRAMES))


def rate(page: Page, step: int) -> float:
    """Frames a second, those that came late counted as such."""
    times: list[float] = page.evaluate(SCROLL, [240, step])
    return 1000 / statistics.mean(times)


if __name__ == "__main__":
    sys.exit(main())
