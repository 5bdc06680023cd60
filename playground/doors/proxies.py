"""Who is really asking, and under which address: proxy headers count only from trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from django.urls import set_script_prefix

from playground.doors.shapes import Application, Receive, Scope, Send

_FORWARDED = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded"}


class AddressDoor:
    """Puts client, scheme, host and sub-path of each scope right, so that nothing behind it needs to know of proxies.

    A proxy may strip the sub-path or pass it on: both arrive as the full path. A sub-path that the server or a header
    claims (``Daphne-Root-Path``) is overruled by the setting.
    """

    def __init__(self, application: Application, *, trusted: Iterable[str], sub_path: str) -> None:
        self.application = application
        self.trusted = [ipaddress.ip_network(network) for network in trusted]
        self.sub_path = sub_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope = self._mended(dict(scope))
            set_script_prefix(f"{self.sub_path}/")
        await self.application(scope, receive, send)

    def _mended(self, scope: Scope) -> Scope:
        headers = list(scope["headers"])
        scope["headers"] = [pair for pair in headers if pair[0] not in _FORWARDED and pair[0] != b"daphne-root-path"]
        peer = (scope.get("client") or ("", 0))[0]
        if self._is_trusted(peer):
            self._believe(scope, {name: value.decode("latin1") for name, value in headers if name in _FORWARDED})
        scope["root_path"] = self.sub_path
        if self.sub_path and not (scope["path"] + "/").startswith(f"{self.sub_path}/"):
            scope["path"] = self.sub_path + scope["path"]
            scope["raw_path"] = self.sub_path.encode() + (scope.get("raw_path") or b"")
        return scope

    def _believe(self, scope: Scope, said: dict[bytes, str]) -> None:
        hops = [hop.strip() for hop in said.get(b"x-forwarded-for", "").split(",") if hop.strip()]
        while len(hops) > 1 and self._is_trusted(hops[-1]):
            hops.pop()
        if hops:
            scope["client"] = (hops[-1], 0)
        scheme = said.get(b"x-forwarded-proto", "").split(",")[-1].strip()
        if scheme in {"http", "https"}:
            is_socket = scope["type"] == "websocket"
            scope["scheme"] = scheme.replace("http", "ws") if is_socket else scheme
        if host := said.get(b"x-forwarded-host", "").split(",")[-1].strip():
            kept = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [*kept, (b"host", host.encode("latin1"))]

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.trusted)
