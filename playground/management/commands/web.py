"""``manage.py web``: pages and sockets, served by Daphne."""

from __future__ import annotations

import socket
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from playground.asgi import application
from playground.catalog import links
from playground.doors import logs, static
from playground.doors.daphne_server import WebServer
from playground.management.base import PlaygroundCommand
from playground.processes import ports, start


class Command(PlaygroundCommand):
    help = "Serve the pages and sockets. (`playground` starts this by itself, and everything else.)"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--fd", type=int, help="a listening socket to serve on, instead of --host and --port")

    def handle(self, *args: Any, fd: int | None = None, **options: Any) -> None:
        logs.to_files(settings.LOG_DIR, "web")
        if fd is None:
            listener = ports.bind(settings.HOST, settings.PORT, name="--port or PLAYGROUND_PORT")
            static.collect()
            self.stdout.write(f"Open {links.link_for(links.current() or links.renew())}")
            self.stdout.flush()
        else:
            listener = socket.socket(fileno=fd)
            start.wait_until_prepared(settings.DATA_DIR, "pages")
        serve(listener)


def serve(listener: socket.socket) -> None:
    WebServer(
        application,
        listener=listener,
        max_body_bytes=settings.MAX_BODY_BYTES,
        max_message_bytes=settings.MAX_SOCKET_BYTES,
    ).run()
