"""Inputs given by address: fetched behind the fence, told as they wait, and what went wrong is told in words."""

from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from inputs import services
from inputs.models import AddJob, Input, Status
from inputs.queries import Filter, count, total
from inputs.services import DuplicateError, Given, fetching
from playground.protocol.errors import InputError
from tests.inputs.making import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.catalog.models import App, User


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = {"/cup.jpg": jpeg(1), "/words.txt": "Grüße".encode(), "/nothing": b""}.get(self.path.split("?")[0])
        self.send_response(200 if content is not None else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def site(settings: Any) -> Iterator[str]:
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address_becomes_an_input(ada: User, app: App, site: str) -> None:
    row = services.add_input(ada, app, url=f"{site}/cup.jpg?size=large", concepts=["cup"], wait=True)
    assert (row.status, row.kind, row.name, row.width) == (Status.READY, "image", "cup.jpg", 64)
    assert row.source_url == f"{site}/cup.jpg?size=large"
    assert count(ada, app, Filter(concepts=("cup",), words="cup")) == 1


def test_while_it_waits_its_kind_is_as_was_said_and_then_as_it_is(ada: User, app: App, site: str) -> None:
    row = services.add_input(ada, app, url=f"{site}/words.txt", kind="image")
    assert (row.status, row.reference, row.is_under_way) == (Status.WAITING, None, True)
    assert count(ada, app, Filter(types=("image",))) == 1
    services.fetch(row.pk)
    services.fetch(row.pk)  # a second does nothing
    row.refresh_from_db()
    assert (row.kind, row.status, total(app)) == ("text", Status.READY, 1)
    assert count(ada, app, Filter(types=("text",))) == 1
    assert count(ada, app, Filter(words="grüße")) == 1


def test_what_went_wrong_is_told(ada: User, app: App, site: str, settings: Any) -> None:
    gone = services.add_input(ada, app, url=f"{site}/gone.jpg", wait=True)
    assert gone.status == Status.FAILED
    assert "the server answered 404" in gone.status_words
    empty = services.add_input(ada, app, url=f"{site}/nothing", wait=True)
    assert empty.status_words == "nothing is empty."
    settings.FETCH_ALLOW = ()
    fenced = services.add_input(ada, app, url=f"{site}/cup.jpg", wait=True)
    assert "private or reserved network" in fenced.status_words


def test_nothing_that_goes_wrong_leaves_it_waiting(
    ada: User, app: App, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or an upload of many would never be done, and it would be fetched again and again."""

    def looked_into(given: Given) -> None:
        raise RuntimeError(given.name)

    monkeypatch.setattr(fetching, "looked_into", looked_into)
    (row,) = services.add_inputs(ada, app, [Given(url=f"{site}/cup.jpg")], job="many")
    assert isinstance(row, Input)
    with pytest.raises(RuntimeError, match=r"cup\.jpg"):
        services.fetch(row.pk)
    row.refresh_from_db()
    assert (row.status, "only the log" in row.status_words) == (Status.FAILED, True)
    job = AddJob.objects.get(app=app, slug="many")
    assert (job.pending, job.failed) == (0, 1)


def test_a_password_in_an_address_is_not_kept(ada: User, app: App) -> None:
    for url in ("https://ada:secret@example.com/cup.jpg", "HTTP://ada@example.com", "http://a\\@example.com"):
        with pytest.raises(InputError, match="user name or password") as raised:
            services.add_input(ada, app, url=url)
        assert "secret" not in raised.value.message
    assert not Input.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/b",
        "/etc/passwd",
        "",
        "http://" + "x" * 5000,
        "http://",
        "https:///a",
        "http://no where/a",
    ],
)
def test_only_the_web_is_fetched_from(ada: User, app: App, url: str) -> None:
    with pytest.raises(InputError, match=r"An address (begins with|names a host)"):
        services.add_input(ada, app, url=url)
    assert not Input.objects.exists()


def test_the_same_address_is_not_fetched_twice(ada: User, app: App, site: str) -> None:
    services.add_input(ada, app, url=f"{site}/cup.jpg")
    with pytest.raises(DuplicateError, match="the same address"):
        services.add_input(ada, app, url=f"{site}/cup.jpg")


def test_an_upload_of_many_knows_when_it_is_done(ada: User, app: App, site: str) -> None:
    given = [Given(url=f"{site}/cup.jpg"), Given(url=f"{site}/gone.jpg"), Given(text="here"), Given(data=b"\0")]
    made = services.add_inputs(ada, app, given, job="batch")
    job = AddJob.objects.get(slug="batch")
    assert (job.pending, job.succeeded, job.failed) == (2, 1, 1)
    for row in made[:2]:
        assert isinstance(row, Input)
        services.fetch(row.pk)
    job.refresh_from_db()
    assert (job.pending, job.succeeded, job.failed) == (0, 2, 2)


def test_deleted_while_it_was_fetched_it_stays_deleted(
    ada: User, app: App, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = services.add_input(ada, app, url=f"{site}/cup.jpg")
    download = fetching._download

    def delete_meanwhile(*given: Any) -> str:
        services.delete_inputs(ada, [row])
        return download(*given)

    monkeypatch.setattr(fetching, "_download", delete_meanwhile)
    services.fetch(row.pk)
    row.refresh_from_db()
    assert row.deleted_at is not None
    assert (row.reference, total(app)) == (None, 0)


@pytest.mark.django_db(transaction=True)
def test_the_background_fetches_by_itself_also_what_a_process_left(ada: User, app: App, site: str) -> None:
    row = services.add_input(ada, app, url=f"{site}/cup.jpg")
    until(lambda: Input.objects.get(pk=row.pk).is_ready)
    left = services.add_input(ada, app, text="left behind")
    long_ago = timezone.now() - timedelta(minutes=6)
    address = f"{site}/words.txt"
    Input.objects.filter(pk=left.pk).update(status=Status.DOWNLOADING, modified_at=long_ago, source_url=address)
    services.sweep()
    until(lambda: Input.objects.get(pk=left.pk).is_ready)


def until(is_so: Any) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if is_so():
            return
        pause.wait(0.02)
    raise AssertionError("it never came to be")
