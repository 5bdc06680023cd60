"""Listening sockets, bound before anything is started, so that a taken port is one clear line."""

from __future__ import annotations

import socket

from playground.protocol.errors import ConflictError


def bind(host: str, port: int, *, name: str) -> socket.socket:
    """A listening socket; ``name`` says where another port is chosen. Raises ``ConflictError``."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
    except socket.gaierror:
        raise ConflictError(f"{host} is no address of this machine. Choose another host.") from None
    except OSError as error:
        reason = {98: "is taken", 48: "is taken", 99: "is not an address of this machine", 13: "is not allowed"}
        said = reason.get(error.errno or 0, error.strerror or "cannot be used")
        raise ConflictError(f"Port {port} on {host} {said}. Choose another with {name}.") from None
    return listener
