"""Bytes that are no picture, half of one, or far too much of one: refused by pages and by programs, in words."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image as Pictures

from playground.sdk import Image, InputError, ModelError
from tests.live import Stack
from tests.stack.conftest import Person
from tests.stack.page import Page, outputs
from tests.stack.test_refuse_calls import troubled

MB = 2**20


def png(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Pictures.effect_noise((width, height), 50).save(file, "PNG")
    return file.getvalue()


def bomb() -> bytes:
    """A small file that says it holds 900 million pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    size = (30_000).to_bytes(4, "big")
    header = chunk(b"IHDR", size + size + bytes([8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10 * MB))) + chunk(b"IEND", b"")


def truncated() -> bytes:
    return png()[:-1000]


def odd_jpeg() -> bytes:
    return b"\xff\xd8\xff\xe0" + bytes(200)


NO_PICTURES = {
    "text": (b"this is no picture", "no picture"),
    "nothing but zeros": (bytes(1000), "no picture"),
    "jpeg in name alone": (odd_jpeg(), "damaged"),
    "truncated": (truncated(), "cut off"),
    "bomb": (bomb(), "too many pixels"),
}


def upload(person: Person, content: bytes, *, expect: str = "image", size: int | None = None) -> tuple[int, str]:
    """The status and words that an upload ends with; the file's id where it is taken."""
    announced = {"name": "it.png", "size": len(content) if size is None else size, "expect": expect}
    answer = person.browser.post("/media/uploads/", json=announced)
    if answer.status_code == 201:
        address = answer.json()["url"]
        answer = person.browser.put(f"{address}/0", content=content)
        if answer.status_code == 200:
            answer = person.browser.post(f"{address}/finish", json={"expect": expect})
    said = answer.json()
    if "error" in said:
        assert said["error"]["request_id"] == answer.headers["X-Request-ID"]
        return answer.status_code, said["error"]["message"]
    return answer.status_code, said["id"]


def test_a_picture_is_taken_and_seen(owner: Person, page: Page) -> None:
    status, media = upload(owner, png())
    assert status == 201
    assert outputs(page.events(page.start("look", image={"media": media}))) == ["64 x 48"]


@pytest.mark.parametrize("name", NO_PICTURES)
def test_an_upload_that_is_no_picture_is_refused(owner: Person, name: str) -> None:
    content, words = NO_PICTURES[name]
    status, said = upload(owner, content)
    assert status == 400
    assert words in said


def test_a_file_that_is_no_picture_reaches_no_model(owner: Person, page: Page) -> None:
    status, media = upload(owner, b"this is no picture", expect="")
    assert status == 201
    page.start("look", image={"media": media})
    error = page.refusal()
    assert (error["name"], error["field"]) == ("InputError", "image")
    assert "no picture" in error["message"]


def test_200_mb_are_refused_before_a_byte_is_sent(owner: Person) -> None:
    status, said = upload(owner, b"", size=200 * MB, expect="")
    assert status == 400
    assert said == "A file may have at most 100 MB; this one has 200 MB. Nothing was sent."


def test_more_than_was_announced_is_refused(owner: Person) -> None:
    status, said = upload(owner, bytes(2 * MB), size=MB, expect="")
    assert status == 400
    assert "announced" in said


def test_a_part_past_the_limit_is_refused(owner: Person) -> None:
    announced = owner.browser.post("/media/uploads/", json={"name": "it", "size": 20 * MB}).json()
    assert owner.browser.put(f"{announced['url']}/0", content=bytes(5 * MB)).status_code == 413


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_programs_send_is_checked_by_the_runner(owner: Person, name: str) -> None:
    with pytest.raises(InputError) as caught:
        troubled(owner).decoded(image=Image(bytes=NO_PICTURES[name][0]))
    assert caught.value.argument == "image"
    assert caught.value.call_id


def test_a_model_that_decodes_by_itself_tells_of_half_a_picture(owner: Person) -> None:
    with pytest.raises(ModelError, match="truncated"):
        troubled(owner).look(image=Image(bytes=truncated()))


def test_a_message_past_the_limit_of_the_api_is_refused_at_once(owner: Person) -> None:
    with pytest.raises(InputError) as caught:
        troubled(owner).predict(text="x" * (130 * MB))
    assert "too large" in caught.value.message


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://127.0.0.1:1/x.png", "http://169.254.169.254/latest", "ftp://example.com/x"],
)
def test_an_address_of_ours_is_not_fetched(owner: Person, address: str) -> None:
    with pytest.raises(InputError) as caught:
        troubled(owner).look(image=Image(url=address))
    assert "fetched" in caught.value.message
    assert "root:" not in caught.value.message


def test_the_product_is_well_after_all_that(stack: Stack, owner: Person) -> None:
    assert owner.browser.get("/readyz").status_code == 200
    assert troubled(owner).predict("x") == "calm: x"
