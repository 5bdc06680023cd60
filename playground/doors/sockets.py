"""The door of sockets: only pages of this installation may open one."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from playground.doors.shapes import Application, Event, Receive, Scope, Send


class OriginDoor:
    """Refuses the handshake unless ``Origin`` is the very host that was asked, and one of ours, or the public address.

    Browsers do not hold sockets to the same-origin rule, and cookies ride along: without this, any site a signed-in
    person visits could speak in their name.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin1") for name, value in scope["headers"]}
        if is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403, "reason": "origin"})


def is_own_origin(origin: str, host: str) -> bool:
    """Whether a page of ``origin`` may open a socket on ``host``."""
    if settings.PUBLIC_ORIGIN and origin == settings.PUBLIC_ORIGIN:
        return True
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not host or parts.netloc.lower() != host.lower():
        return False
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


class SocketLimits:
    """Closes a socket (1009) whose message is larger than ``limit`` bytes, should the server let one through."""

    def __init__(self, application: Application, *, limit: int) -> None:
        self.application = application
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def limited() -> Event:
            event: Event = await receive()
            if event["type"] != "websocket.receive":
                return event
            if len(event.get("text") or event.get("bytes") or "") <= self.limit:
                return event
            await send({"type": "websocket.close", "code": 1009, "reason": "too large"})
            return {"type": "websocket.disconnect", "code": 1009, "reason": "too large"}

        await self.application(scope, limited, send)


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuses sockets at addresses where there is none."""
    await send({"type": "websocket.close", "code": 4404, "reason": "nothing here"})
