"""Sockets of the real server: who gets in, no compression, and no message without bounds."""

from __future__ import annotations

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect

from tests.doors.web_process import WebProcess

MB = 2**20


def cookies_of(web: WebProcess) -> str:
    secret = (web.folder / "link").read_text()
    with httpx.Client(trust_env=False) as browser:
        browser.get(f"{web.address}/healthz", params={"token": secret})
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)


def socket_of(web: WebProcess, *, origin: str | None = None, cookie: str = "", **options: object) -> connect:
    headers = {"Cookie": cookie} if cookie else {}
    address = f"ws://127.0.0.1:{web.port}/ws/runs/"
    return connect(address, origin=origin or web.address, additional_headers=headers, proxy=None, **options)  # type: ignore[arg-type]


async def test_the_owner_gets_in_without_compression(web: WebProcess) -> None:
    async with socket_of(web, cookie=cookies_of(web)) as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


async def test_a_strange_page_is_refused(web: WebProcess) -> None:
    with pytest.raises(websockets.InvalidStatus, match="403"):
        await socket_of(web, origin="http://evil.example", cookie=cookies_of(web))


async def test_nobody_is_refused(web: WebProcess) -> None:
    with pytest.raises((websockets.InvalidStatus, websockets.ConnectionClosed)):
        async with socket_of(web) as socket:
            await socket.recv()


async def test_a_huge_message_ends_the_socket_and_costs_nothing(web: WebProcess) -> None:
    before = web.resident_bytes
    async with socket_of(web, cookie=cookies_of(web)) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await send_and_wait(socket, "x" * (40 * MB))
    assert web.resident_bytes - before < 40 * MB


async def send_and_wait(socket: websockets.asyncio.client.ClientConnection, message: str) -> None:
    await socket.send(message)
    await socket.recv()
    await socket.wait_closed()
    raise AssertionError("it went through")
