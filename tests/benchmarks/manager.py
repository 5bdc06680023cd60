"""How a million inputs are paged and scrolled: ``python -m tests.benchmarks.manager``, with ROWS for fewer.

The server's figures are the processor's time of a request, through Django's own client: the page, a hundred tiles from
the beginning and from the middle, the counts. Scrolling is in Chromium, slowly, fast, and by jumps of the bar: how many
frames a second, beside what the browser draws with nothing to do, and how long the page's own thread works for each.
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
    from playwright.sync_api import CDPSession, Page

ROWS = int(os.environ.get("ROWS", "1000000"))
PAGE_MS, FRAMES = 60.0, 60
STEPS = {"still": 0, "slowly": 24, "fast": 300}  # pixels a frame
FILL = f"""
from datetime import timedelta
from django.db import connection, transaction
from django.utils import timezone
from inputs.models import Tally
from playground.catalog.services import ensure_owner
user, app = ensure_owner()
begin = (timezone.now() - timedelta(days=700)).replace(tzinfo=None).isoformat(" ")
with connection.cursor() as cursor, transaction.atomic():
    # Indexes are made at the end, all at once.
    of_inputs = "type = 'index' AND tbl_name = 'inputs_input' AND sql != ''"
    cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE {{of_inputs}}")
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {{name}}")
    cursor.execute(
        "INSERT INTO inputs_input (app_id, owner_id, slug, kind, source_url, name, metadata, status, status_words, "
        "facts, has_thumbnail, has_preview, created_at, modified_at, delete_token) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
        "SELECT %s, %s, lower(hex(randomblob(16))), 'text', '', 'note-' || i || '.txt', '{{}}', 30000, '', "
        "json_object('excerpt', 'Note ' || i || ' of a lighthouse keeper who had counted ships for years'), 0, 0, "
        "datetime(%s, '+' || i || ' seconds'), %s, '' FROM n",
        [{ROWS}, app.pk, user.pk, begin, begin],
    )
    for _, sql in indexes:
        cursor.execute(sql)
    Tally.objects.filter(app=app).delete()
    Tally.objects.create(app=app, kind="text", count={ROWS})
with connection.cursor() as cursor:  # as after days of uploads, not in the second after one of all
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
        for step in STEPS.values():  # what a page has scrolled through before is compiled
            scrolled(page, step)
        rates = {name: scrolled(page, step) for name, step in STEPS.items()}
        jumps = [float(page.evaluate(JUMP, share)) for share in (0.5, 0.9, 0.1, 0.99, 0.3)]
        tiles = page.locator(".thumb").count()
        browser.close()
    lines = [
        f"{ROWS:,} inputs, on the server, at most {PAGE_MS:.0f} ms of processor time:",
        *(f"  {line} ms" for line in server.split("\n") if line.startswith("/inputs")),
        "scrolled in Chromium, frames a second, and the page's work for each (16.7 ms are there at 60):",
        *(f"  {name:<8} {rate:5.1f}  {work:4.1f} ms" for name, (rate, work) in rates.items()),
        f"jumps of the bar, until tiles are there: {statistics.median(jumps):.0f} ms, worst {max(jumps):.0f}",
        f"tiles in the page: {tiles}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    slowest = max(float(line.split()[-1]) for line in server.split("\n") if line.startswith("/inputs/ "))
    bare = min(rates["still"][0], FRAMES)
    return int(slowest > PAGE_MS or min(rate for rate, _ in rates.values()) < 0.95 * bare)


def scrolled(page: Page, step: int) -> tuple[float, float]:
    """Frames a second, those that came late counted as such; and milliseconds of the page's thread for each frame."""
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    before = busy(tools)
    times: list[float] = page.evaluate(SCROLL, [240, step])
    work = (busy(tools) - before) / len(times)
    tools.detach()
    return 1000 / statistics.mean(times), work


def busy(tools: CDPSession) -> float:
    """Milliseconds of a processor that the page's thread has taken so far."""
    found = tools.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) * 1000 for one in found if one["name"] == "ThreadTime")


if __name__ == "__main__":
    sys.exit(main())
