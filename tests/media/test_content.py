"""Stored bytes are served for whom they are visible to, and never run."""

from __future__ import annotations

import pytest
from django.test import AsyncClient, Client

from playground.catalog.models import User
from playground.media import services
from tests.media.conftest import picture


def test_a_picture_is_shown_in_place_and_kept_by_the_browser(browser: Client, ada: User) -> None:
    data = picture()
    answer = browser.get(services.store(data, ada, "cat.png").get_absolute_url())
    assert answer.content == data
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("data", [b"<script>alert(1)</script>", b"<svg onload='alert(1)'/>", b"\xfe\xfa\0"])
def test_what_could_run_is_only_saved(browser: Client, ada: User, data: bytes) -> None:
    answer = browser.get(services.store(data, ada, "page.html").get_absolute_url())
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] in {"text/plain; charset=utf-8", "application/octet-stream"}


def test_others_find_nothing(ada: User, stranger: User) -> None:
    address = services.store(b"secret", ada).get_absolute_url()
    other = Client()
    assert other.get(address).status_code == 404
    other.force_login(stranger)
    assert other.get(address).status_code == 404


@pytest.mark.parametrize(
    ("asked", "content", "span"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
        ("bytes=0-", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_ranges(browser: Client, ada: User, asked: str, content: bytes, span: str) -> None:
    answer = browser.get(services.store(b"0123456789", ada).get_absolute_url(), headers={"Range": asked})
    assert (answer.status_code, answer.content, answer["Content-Range"]) == (206, content, span)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=5-2", "bytes=-0"])
def test_a_range_outside_is_refused(browser: Client, ada: User, asked: str) -> None:
    answer = browser.get(services.store(b"0123456789", ada).get_absolute_url(), headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")


@pytest.mark.parametrize(
    "asked", ["bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=-" + "9" * 5000], ids=["none", "lines", "two", "huge"]
)
def test_a_range_that_we_do_not_follow_gives_all(browser: Client, ada: User, asked: str) -> None:
    answer = browser.get(services.store(b"0123456789", ada).get_absolute_url(), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_what_the_browser_has_is_not_sent_again(browser: Client, ada: User) -> None:
    address = services.store(b"0123456789", ada).get_absolute_url()
    tag = browser.get(address)["ETag"]
    assert browser.get(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.django_db(transaction=True)
async def test_a_large_file_is_streamed() -> None:
    from asgiref.sync import sync_to_async

    user = await User.objects.acreate(username="ada")
    data = bytes(range(256)) * 8192
    reference = await sync_to_async(services.store)(data, user)
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(reference.get_absolute_url())
    assert b"".join([piece async for piece in answer.streaming_content]) == data
