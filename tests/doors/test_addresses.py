"""Proxy headers count only from trusted proxies; the sub-path is the setting's alone."""

from __future__ import annotations

from typing import Any

import pytest

from playground.doors.proxies import AddressDoor

FORWARDED = [
    (b"host", b"inner:8000"),
    (b"x-forwarded-for", b"198.51.100.7, 10.0.0.2"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"models.example"),
    (b"daphne-root-path", b"/forged"),
]


async def seen(path: str = "/", *, client: str, sub_path: str = "", kind: str = "http") -> dict[str, Any]:
    scopes: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    scope: Any = {"type": kind, "path": path, "scheme": "http", "client": (client, 1), "headers": FORWARDED}
    await AddressDoor(application, trusted=["10.0.0.0/8"], sub_path=sub_path)(scope, None, None)  # type: ignore[arg-type]
    return scopes[0]


async def test_a_trusted_proxy_is_believed() -> None:
    scope = await seen(client="10.0.0.1")
    assert (scope["client"][0], scope["scheme"]) == ("198.51.100.7", "https")
    assert (b"host", b"models.example") in scope["headers"]


async def test_a_stranger_is_not() -> None:
    scope = await seen(client="203.0.113.9")
    assert (scope["client"][0], scope["scheme"]) == ("203.0.113.9", "http")
    assert scope["headers"] == [(b"host", b"inner:8000")]


async def test_a_forged_root_path_goes_nowhere() -> None:
    scope = await seen(client="10.0.0.1")
    assert scope["root_path"] == ""
    assert b"daphne-root-path" not in dict(scope["headers"])


@pytest.mark.parametrize("path", ["/base/models/", "/models/"])
async def test_a_sub_path_arrives_whole_whether_stripped_or_not(path: str) -> None:
    scope = await seen(path, client="10.0.0.1", sub_path="/base", kind="websocket")
    assert (scope["root_path"], scope["path"], scope["scheme"]) == ("/base", "/base/models/", "wss")
