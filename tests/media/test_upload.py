"""Uploads come in parts, pause, go on, and end as a reference; or are refused in words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from playground.catalog.models import User
from playground.media import blobs, services
from playground.media.models import Blob, Reference, Upload
from tests.media.conftest import picture

JSON = "application/json"


def begin(browser: Client, size: int, name: str = "cat.png", **more: Any) -> Any:
    return browser.post(reverse("media:uploads"), {"name": name, "size": size, **more}, content_type=JSON)


def put(browser: Client, upload_id: str, offset: int, data: bytes) -> Any:
    return browser.put(reverse("media:part", args=[upload_id, offset]), data, content_type="application/octet-stream")


def finish(browser: Client, upload_id: str, **body: Any) -> Any:
    return browser.post(reverse("media:finish", args=[upload_id]), body, content_type=JSON)


def upload(browser: Client, data: bytes, **more: Any) -> Any:
    upload_id = begin(browser, len(data), **more).json()["id"]
    assert put(browser, upload_id, 0, data).status_code == 200
    return finish(browser, upload_id, **{name: more[name] for name in more if name == "expect"})


def test_parts_are_put_together_and_bytes_kept_once(browser: Client) -> None:
    data = picture(300, 200)
    upload_id = begin(browser, len(data)).json()["id"]
    half = len(data) // 2
    assert put(browser, upload_id, 0, data[:half]).json() == {"received": half}
    assert browser.get(reverse("media:upload", args=[upload_id])).json()["received"] == half
    assert browser.head(reverse("media:upload", args=[upload_id]))["Upload-Offset"] == str(half)
    put(browser, upload_id, half, data[half:])
    answer = finish(browser, upload_id).json()
    assert (answer["content_type"], answer["width"], answer["height"]) == ("image/png", 300, 200)
    assert upload(browser, data).json()["id"] != answer["id"]
    assert Blob.objects.count() == 1
    assert Upload.objects.count() == 0
    assert blobs.path_of(Blob.objects.get().pk).read_bytes() == data


def test_a_part_sent_twice_is_told_where_to_go_on(browser: Client) -> None:
    upload_id = begin(browser, 10).json()["id"]
    put(browser, upload_id, 0, b"12345")
    again = put(browser, upload_id, 0, b"12345")
    assert again.status_code == 409
    assert again.json()["received"] == 5


def test_more_than_announced_is_refused(browser: Client) -> None:
    upload_id = begin(browser, 4).json()["id"]
    assert put(browser, upload_id, 0, b"12345").status_code == 400


def test_an_unfinished_upload_cannot_be_finished(browser: Client) -> None:
    upload_id = begin(browser, 4).json()["id"]
    put(browser, upload_id, 0, b"12")
    assert finish(browser, upload_id).status_code == 409


def test_two_hundred_megabytes_are_refused_before_a_byte_is_sent(browser: Client) -> None:
    answer = begin(browser, 200 * 2**20)
    assert answer.status_code == 400
    assert "at most 100 MB" in answer.json()["error"]["message"]
    assert begin(browser, 50 * 2**20, expect="image").status_code == 400
    assert not Upload.objects.exists()


@pytest.mark.parametrize("size", [0, -1, "5", True, None, 1.5])
def test_a_size_that_is_none_is_refused(browser: Client, size: Any) -> None:
    assert begin(browser, size).status_code == 400


def test_a_broken_picture_is_refused_and_gone(browser: Client) -> None:
    answer = upload(browser, picture(200, 200)[:-500])
    assert answer.status_code == 400
    assert "damaged" in answer.json()["error"]["message"]
    assert not Reference.objects.exists()
    assert not Upload.objects.exists()


def test_words_are_no_picture(browser: Client) -> None:
    answer = upload(browser, b"just words", name="cat.png", expect="image")
    assert answer.status_code == 400
    assert "is no picture" in answer.json()["error"]["message"]


def test_garbage_is_refused(browser: Client) -> None:
    assert browser.post(reverse("media:uploads"), b"{", content_type=JSON).status_code == 400
    assert browser.post(reverse("media:uploads"), b"[1]", content_type=JSON).status_code == 400


def test_a_stranger_finds_no_upload(browser: Client, stranger: User) -> None:
    upload_id = begin(browser, 4).json()["id"]
    other = Client()
    assert put(other, upload_id, 0, b"1234").status_code == 403
    other.force_login(stranger)
    assert put(other, upload_id, 0, b"1234").status_code == 404
    assert finish(other, upload_id).status_code == 404


def test_uploads_need_the_page_s_own_form_token(ada: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert begin(strict, 4).status_code == 403


def test_a_name_has_no_folders(browser: Client) -> None:
    assert upload(browser, b"words", name="../../etc/pass\nwd").json()["name"] == "pass wd"
    name = "emoji \U0001f3f3\ufe0f\u200d\U0001f308\u3000wide\u202eevil\u2028.txt"
    assert (
        upload(browser, b"others", name=name).json()["name"]
        == "emoji \U0001f3f3\ufe0f\u200d\U0001f308\u3000wideevil.txt"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_in_words(browser: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = begin(browser, 4).json()["id"]
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(blobs, "upload_path", lambda _: full)
    answer = put(browser, upload_id, 0, b"1234")
    assert (answer.status_code, "disk is full" in answer.json()["error"]["message"]) == (507, True)


def test_an_upload_can_be_given_up(browser: Client) -> None:
    upload_id = begin(browser, 4).json()["id"]
    put(browser, upload_id, 0, b"12")
    assert browser.delete(reverse("media:upload", args=[upload_id])).status_code == 204
    assert not blobs.upload_path(upload_id).exists()


def test_the_sweep_takes_what_nobody_uses(browser: Client, ada: User) -> None:
    begin(browser, 4)
    unused, kept = services.store(b"unused", ada), services.store(b"kept", ada, is_kept=True)
    shared = services.store(b"kept", ada)
    assert services.sweep() == 0
    assert services.sweep(unused_for=timedelta(0)) == 1
    assert list(Reference.objects.all()) == [kept]
    assert not blobs.path_of(unused.blob_id).exists()
    assert blobs.path_of(shared.blob_id).exists()
    assert not Upload.objects.exists()


def test_the_sweep_takes_bytes_without_a_row(ada: User) -> None:
    """As a process leaves them that is killed between the two."""
    kept = services.store(b"kept", ada, is_kept=True)
    strays = [
        blobs.path_of("ab" * 32),
        blobs.path_of("ab" * 32, "thumbnail"),
        blobs.path_of(kept.blob_id[:2] + "cd" * 31),
    ]
    for path in strays:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"stray")
    services.sweep()
    assert all(path.exists() for path in strays)
    services.sweep(unused_for=timedelta(seconds=-1))
    assert not any(path.exists() for path in strays)
    assert blobs.path_of(kept.blob_id).exists()


def test_samples_are_made_once_and_are_for_everyone(browser: Client, stranger: User) -> None:
    first = services.ensure_samples()
    assert [sample.pk for sample in services.ensure_samples()] == [sample.pk for sample in first]
    assert len(first) == 5
    assert services.find(stranger, first[0].pk).width
