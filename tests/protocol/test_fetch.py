"""What the fence lets through, and what it does not."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from playground.protocol.errors import InputError
from playground.protocol.fetch import Fence

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
Answer = Callable[[socket.socket, bytes], None]


class Server:
    """Answers each connection on a free port by a function of its path; counts the connections."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.port = self.listener.getsockname()[1]
        self.answers: dict[str, Answer] = {}
        self.requests: list[bytes] = []
        self.threads: list[threading.Thread] = []
        self.is_closed = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.is_closed.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self.answer, args=(connection,))
            thread.start()
            self.threads.append(thread)

    def answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = connection.recv(65536)
            self.requests.append(request)
            path = request.split(b" ")[1].decode() if b" " in request else ""
            self.answers.get(path, not_found)(connection, request)

    def says(self, path: str, body: bytes = b"", status: str = "200 OK", **headers: str) -> str:
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
        self.answers[path] = lambda connection, request: connection.sendall(head + body)
        return self.address + path

    def close(self) -> None:
        self.is_closed.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self.thread.join()
        self.listener.close()
        for thread in self.threads:
            thread.join()


def not_found(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def fence() -> Fence:
    return Fence(allow=LOOPBACK, max_bytes=100_000, timeout=5)


def test_an_allowed_address_is_fetched(server: Server, fence: Fence) -> None:
    url = server.says("/cat?size=1", b"meow", Content_Type="image/PNG; charset=x")
    fetched = fence.fetch(url + "#part")
    assert (fetched.content, fetched.content_type, fetched.url) == (b"meow", "image/png", url)
    request = server.requests[0].decode().lower()
    assert f"host: 127.0.0.1:{server.port}\r\n" in request
    assert "authorization" not in request
    assert "cookie" not in request


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "localhost",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a00:1]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2001:db8::1]",
    ],
)
def test_private_and_reserved_addresses_are_refused(host: str) -> None:
    fence = Fence(timeout=5)
    for act in (fence.check, fence.fetch):
        with pytest.raises(InputError, match=r"private or reserved network|not known"):
            act(f"http://{host}/latest/meta-data")


def test_nothing_reaches_a_refused_address(server: Server) -> None:
    url = server.says("/secret", b"secret")
    with pytest.raises(InputError, match="private or reserved"):
        Fence().fetch(url)
    assert not server.requests


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_pass(address: str) -> None:
    assert Fence().permits(ipaddress.ip_address(address))


def test_an_allowed_network_covers_its_mapped_form() -> None:
    fence = Fence(allow=LOOPBACK)
    assert fence.permits(ipaddress.ip_address("::ffff:127.0.0.1"))
    assert not fence.permits(ipaddress.ip_address("::ffff:10.0.0.1"))


def resolver(answers: dict[str, list[list[str]]]) -> Callable[..., Any]:
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host not in answers:
            return real(host, port, *args, **kwargs)
        addresses = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return look_up


def test_a_name_that_leads_inside_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"cats.example": [["127.0.0.1"]]}))
    with pytest.raises(InputError, match="private or reserved"):
        Fence().fetch(f"http://cats.example:{server.port}/")
    assert not server.requests


def test_a_name_that_changes_its_mind_is_connected_where_it_was_checked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says("/", b"ok")
    answers = {"cats.example": [["127.0.0.1"], ["10.0.0.1"]]}
    monkeypatch.setattr(socket, "getaddrinfo", resolver(answers))
    assert Fence(allow=LOOPBACK, timeout=5).fetch(f"http://cats.example:{server.port}/").content == b"ok"
    assert f"Host: cats.example:{server.port}".encode() in server.requests[0]


def test_of_several_addresses_only_the_public_are_tried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"cats.example": [["10.0.0.1", "127.0.0.1"]]}))
    fence = Fence(allow=LOOPBACK, timeout=5)
    assert fence.addresses("cats.example", server.port, time.monotonic() + 5) == ["127.0.0.1"]


def test_a_slow_resolver_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def look_up(*args: Any, **kwargs: Any) -> Any:
        release.wait(10)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(InputError, match="not resolved in time"):
        Fence(timeout=0.1).fetch("http://cats.example/")
    release.set()


def test_an_unknown_name_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(InputError, match="its name is not known"):
        Fence().check("http://no-such-cats.example/")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("/etc/passwd", "only http and https"),
        ("ftp://example.com/a", "only http and https"),
        ("data:text/plain,hi", "only http and https"),
        ("gopher://example.com/", "only http and https"),
        ("http://user:word@example.com/", "user name or password"),
        ("http://user@example.com/", "user name or password"),
        ("http:///path", "names no host"),
        ("http://[::1", "not an address"),
        ("http://xn--a.com/", "not an address"),
        ("http://example.com:99999/", "port 99999"),
        ("http://exa mple.com/", "not known"),
        ("", "only http and https"),
    ],
)
def test_other_addresses_are_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Fence(allow=LOOPBACK).check(url)
    with pytest.raises(InputError, match=message):
        Fence(allow=LOOPBACK).fetch(url)


def test_a_redirect_is_followed(server: Server, fence: Fence) -> None:
    server.says("/to", b"there")
    url = server.says("/from", status="302 Found", Location="/to", Content_Length="0")
    assert fence.fetch(url).url == server.address + "/to"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://169.254.169.254/latest", "private or reserved"),
        ("http://10.0.0.1/", "private or reserved"),
        ("http://[::1]/", "private or reserved"),
        ("file:///etc/passwd", "only http and https"),
        ("http://user:word@127.0.0.1/", "user name or password"),
        ("http://[::1", "no address"),
    ],
)
def test_a_redirect_is_checked_again(server: Server, fence: Fence, target: str, message: str) -> None:
    url = server.says("/from", status="301 Moved", Location=target, Content_Length="0")
    with pytest.raises(InputError, match=message):
        fence.fetch(url)


def test_redirects_end(server: Server, fence: Fence) -> None:
    url = server.says("/round", status="307 Again", Location="/round", Content_Length="0")
    with pytest.raises(InputError, match="more than 5 redirects"):
        fence.fetch(url)
    assert len(server.requests) == 6


def test_what_announces_too_much_is_not_read(server: Server, fence: Fence) -> None:
    url = server.says("/big", b"x", Content_Length="100001")
    with pytest.raises(InputError, match="larger than 100,000 bytes"):
        fence.fetch(url)


def test_what_turns_out_too_large_is_cut_off(server: Server, fence: Fence) -> None:
    url = server.says("/big", b"x" * 100_001)
    with pytest.raises(InputError, match="larger than 100,000 bytes"):
        fence.fetch(url)


def test_packed_content_is_unpacked(server: Server, fence: Fence) -> None:
    url = server.says("/packed", gzip.compress(b"meow" * 1000), Content_Encoding="gzip")
    assert fence.fetch(url).content == b"meow" * 1000


def test_a_bomb_is_cut_off_early(server: Server, fence: Fence) -> None:
    url = server.says("/bomb", gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(InputError, match="larger than"):
        fence.fetch(url)


@pytest.mark.parametrize(("encoding", "message"), [("gzip", "encoding is broken"), ("br", "is not supported")])
def test_odd_encodings_are_refused(server: Server, fence: Fence, encoding: str, message: str) -> None:
    url = server.says("/odd", b"this is not it", Content_Encoding=encoding)
    with pytest.raises(InputError, match=message):
        fence.fetch(url)


def dripping(start: bytes) -> Answer:
    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(start)
        for _ in range(50):
            connection.sendall(b"x")
            time.sleep(0.1)

    return answer


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_drip_ends_at_the_deadline(server: Server, start: bytes) -> None:
    server.answers["/drip"] = dripping(start)
    begin = time.monotonic()
    with pytest.raises(InputError, match="took longer than"):
        Fence(allow=LOOPBACK, timeout=0.5).fetch(server.address + "/drip")
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("status", ["404 Not Found", "500 Broken", "304 Same"])
def test_a_failing_answer_is_said_without_the_query(server: Server, fence: Fence, status: str) -> None:
    url = server.says("/x?signature=secret", status=status, Content_Length="0")
    with pytest.raises(InputError, match=f"answered {status[:3]}") as caught:
        fence.fetch(url)
    assert "secret" not in caught.value.message


def test_what_does_not_speak_http_is_refused(server: Server, fence: Fence) -> None:
    server.answers["/x"] = lambda connection, request: connection.sendall(b"220 mail ready\r\n")
    with pytest.raises(InputError, match="cannot be fetched"):
        fence.fetch(server.address + "/x")


def test_a_closed_port_is_refused(fence: Fence) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(InputError, match="cannot be fetched"):
        fence.fetch(f"http://127.0.0.1:{port}/")


def test_no_proxy_of_ours_is_used(server: Server, fence: Fence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert fence.fetch(server.says("/cat", b"meow")).content == b"meow"
