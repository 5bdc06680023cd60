"""Bytes of inputs go out behind signed, short-lived addresses alone, and never run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from inputs import addresses, services
from inputs.pictures import ensure_preview
from playground.catalog.models import Membership
from playground.media import blobs
from playground.protocol.errors import InputError
from tests.inputs.conftest import browser_of
from tests.inputs.making import encoded, image, jpeg, sound, stored, turned

if TYPE_CHECKING:
    from pathlib import Path

    from inputs.models import Input
    from playground.catalog.models import App, User


@pytest.fixture
def cup(ada: User, app: App) -> Input:
    return services.add_input(ada, app, data=turned(6), name="cup.jpg")


def test_a_picture_is_there_small_large_and_as_it_was(ada: User, cup: Input) -> None:
    browser = browser_of(ada)
    small = browser.get(addresses.thumbnail(ada, cup))
    large = browser.get(addresses.preview(ada, cup))
    whole = browser.get(addresses.original(ada, cup))
    assert [one["Content-Type"] for one in (small, large, whole)] == ["image/webp", "image/webp", "image/jpeg"]
    assert whole.content == stored(cup)
    assert large.content == stored(cup, "preview")
    for one in (small, large, whole):
        assert one["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert one["X-Content-Type-Options"] == "nosniff"
        assert one["Content-Disposition"].startswith("inline")
        assert one["Cross-Origin-Resource-Policy"] == "same-origin"
        kept = one["Cache-Control"].split("max-age=")[1].split(",")[0]
        assert 3600 <= int(kept) <= 7200
    cup.refresh_from_db()
    assert cup.has_preview
    saved = browser.get(f"{addresses.original(ada, cup)}?save")
    assert saved["Content-Disposition"] == 'attachment; filename="cup.jpg"'
    tag = small["ETag"]
    assert browser.get(addresses.thumbnail(ada, cup), headers={"If-None-Match": tag}).status_code == 304
    part = browser.get(addresses.original(ada, cup), headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)


def test_an_address_is_for_whom_it_was_made(ada: User, cup: Input, viewer: User, stranger: User) -> None:
    hers, theirs = addresses.original(ada, cup), addresses.original(viewer, cup)
    assert browser_of(viewer).get(theirs).status_code == 200
    for user, address in (
        (viewer, hers),
        (stranger, hers),
        (ada, theirs),
        (stranger, addresses.original(stranger, cup)),
    ):
        assert browser_of(user).get(address).status_code == 404
    for address in (
        hers,
        theirs,
        hers.replace("~", "~x"),
        "/inputs/files/1-1-1-0/original",
        "/inputs/files/~/original",
    ):
        assert Client().get(address).status_code == 404


def test_an_address_ends_and_leads_its_own_user_on(
    ada: User, cup: Input, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, program = addresses.original(ada, cup), addresses.for_program(ada, cup)
    later = time.time() + 3 * 3600
    monkeypatch.setattr("inputs.addresses.time.time", lambda: later)
    answer = browser_of(ada).get(f"{address}?save")
    assert answer.status_code == 302
    assert answer["Location"] == f"{addresses.original(ada, cup)}?save"
    assert browser_of(ada).get(answer["Location"]).status_code == 200
    assert browser_of(viewer).get(address).status_code == 404
    assert Client().get(program).status_code == 404


def test_a_program_follows_its_address_without_a_session(ada: User, cup: Input) -> None:
    for name in ("original", "thumbnail", "preview"):
        assert Client().get(addresses.for_program(ada, cup, name)).status_code == 200


def test_who_lost_their_role_or_account_sees_nothing_any_more(cup: Input, viewer: User) -> None:
    browser, address = browser_of(viewer), addresses.original(viewer, cup)
    program = addresses.for_program(viewer, cup)
    Membership.objects.filter(user=viewer).delete()
    assert browser.get(address).status_code == Client().get(program).status_code == 404


def test_a_deleted_input_is_not_served(ada: User, cup: Input) -> None:
    address = addresses.thumbnail(ada, cup)
    token = services.delete_inputs(ada, [cup])
    assert browser_of(ada).get(address).status_code == 404
    services.restore_inputs(ada, token)
    assert browser_of(ada).get(address).status_code == 200


@pytest.mark.parametrize(
    "data", [b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"]
)
def test_what_could_run_is_only_saved(ada: User, app: App, data: bytes) -> None:
    row = services.add_input(ada, app, data=data, name="page.html")
    answer = browser_of(ada).get(addresses.original(ada, row))
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert addresses.thumbnail(ada, row) == addresses.preview(ada, row) == ""
    assert Client().get(addresses.for_program(ada, row, "thumbnail")).status_code == 404


def test_a_preview_is_made_once_and_again_when_it_is_lost(ada: User, app: App) -> None:
    from PIL import Image

    row = services.add_input(ada, app, data=encoded(image(5000, 100), "PNG"))
    assert row.reference is not None
    assert not blobs.exists(row.reference.blob_id, "preview")
    ensure_preview(row)
    with Image.open(blobs.path_of(row.reference.blob_id, "preview")) as large:
        assert large.size == (2048, 41)
    blobs.path_of(row.reference.blob_id, "preview").unlink()
    row.refresh_from_db()
    assert browser_of(ada).get(addresses.preview(ada, row)).status_code == 200


def test_a_preview_is_seen_also_when_the_disk_is_full(ada: User, cup: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    assert cup.reference is not None
    monkeypatch.setattr("playground.media.storage.shutil.copyfileobj", full)
    answer = browser_of(ada).get(addresses.preview(ada, cup))
    assert (answer.status_code, answer["Content-Type"], answer.content[8:12]) == (200, "image/webp", b"WEBP")
    assert not blobs.exists(cup.reference.blob_id, "preview")


def test_bytes_that_are_gone_are_told(ada: User, cup: Input) -> None:
    assert cup.reference is not None
    blobs.delete(cup.reference.blob_id)
    for address in (addresses.thumbnail(ada, cup), addresses.preview(ada, cup), addresses.original(ada, cup)):
        assert browser_of(ada).get(address).status_code == 404


def test_a_sound_shows_its_course(ada: User, app: App) -> None:
    row = services.add_input(ada, app, data=sound())
    assert browser_of(ada).get(addresses.preview(ada, row)).content == stored(row, "thumbnail")


# -- other storages, other fates --


def test_files_lie_in_any_storage(ada: User, app: App, settings: object, tmp_path: Path) -> None:
    """One that is no folder, as object stores are none."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"media": memory}  # type: ignore[attr-defined]
    row = services.add_input(ada, app, data=jpeg(1, 300, 200))
    assert not (tmp_path / "media" / stored(row).hex()[:2]).exists()
    browser = browser_of(ada)
    for address in (addresses.thumbnail(ada, row), addresses.preview(ada, row), addresses.original(ada, row)):
        assert browser.get(address).status_code == 200
    assert row.reference is not None
    again = services.add_input(ada, app, reference=row.reference, on_duplicate="keep")
    assert (again.width, again.height) == (300, 200)
    services.delete_inputs(ada, [row, again])
    services.purge(at_once=True)
    assert not blobs.exists(row.reference.blob_id)


def test_one_that_breaks_down_takes_nobody_along(ada: User, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that looks into pictures is ended while it waits, and while it works."""
    from inputs.pictures import Painters, painters

    services.add_input(ada, app, data=jpeg(1))
    for painter in painters._idle:
        painter.process.kill()
        painter.process.wait()
    services.add_input(ada, app, data=jpeg(2))
    slow = Painters(1)
    monkeypatch.setattr("inputs.pictures.painters", slow)
    monkeypatch.setattr("inputs.pictures.PATIENCE_S", 0.0)
    with pytest.raises(InputError, match="took longer than"):
        services.add_input(ada, app, data=jpeg(3))
    assert slow._idle == []
    monkeypatch.setattr("inputs.pictures.PATIENCE_S", 60.0)
    services.add_input(ada, app, data=jpeg(3))
    slow.close()
