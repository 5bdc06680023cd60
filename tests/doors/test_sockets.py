"""Sockets: whose page may open one, and how large a message may be."""

from __future__ import annotations

import pytest
from django.test import override_settings

from playground.doors.sockets import SocketLimits, is_own_origin


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost:9000", "localhost:8000", False),
        ("http://evil.example", "evil.example", False),
        ("http://evil.example", "127.0.0.1:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("", "127.0.0.1:8000", False),
        ("http://127.0.0.1:8000", "", False),
        ("file://127.0.0.1:8000", "127.0.0.1:8000", False),
    ],
)
def test_only_pages_of_the_host_that_was_asked(origin: str, host: str, is_own: bool) -> None:
    assert is_own_origin(origin, host) is is_own


@override_settings(PUBLIC_ORIGIN="https://models.example", ALLOWED_HOSTS=["models.example", "127.0.0.1"])
def test_the_public_address_is_ours_behind_a_proxy() -> None:
    assert is_own_origin("https://models.example", "127.0.0.1:8000")
    assert not is_own_origin("http://models.example.evil", "127.0.0.1:8000")


async def test_a_large_message_closes_the_socket() -> None:
    sent: list[dict[str, object]] = []
    heard: list[str] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.receive", "text": "x" * 11}

    async def send(event: dict[str, object]) -> None:
        sent.append(event)

    async def application(scope: object, receive: object, send: object) -> None:
        heard.append((await receive())["type"])  # type: ignore[operator]

    await SocketLimits(application, limit=10)({"type": "websocket"}, receive, send)  # type: ignore[arg-type]
    assert heard == ["websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": 1009, "reason": "too large"}]
