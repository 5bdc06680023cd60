"""Large and endless bodies are refused before anything keeps them."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

from tests.doors.web_process import WebProcess

MB = 2**20


def test_a_claim_of_200_mb_is_refused_at_once(web: WebProcess) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 209715200\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_an_expected_continue_is_refused_without_one(web: WebProcess) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(
            b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 209715200\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_200_mb_that_do_come_are_answered_with_413(web: WebProcess) -> None:
    before = web.resident_bytes
    answer = b""
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 209715200\r\n\r\n")
        try:
            for _ in range(200):
                connection.sendall(bytes(MB))
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert web.resident_bytes - before < 30 * MB


def send_without_end(connection: socket.socket, chunk: bytes) -> None:
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        connection.sendall(chunk)


def test_an_endless_chunked_body_is_cut_off(web: WebProcess) -> None:
    before = web.resident_bytes
    chunk = b"%x\r\n%b\r\n" % (MB, bytes(MB))
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_without_end(connection, chunk)
    assert web.resident_bytes - before < 30 * MB


def test_a_chunked_body_past_the_limit_reads_its_413(web: WebProcess) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            connection.sendall(b"%x\r\n%b\r\n" % (MB, bytes(MB)))
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_within_the_limit_comes_through(web: WebProcess) -> None:
    answer = httpx.post(f"{web.address}/sign-in/", content=bytes(4 * MB), trust_env=False)
    assert answer.status_code == 403  # no CSRF token, but read


def test_chunks_within_the_limit_come_through(web: WebProcess) -> None:
    answer = httpx.post(f"{web.address}/sign-in/", content=iter([b"a" * 1000] * 10), trust_env=False)
    assert answer.status_code == 403


def test_the_web_goes_on_answering(web: WebProcess) -> None:
    assert httpx.get(f"{web.address}/healthz", trust_env=False).text == "ok\n"
