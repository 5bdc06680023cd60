"""What is kept of runs: found by their words, deleted and brought back, read by a link, and swept away in the end."""

from __future__ import annotations

import io
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from playground.catalog.models import Membership, Model, User
from playground.media import services as media
from playground.media.models import Reference
from playground.protocol.errors import ConflictError, NotFoundError
from playground.runs import export, history, housekeeping, services
from playground.runs.models import EventBlock, Run, RunMedia
from playground.runs.words import answered_text, asked_text, first_words
from tests.media.conftest import picture
from tests.runs.conftest import Connect, Socket
from tests.runs.test_start_run import stored, values

TRACEBACK = b'{"n":3,"kind":"failed","t":2,"error":{"name":"ModelError","message":"no","traceback":"secret line"}}'


@pytest.fixture
def other(ada: User) -> User:
    return User.objects.get(username="stranger")


def make(user: User, **fields: Any) -> Run:
    model = Model.objects.get(slug="echo")
    facts = {"method": "predict", "state": "finished", "arguments": {"text": "Hello"}} | fields
    run = Run.objects.create(id=uuid.uuid4(), user=user, model=model, **facts)
    block = b'[{"n":1,"kind":"started","t":0.1},{"n":2,"kind":"output","t":1.5,"i":0,"value":"<b>hi</b>"}]'
    EventBlock.objects.create(run=run, first=1, last=2, events=block)
    return run


def aged(run: Run, days: float) -> Run:
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(days=days))
    return run


def found(user: User, text: str) -> set[uuid.UUID]:
    return {run.pk for run in history.search(history.list_runs(user), text)}


# Words.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": "  a\n b  "}, "a b"),
        ({"count": 3.0, "text": "later"}, "3"),
        ({"is_on": True, "image": {"media": "x", "content_type": "image/png"}}, "Image given"),
        ({"image": {"media": "x", "name": "cup.jpg"}}, "cup.jpg"),
        ({"items": ["a", {"text": "b"}, {"url": "http://c"}]}, "a · b · http://c"),
        ({}, ""),
        ({"text": "x" * 500}, "x" * 160),
    ],
)
def test_the_first_words_stand_for_a_run(arguments: dict[str, Any], words: str) -> None:
    assert first_words(arguments) == words


def test_pieces_of_an_answer_are_searched_as_one_text() -> None:
    pieces = [
        b'{"kind":"output","value":"Har"}',
        b'{"kind":"output","value":"BOR \\u0000"}',
        b'{"kind":"routed"}',
        b"{",
    ]
    assert answered_text(pieces) == "harbor {"
    assert asked_text("find", {"image": {"media": "0a", "name": "Straße.jpg"}, "n": 3}) == "find strasse.jpg"
    assert len(answered_text([b'{"kind":"output","value":"%s"}' % (b"y" * 50_000)])) == 2000


async def test_a_run_is_found_by_what_was_asked_and_answered(page: Socket, ada: User) -> None:
    run = await page.start("predict", arguments={"text": "Ada ÄRGER"})
    await page.events(run)
    row = await stored(run)
    assert row.asked == "Ada ÄRGER"
    assert row.kept_bytes > 100
    search = sync_to_async(found)
    for text in ("ada", "hello, ada", "ärger hello", "PREDICT", run):
        assert await search(ada, text) == {row.pk}, text
    for text in ("nothing", "ada nothing", "%", "_", str(uuid.uuid4())):
        assert await search(ada, text) == set(), text


async def test_a_failed_run_is_found_by_its_error(page: Socket, ada: User) -> None:
    run = await page.start("predict", arguments={"text": "raise"})
    await page.events(run)
    await stored(run)
    assert await sync_to_async(found)(ada, "keyerror") == {uuid.UUID(run)}


async def test_a_run_keeps_its_files(page: Socket, ada: User) -> None:
    given = await sync_to_async(media.store)(picture(), ada, "cat.png")
    run = await page.start("picture", arguments={"image": {"media": given.pk}})
    [value] = values(await page.events(run))
    row = await stored(run)
    files = await sync_to_async(history.files_of)(row)
    assert [file.pk for file in files] == [given.pk, value["media"]]
    assert all(file.is_kept for file in files)


# Deleting.


def test_what_is_deleted_is_gone_and_can_be_brought_back(ada: User) -> None:
    run, other_run = make(ada), make(ada)
    assert history.delete_runs(ada, [run.pk, uuid.uuid4()]) == [run.pk]
    assert list(history.list_runs(ada)) == [other_run]
    with pytest.raises(NotFoundError):
        history.find_run(ada, run.pk)
    with pytest.raises(NotFoundError):
        services.read_events(ada, run.pk, 0)
    with pytest.raises(NotFoundError):
        history.delete_runs(ada, [run.pk])
    assert history.restore_runs(ada, [run.pk]) == 1
    assert history.find_run(ada, run.pk) == run


def test_after_a_while_it_cannot_be_brought_back(ada: User) -> None:
    run = make(ada, deleted_at=timezone.now() - history.UNDO)
    with pytest.raises(NotFoundError, match="too late"):
        history.restore_runs(ada, [run.pk])
    assert housekeeping.sweep() == 1
    assert not Run.objects.exists()


def test_nobody_deletes_or_brings_back_anothers(ada: User, other: User) -> None:
    run = make(ada, share_key="k")
    with pytest.raises(NotFoundError):
        history.delete_runs(other, [run.pk])
    history.delete_runs(ada, [run.pk])
    with pytest.raises(NotFoundError):
        history.restore_runs(other, [run.pk])


def test_what_still_goes_on_is_not_deleted(ada: User) -> None:
    run = make(ada, state="running", worker="other:1:a")
    with pytest.raises(ConflictError, match="stop it first"):
        history.delete_runs(ada, [run.pk])
    assert history.delete_runs(ada, [run.pk, (ended := make(ada)).pk]) == [ended.pk]


# Sharing.


def test_a_link_is_given_and_withdrawn(ada: User, other: User) -> None:
    run = make(ada)
    key = history.share(ada, run.pk).share_key
    assert history.share(ada, run.pk).share_key == key
    assert history.find_run(other, run.pk, key) == run
    for wrong in ("", "x", key[:-1]):
        with pytest.raises(NotFoundError):
            history.find_run(other, run.pk, wrong)
    for act in (history.share, history.unshare):
        with pytest.raises(NotFoundError):
            act(other, run.pk)
    history.unshare(ada, run.pk)
    with pytest.raises(NotFoundError):
        history.find_run(other, run.pk, key)
    assert history.share(ada, run.pk).share_key != key


def test_an_empty_key_opens_nothing(ada: User, other: User) -> None:
    run = make(ada)
    with pytest.raises(NotFoundError):
        history.find_run(other, run.pk, "")
    assert not Run.objects.visible_to(other, key="").exists()


def test_a_link_reads_no_more_than_its_owner(ada: User, other: User) -> None:
    """Who lost the model, or was shut out, shows it to nobody any more."""
    run = make(other, share_key="k")
    with pytest.raises(NotFoundError):
        history.find_run(ada, run.pk, "k")
    Membership.objects.create(app=Model.objects.get().app, user=other, role=Membership.Role.VIEWER)
    assert history.find_run(ada, run.pk, "k") == run
    User.objects.filter(pk=other.pk).update(is_active=False)
    with pytest.raises(NotFoundError):
        history.find_run(ada, run.pk, "k")


async def test_a_shared_run_is_followed_until_its_link_is_withdrawn(connect: Connect, stranger: User) -> None:
    page = await connect()
    run = await page.start("endless", arguments={"text": "x "})
    await page.events(run, lambda event: event["kind"] == "output")
    reader = await connect(stranger)
    await reader.send_json_to({"type": "attach", "run": run, "after": 0})
    assert "not shared" in (await reader.refusal())["error"]["message"]
    ada = await User.objects.aget(username="ada")
    key = (await sync_to_async(history.share)(ada, uuid.UUID(run))).share_key
    await reader.send_json_to({"type": "attach", "run": run, "after": 0, "key": key})
    await reader.events(run, lambda event: event["kind"] == "output")
    for act in ("stop", "close_input"):
        await reader.send_json_to({"type": act, "run": run})
    await sync_to_async(history.unshare)(ada, uuid.UUID(run))
    refusals: set[str] = set()
    while refusals != {"ConflictError", "NotFoundError"}:
        message = await reader.message()
        if message["type"] == "refused":
            refusals.add(message["error"]["name"])
    assert (await Run.objects.aget(pk=run)).state == "running"
    await page.send_json_to({"type": "stop", "run": run})
    await page.events(run)


def test_a_reader_gets_no_traceback(ada: User, other: User) -> None:
    run = make(ada, state="failed", share_key="k", error={"message": "no", "traceback": "secret line"})
    EventBlock.objects.create(run=run, first=3, last=3, events=b"[" + TRACEBACK + b"]")
    assert b"secret line" in b"".join(services.read_events(ada, run.pk, 0).events)
    read = services.read_events(other, run.pk, 0, "k")
    assert b"secret line" not in b"".join(read.events)
    assert [event["n"] for event in orjson.loads(b"[" + b",".join(read.events) + b"]")] == [1, 2, 3]
    run = history.find_run(other, run.pk, "k")
    assert b"secret line" not in export.export(run, is_own=False).content
    assert b"secret line" in export.export(run, is_own=True).content


# Exporting.


def kept_file(run: Run, name: str, content: bytes) -> Reference:
    file = media.store(content, run.user, name, is_kept=True)
    RunMedia.objects.create(run=run, reference=file)
    return file


async def test_an_export_holds_everything(ada: User) -> None:
    run, cat = await sync_to_async(make)(ada), picture()
    for name in ("../../cat.png", "cat.png", "ünï <script>.txt", ".."):
        await sync_to_async(kept_file)(run, name, cat if name.endswith("png") else name.encode() * 300_000)
    run = await sync_to_async(history.find_run)(ada, run.pk)
    what = await sync_to_async(export.export)(run, is_own=True)
    pieces = [piece async for piece in export.zipped(what)]
    assert max(map(len, pieces)) < 2**20
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        told = orjson.loads(archive.read("run.json"))
        assert archive.read(names[1]) == cat
    assert names == ["run.json", *told["files"].values()]
    assert names[1:4] == ["files/01-cat.png", "files/02-cat.png", "files/03-n-script.txt"]
    assert all(name.count("/") == 1 and ".." not in name for name in names[1:])
    assert told["format"] == "playground-run/1"
    assert (told["arguments"], told["outputs"]) == ({"text": "Hello"}, ["<b>hi</b>"])
    assert [event["n"] for event in told["events"]] == [1, 2]


async def test_a_file_that_is_gone_does_not_spoil_an_export(ada: User) -> None:
    run = await sync_to_async(make)(ada)
    file = await sync_to_async(kept_file)(run, "cat.png", picture())
    what = await sync_to_async(export.export)(await sync_to_async(history.find_run)(ada, run.pk), is_own=True)
    await sync_to_async(lambda: media.blobs.path_of(file.blob_id).unlink())()
    pieces = [piece async for piece in export.zipped(what)]
    assert zipfile.ZipFile(io.BytesIO(b"".join(pieces))).namelist() == ["run.json"]


# Sweeping.


def test_old_runs_are_swept_and_their_files_let_go(ada: User, settings: Any) -> None:
    settings.RUNS_DAYS = 30
    old, fresh, running = aged(make(ada), 31), aged(make(ada), 29), aged(make(ada, state="running"), 31)
    shared = kept_file(old, "both.png", picture())
    RunMedia.objects.create(run=fresh, reference=shared)
    alone = kept_file(old, "alone.txt", b"alone")
    housekeeping._last.clear()
    assert housekeeping.sweep() == 1
    assert {run.pk for run in Run.objects.all()} == {fresh.pk, running.pk}
    assert not EventBlock.objects.filter(run=old.pk).exists()
    shared.refresh_from_db()
    alone.refresh_from_db()
    assert (shared.is_kept, alone.is_kept) == (True, False)
    Reference.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert media.sweep() == 1


def test_nothing_is_swept_by_age_right_after_the_clock_jumped(
    ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUNS_DAYS = 1
    housekeeping._last.clear()
    housekeeping.sweep()
    aged(make(ada), 2)
    now = housekeeping.time.time()
    monkeypatch.setattr(housekeeping.time, "time", lambda: now + 86_400)
    assert housekeeping.sweep() == 0
    assert housekeeping.sweep() == 1


def test_past_the_size_the_oldest_go(ada: User, other: User, settings: Any) -> None:
    settings.RUNS_BYTES = 1000
    runs = [aged(make(ada, kept_bytes=400), day) for day in range(4)]
    theirs = aged(make(other, kept_bytes=900), 5)
    assert housekeeping.sweep() == 2
    assert set(Run.objects.values_list("pk", flat=True)) == {runs[0].pk, runs[1].pk, theirs.pk}


def test_a_file_counts_once_and_with_the_newest_run(ada: User, settings: Any) -> None:
    settings.RUNS_BYTES = 1500
    newest, older, oldest = (aged(make(ada, kept_bytes=10), day) for day in range(3))
    for run in (newest, older):
        kept_file(run, "x.txt", b"x" * 1000)
    kept_file(oldest, "y.txt", b"y" * 1000)
    assert housekeeping.sweep() == 1
    assert set(Run.objects.values_list("pk", flat=True)) == {newest.pk, older.pk}


def test_the_newest_run_stays_however_large(ada: User, settings: Any) -> None:
    settings.RUNS_BYTES = 10
    make(ada, kept_bytes=5000)
    assert housekeeping.sweep() == 0
