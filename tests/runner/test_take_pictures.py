"""Pictures, sound and text given as bytes or by address."""

from __future__ import annotations

import http.server
import io
import struct
import threading
import zlib
from typing import TYPE_CHECKING

import PIL.Image
import pytest

from playground.protocol import errors
from playground.protocol.errors import InputError
from playground.protocol.values import Image, NamedFields, Text
from playground.runner.server import Limits
from playground.runner.testing import running
from tests.runner.calling import Caller, Conversation, calling
from tests.runner.kinds import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    with io.BytesIO() as file:
        PIL.Image.effect_noise(size, 60).convert("RGB").save(file, kind)
        return file.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 50,000 by 50,000."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("method", ["measure", "measure_async"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture_arrives_as_its_author_asked(kinds: Caller, method: str, kind: str) -> None:
    assert kinds.predict(method, image=Image(bytes=picture(kind))) == [40, 30]


def test_each_picture_of_a_stream_is_opened(kinds: Caller) -> None:
    talk = Conversation(kinds, "measure_each")
    talk.say(Image(bytes=picture(size=(7, 5))))
    assert talk.hear() == 7
    talk.say(Image(bytes=b"no picture"))
    assert '"image"' in next(talk.replies).status.description
    talk.end()


@pytest.mark.parametrize("method", ["measure", "measure_async", "weigh"])
@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\xff\xd8\xff\xe0 cut", bomb()])
def test_bytes_that_are_no_picture_are_refused_by_name(kinds: Caller, method: str, content: bytes) -> None:
    error = errors.from_status(kinds.status(method, image=Image(bytes=content)))
    assert isinstance(error, InputError)
    assert 'argument "image"' in error.message


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_truncated_picture_is_refused_before_the_model(kinds: Caller, kind: str) -> None:
    content = picture(kind, (400, 300))
    error = errors.from_status(kinds.status("measure", image=Image(bytes=content[: len(content) // 2])))
    assert isinstance(error, InputError)
    assert "whole picture" in error.message


def test_pictures_inside_lists_are_checked(kinds: Caller) -> None:
    images = [Image(bytes=picture()), Image(bytes=b"x")]
    assert isinstance(errors.from_status(kinds.status("weigh_all", images=images)), InputError)


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = {"/a.png": picture(), "/t.txt": "grüße".encode(), "/b.txt": b"\xff"}.get(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/secrets")
            self.end_headers()
            return
        self.send_response(200 if content is not None else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def open_kinds() -> Iterator[Caller]:
    """A runner that may reach this machine's own addresses."""
    with running(Kinds, limits=Limits(fetch_allow=("127.0.0.0/8",))) as address, calling(address) as caller:
        yield caller


def test_an_address_is_fetched_before_the_model_sees_it(open_kinds: Caller, site: str) -> None:
    assert open_kinds.predict("measure", image=Image(url=f"{site}/a.png")) == [40, 30]
    assert open_kinds.predict("measure_async", image=Image(url=f"{site}/a.png")) == [40, 30]
    assert open_kinds.predict("read", text=Text("", url=f"{site}/t.txt")) == "grüße"


def test_addresses_inside_lists_and_fields_are_fetched(open_kinds: Caller, site: str) -> None:
    images = [Image(url=f"{site}/a.png"), Image(bytes=picture())]
    assert all(open_kinds.predict("weigh_all", images=images))
    pair = NamedFields(image=Image(url=f"{site}/a.png"), note=Text("", url=f"{site}/t.txt"))
    assert open_kinds.predict("weigh_pair", pair=pair).endswith(" grüße")


@pytest.mark.parametrize("path", ["/missing", "/away", "/t.txt"])
def test_an_address_that_leads_nowhere_good_is_refused_by_name(open_kinds: Caller, site: str, path: str) -> None:
    error = errors.from_status(open_kinds.status("measure", image=Image(url=site + path)))
    assert isinstance(error, InputError)
    assert 'argument "image"' in error.message


def test_text_that_is_not_utf8_is_refused(open_kinds: Caller, site: str) -> None:
    assert "UTF-8" in open_kinds.status("read", text=Text("", url=f"{site}/b.txt")).description


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://127.0.0.1:1/", "http://169.254.169.254/", "ftp://x/"]
)
def test_private_addresses_and_files_are_out_of_reach(kinds: Caller, address: str) -> None:
    error = errors.from_status(kinds.status("weigh", image=Image(url=address)))
    assert isinstance(error, InputError)
    assert 'argument "image"' in error.message
