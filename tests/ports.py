"""Ports for what tests start by its address."""

from __future__ import annotations

import contextlib
import random
import socket

_OWN = random.SystemRandom()  # workers of one test run must not draw the same


def free_port() -> int:
    """A port on loopback that nobody has now, from below those that systems give to connections and to port 0.

    So nobody takes it by chance before it is used; what the system gives out itself, a connection may get meanwhile.
    """
    while True:
        port = _OWN.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
