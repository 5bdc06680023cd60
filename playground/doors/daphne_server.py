"""Daphne, the owner's choice of server, with the limits it lacks: bodies, slow requests, forged root paths.

Importing this installs Twisted's asyncio reactor, so only ``manage.py web`` does.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from twisted.internet import asyncioreactor

from playground.protocol import loops

install_reactor: Any = asyncioreactor.install
install_reactor(loops.new_loop())  # before Daphne installs one on asyncio's own loop

from daphne.http_protocol import HTTPFactory, WebRequest  # noqa: E402
from daphne.server import Server  # noqa: E402
from twisted.internet import defer, endpoints  # noqa: E402
from twisted.internet import reactor as _reactor  # noqa: E402

from playground.doors import lifespan  # noqa: E402
from playground.doors.frames import QuickSocket, drained  # noqa: E402
from playground.doors.shapes import Application  # noqa: E402

reactor: Any = _reactor
AdoptedEndpoint: Any = endpoints.AdoptedStreamServerEndpoint
access_log = logging.getLogger("playground.access")

_LINGER_S = 2.0
_REQUEST_S = 60.0
_TOO_LARGE = b"The body is too large.\n"


class BoundedRequest(WebRequest):  # type: ignore[misc]
    """A request that is refused as soon as its body is known to be too large, and dropped when it comes too slowly.

    Daphne holds a body whole before the application sees it, so this is the only place where a limit saves memory.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.received = 0
        self.is_refused = False
        self.overdue: Any = reactor.callLater(_REQUEST_S, self._drop)

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > self.server.max_body_bytes:
            self._refuse()
            length = 0
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.is_refused:
            return
        if self.received > self.server.max_body_bytes:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        self._in_time()
        if self.is_refused:
            return None
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def connectionLost(self, reason: Any) -> None:
        self._in_time()
        super().connectionLost(reason)

    def _in_time(self) -> None:
        if self.overdue.active():
            self.overdue.cancel()

    def _drop(self) -> None:
        if self.channel is not None:
            self.channel.abortConnection()

    def _refuse(self) -> None:
        """Answer 413 at once, then read on for a moment without keeping: a reset would swallow the answer."""
        self.is_refused = True
        channel, transport = self.channel, self.channel.transport
        head = f"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: {len(_TOO_LARGE)}\r\n"
        transport.write(head.encode() + b"Connection: close\r\n\r\n" + _TOO_LARGE)
        channel.dataReceived = channel.rawDataReceived = channel.lineReceived = _ignore
        _close_softly(transport)


def _ignore(*args: Any) -> None:
    return None


def _close_softly(transport: Any) -> None:
    if hasattr(transport, "loseWriteConnection"):
        transport.loseWriteConnection()
    reactor.callLater(_LINGER_S, transport.abortConnection)


class BoundedFactory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


class WebServer(Server):  # type: ignore[misc]
    """Daphne on a socket that is bound already, with our limits and our end."""

    def __init__(
        self, application: Application, *, listener: socket.socket, max_body_bytes: int, max_message_bytes: int
    ) -> None:
        super().__init__(
            application,
            endpoints=["the listener"],
            action_logger=log_access,
            websocket_max_message_size=max_message_bytes,
            websocket_max_frame_size=max_message_bytes,
            ready_callable=self._listen,
            server_name="",
            verbosity=0,
        )
        self.endpoints: list[str] = []  # Daphne opens what is named here by itself; ours is open
        self.listener = listener
        self.max_body_bytes = max_body_bytes

    def _listen(self) -> None:
        self.ws_factory.protocol = QuickSocket
        endpoint = AdoptedEndpoint(reactor, self.listener.fileno(), self.listener.family)
        endpoint.listen(BoundedFactory(self)).addCallbacks(self.listen_success, self.listen_error)
        reactor.callLater(0, lifespan.begin)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send, and let the application wait while its reader is slow."""
        await super().handle_reply(protocol, message)
        if protocol in self.connections:
            await drained(protocol)

    def kill_all_applications(self) -> Any:
        """Flush what runs, then cancel what is still answering; the reactor waits for both."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        await lifespan.end()
        tasks = [task for task in map(_application_of, self.connections.values()) if task and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1) if tasks else None


def _application_of(connection: dict[str, Any]) -> asyncio.Task[None] | None:
    return connection.get("application_instance")


def log_access(protocol: str, action: str, details: dict[str, Any]) -> None:
    """One line for each request and each opened or closed socket, without query strings: they carry tokens."""
    path = details["path"].partition("?")[0]
    client = (details.get("client") or "-").rpartition(":")[0] or "-"
    if protocol == "http":
        milliseconds = details["time_taken"] * 1000
        facts = f"{details['status']} {details['size']} B {milliseconds:.0f} ms"
        access_log.info("%s %s %s %s", client, details["method"], path, facts)
    elif action != "connecting":
        access_log.info("%s SOCKET %s %s", client, path, action)
