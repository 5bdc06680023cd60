"""Measures adding many pictures against a bare pool of Pillow, and finding among a million inputs.

    python -m tests.benchmarks.inputs [uploads|rows]

Uploads: 500 JPEGs of 200 kB through the API with our SDK, two calls at a time, with their thumbnails; the bare
pool decodes the same files and makes the same thumbnails in as many processes as there are processors. Rows: what pages
ask for, on the server, in milliseconds of its processor's time, so that a busy machine disturbs less.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["DJANGO_SETTINGS_MODULE"] = "playground.settings"
_data = tempfile.TemporaryDirectory(prefix="playground-benchmark-", ignore_cleanup_errors=True)
os.environ["PLAYGROUND_DATA_DIR"] = _data.name

import django  # noqa: E402 - the settings read the data folder when they are imported

django.setup()

import numpy as np  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.http import QueryDict  # noqa: E402
from django.utils import timezone  # noqa: E402
from PIL import Image  # noqa: E402

from inputs import queries, search  # noqa: E402
from inputs.models import Concept, Input, Tally  # noqa: E402
from inputs.queries import Filter  # noqa: E402
from playground.catalog.models import App, User  # noqa: E402
from playground.sdk import Client  # noqa: E402
from playground.sdk.new_inputs import NewInput  # noqa: E402
from tests.live import product  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = int(os.environ.get("PICTURES", "500"))
ROWS = int(os.environ.get("ROWS", "1000000"))
CAMERAS = [f"c{number}" for number in range(40)]
WORDS = ["harbour", "tea", "cup", "window", "river", "stone", "garden", "lamp", "bridge", "market", "paper", "morning"]


# -- uploads --


def make_pictures(folder: Path) -> list[Path]:
    """Like photographs, of about 200 kB: smooth, with some grain."""
    paths = []
    for number in range(PICTURES):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(0, 255, (24, 32, 3), np.uint8)).resize(
            (1024, 768), Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, 7, (768, 1024, 3))
        picture = Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))
        paths.append(folder / f"{number}.jpg")
        picture.save(paths[-1], "JPEG", quality=88)
    return paths


def bare(path: str) -> int:
    """Decode all of it, and make its thumbnail."""
    with Image.open(path) as picture:
        picture.load()
        small = picture.resize((320, 240), Image.Resampling.LANCZOS, reducing_gap=2.0)
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=76, method=2)
    return len(stream.getvalue())


def bare_rate(paths: list[Path]) -> float:
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(bare, map(str, paths[:8])))
        start = time.perf_counter()
        list(pool.map(bare, map(str, paths), chunksize=8))
        return len(paths) / (time.perf_counter() - start)


def our_rate(paths: list[Path], address: str, token: str, attempt: int) -> float:
    contents = [path.read_bytes() + bytes([attempt]) * 8 for path in paths]  # other bytes in each round
    with Client(address, token=token) as client:
        start = time.perf_counter()
        made = client.inputs.upload_many([NewInput(content=content) for content in contents], parallel=2)
        took = time.perf_counter() - start
    assert all(one.input is not None for one in made), [one for one in made if one.input is None][:3]
    return len(contents) / took


# -- rows --


NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "


def fill(app: App) -> None:
    """A million rows as services would have written them, but without files: made in the database itself."""
    rare, common = (Concept.objects.create(app=app, slug=slug, name=slug) for slug in ("rare", "common"))
    begin = (timezone.now() - timedelta(days=700)).replace(tzinfo=None).isoformat(" ")
    word = "json_extract(%s, '$[' || ((i * {0} + i / {0}) % {1}) || ']')"
    words = json.dumps(WORDS)
    with connection.cursor() as cursor, transaction.atomic():
        # Indexes are made at the end, all at once.
        tables = "type = 'index' AND tbl_name IN ('inputs_input', 'inputs_annotation') AND sql != ''"
        cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE {tables}")
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(
            "INSERT INTO inputs_input (id, app_id, owner_id, slug, kind, source_url, name, metadata, status, "
            "status_words, width, height, facts, has_thumbnail, has_preview, created_at, modified_at, delete_token) "
            + NUMBERS
            + "SELECT i, %s, %s, lower(hex(randomblob(16))), CASE WHEN i % 4 = 3 THEN 'text' ELSE 'image' END, '', "
            + f"{word.format(7, len(WORDS))} || '_' || {word.format(13, len(WORDS))} || '_' || i || '.jpg', "
            + "json_object('camera', 'c' || (i % 40)), 30000, '', 640, 480, '{}', 0, 0, "
            + "datetime(%s, '+' || i || ' minutes'), %s, '' FROM n",
            [ROWS, app.pk, app.owner_id, words, words, begin, begin],
        )
        cursor.execute(
            "CREATE TEMP TABLE marks AS SELECT value AS camera, '' AS mark FROM json_each(%s)", [json.dumps(CAMERAS)]
        )
        for camera in CAMERAS:
            cursor.execute("UPDATE marks SET mark = %s WHERE camera = %s", [search.mark_of("camera", camera), camera])
        cursor.execute(
            "INSERT INTO inputs_search (rowid, words, marks) "
            "SELECT id, replace(name, '_', ' ') || ' ' || slug || CASE WHEN id % 90000 = 77 THEN ' needle' "
            "ELSE '' END, 'a' || app_id || ' k' || kind || ' ' || mark "
            "FROM inputs_input JOIN marks ON camera = json_extract(metadata, '$.camera') ORDER BY id"
        )
        for concept, which in ((rare, "i % 50000 = 5"), (common, "i % 2")):
            cursor.execute(
                "INSERT INTO inputs_annotation (input_id, concept_id, value, text, origin, created_at) "
                + NUMBERS
                + f"SELECT i, %s, 1.0, '', '', %s FROM n WHERE {which}",
                [ROWS, concept.pk, begin],
            )
        for _, index in indexes:
            cursor.execute(index)
        cursor.execute("SELECT kind, count(*) FROM inputs_input GROUP BY kind")
        Tally.objects.bulk_create(Tally(app=app, kind=kind, count=number) for kind, number in cursor.fetchall())


def milliseconds(act: Callable[[], object], times: int = 7) -> float:
    rounds = []
    for _ in range(times):
        start = time.thread_time()
        act()
        rounds.append((time.thread_time() - start) * 1000)
    return statistics.median(rounds)


def measure_rows() -> None:
    user = User.objects.create_user("owner")
    app = App.objects.create(owner=user, slug="main")
    start = time.perf_counter()
    fill(app)
    sys.stdout.write(f"{ROWS:,} rows made in {time.perf_counter() - start:.0f} s\n")
    sys.stdout.flush()
    measure_questions(user, app)


def measure_questions(user: User, app: App) -> None:
    cursor = queries.page(user, app, wanted(""), skip=500_000, limit=1).next
    rows: list[tuple[str, Callable[[], object], float | None]] = [
        ("first page, newest", lambda: queries.page(user, app, wanted("")), 60),
        (
            "first page, with total and facets",
            lambda: (queries.page(user, app, wanted("")), queries.facets(user, app)),
            None,
        ),
        ("a page in the middle, by cursor", lambda: queries.page(user, app, wanted(""), after=cursor), 60),
        ("a page in the middle, by number", lambda: queries.page(user, app, wanted(""), skip=500_000), None),
        ("first page, one type", lambda: queries.page(user, app, wanted("type=text")), 60),
        ("first page, by name", lambda: queries.page(user, app, wanted("order=name")), 60),
        ("first page, common concept", lambda: queries.page(user, app, wanted("concept=common")), 60),
        ("first page, rare concept", lambda: queries.page(user, app, wanted("concept=rare")), 60),
        ("first page, without a common concept", lambda: queries.page(user, app, wanted("not=common")), 60),
        ("search a rare word", lambda: queries.page(user, app, wanted("q=needle")), 150),
        ("search a common word", lambda: queries.page(user, app, wanted("q=harbour")), 150),
        ("search the beginning of words", lambda: queries.page(user, app, wanted("q=h")), 150),
        ("search two common words", lambda: queries.page(user, app, wanted("q=harbour+tea")), 150),
        ("search a word of all", lambda: queries.page(user, app, wanted("q=jpg")), 150),
        ("search a word of all, by name", lambda: queries.page(user, app, wanted("q=jpg&order=name")), 150),
        ("search two common words, by name", lambda: queries.page(user, app, wanted("q=window+tea&order=name")), 150),
        ("search an id", lambda: queries.page(user, app, wanted(f"q={middle(app).slug}")), 150),
        ("search a common word, by name", lambda: queries.page(user, app, wanted("q=harbour&order=name")), 150),
        ("search a common word and a rare concept", lambda: queries.page(user, app, wanted("q=tea&concept=rare")), 150),
        (
            "search a common word, one type, oldest",
            lambda: queries.page(user, app, wanted("q=tea&type=text&order=oldest")),
            150,
        ),
        ("search a common word in a week of 2 years", lambda: queries.page(user, app, wanted(f"q=tea&{WEEK}")), 150),
        ("metadata", lambda: queries.page(user, app, wanted("metadata=camera%3Dc7")), 150),
        ("what stands beside one, in the middle", lambda: queries.around(user, middle(app), wanted("")), None),
        ("count a common concept", lambda: queries.count(user, app, wanted("concept=common")), None),
        ("count a common word", lambda: queries.count(user, app, wanted("q=harbour")), None),
        ("facets within a common word", lambda: within(user, app, "q=harbour"), None),
        ("facets within a word of all", lambda: within(user, app, "q=jpg"), None),
        ("facets within a common concept", lambda: within(user, app, "concept=common"), None),
    ]
    for what, act, goal in rows:
        took = milliseconds(act)
        words = f"≤ {goal} ms  {'met' if took <= goal else 'NOT MET'}" if goal else ""
        sys.stdout.write(f"{what:<46} {took:>9.1f} ms  {words}\n")
        sys.stdout.flush()


_week = (timezone.now() - timedelta(days=600)).date()
WEEK = f"from={_week}&to={_week + timedelta(days=7)}"


def wanted(query: str) -> Filter:
    return Filter.from_query(QueryDict(query))


def within(user: User, app: App, query: str) -> queries.Facets:
    return queries.narrowed(user, app, wanted(query), queries.facets(user, app))


def middle(app: App) -> Input:
    return Input.objects.select_related("app__owner").filter(app=app, pk=ROWS // 2).get()


def measure_uploads() -> None:
    with tempfile.TemporaryDirectory() as folder, product() as stack:
        paths = make_pictures(Path(folder))
        size = statistics.mean(path.stat().st_size for path in paths) / 1000
        results = []
        for attempt in range(3):
            theirs = bare_rate(paths)
            ours = our_rate(paths, stack.api, stack.token, attempt)
            results.append((theirs, ours))
            sys.stdout.write(f"round {attempt + 1}: bare {theirs:6.1f}/s, ours {ours:6.1f}/s, {ours / theirs:5.0%}\n")
        theirs, ours = (statistics.median(one[n] for one in results) for n in (0, 1))
        verdict = "met" if ours >= 0.6 * theirs else "NOT MET"
        sys.stdout.write(
            f"{PICTURES} JPEGs of {size:.0f} kB  {theirs:6.1f}/s {ours:6.1f}/s {ours / theirs:5.0%}  ≥ 60%  {verdict}\n"
        )


def main() -> None:
    call_command("migrate", verbosity=0)
    asked = sys.argv[1:] or ["rows", "uploads"]
    if "rows" in asked:
        measure_rows()
    if "uploads" in asked:
        measure_uploads()


if __name__ == "__main__":
    main()
