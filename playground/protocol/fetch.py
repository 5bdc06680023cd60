"""The one place that follows an address given by a caller, and the fence around it.

A name is resolved once, each of its addresses is checked, and the connection goes to the very address that passed:
the check sits in the connecting itself, below redirects, so nothing reaches the network past it. Only http and https;
never a file, never a proxy or a credential of ours. One deadline holds for everything, the slow drip of a header too.
"""

from __future__ import annotations

import functools
import ipaddress
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

import httpcore
import httpx

from playground.protocol.errors import InputError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What the standard library has for public in some of its versions: protocols' own addresses, and a local NAT64.
_RESERVED: tuple[Network, ...] = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_PORTS = {"http": 80, "https": 443}
_USER_AGENT = "model-playground"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address led to; ``url`` is where the last redirect ended."""

    content: bytes
    content_type: str
    url: str


@dataclass(frozen=True)
class Fence:
    """Fetches addresses given by callers; ``allow`` names the private networks that may be reached all the same."""

    allow: tuple[Network, ...] = ()
    max_bytes: int = 64 * 1024 * 1024
    timeout: float = 20.0

    def check(self, url: str) -> None:
        """Raise InputError where ``fetch`` would refuse the address before any connection."""
        parsed = _parse(url)
        self.addresses(parsed.host, parsed.port or _PORTS[parsed.scheme], time.monotonic() + self.timeout)

    def fetch(self, url: str) -> Fetched:
        """The content behind an address, through at most five redirects; raises InputError with the reason."""
        content = bytearray()
        found = self._follow(url, content.extend)
        return Fetched(bytes(content), found.content_type, found.url)

    def fetch_into(self, url: str, file: BinaryIO) -> Fetched:
        """The same, written into a file as it comes: ``content`` stays empty."""
        return self._follow(url, file.write)

    def _follow(self, url: str, take: Callable[[bytes], object]) -> Fetched:
        deadline = time.monotonic() + self.timeout
        current = _parse(url)
        backend = _FencedBackend(self, deadline)
        with httpcore.ConnectionPool(ssl_context=_tls_context(), network_backend=backend, retries=0) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._get(pool, current, take)
                if isinstance(answer, Fetched):
                    return answer
                current = answer
        raise InputError(f"{_show(current)} cannot be fetched: more than {MAX_REDIRECTS} redirects")

    def _get(
        self, pool: httpcore.ConnectionPool, url: httpx.URL, take: Callable[[bytes], object]
    ) -> Fetched | httpx.URL:
        try:
            with pool.stream("GET", str(url), headers=_headers(url), extensions=self._limits()) as response:
                return self._read(response, url, take)
        except _TooLateError:
            raise InputError(f"{_show(url)} cannot be fetched: it took longer than {self.timeout:g} s") from None
        except httpcore.TimeoutException:
            raise InputError(f"{_show(url)} cannot be fetched: it took longer than {self.timeout:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise InputError(f"{_show(url)} cannot be fetched: {error or type(error).__name__}") from None

    def _limits(self) -> dict[str, Any]:
        return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self.timeout)}

    def _read(
        self, response: httpcore.Response, url: httpx.URL, take: Callable[[bytes], object]
    ) -> Fetched | httpx.URL:
        headers = httpx.Headers(response.headers)
        if response.status in _REDIRECTS and "location" in headers:
            return _parse(_joined(url, headers["location"]))
        if not 200 <= response.status < 300:
            raise InputError(f"{_show(url)} cannot be fetched: the server answered {response.status}")
        if headers.get("content-length", "").isdigit() and int(headers["content-length"]) > self.max_bytes:
            raise self._too_large(url)
        size = 0
        for piece in self._pieces(response, headers, url):
            size += len(piece)
            if size > self.max_bytes:
                raise self._too_large(url)
            take(piece)
        return Fetched(b"", headers.get("content-type", "").partition(";")[0].strip().lower(), str(url))

    def _pieces(self, response: httpcore.Response, headers: httpx.Headers, url: httpx.URL) -> Iterator[bytes]:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        chunks: Iterable[bytes] = response.iter_stream()
        if encoding in ("", "identity"):
            yield from chunks
        elif encoding in ("gzip", "x-gzip", "deflate"):
            yield from _inflated(chunks, url)
        else:
            raise InputError(f"{_show(url)} cannot be fetched: its encoding {encoding!r} is not supported")

    def _too_large(self, url: httpx.URL) -> InputError:
        return InputError(f"{_show(url)} cannot be fetched: it is larger than {self.max_bytes:,} bytes")

    # -- the fence itself --

    def addresses(self, host: str, port: int, deadline: float) -> list[str]:
        """The addresses of a host that may be connected to; raises InputError when none may."""
        found = _resolve(host, port, deadline)
        allowed = [address for address in found if self.permits(ipaddress.ip_address(address))]
        if not allowed:
            raise InputError(f"{host} cannot be fetched from: it is on a private or reserved network")
        return allowed

    def permits(self, address: Address) -> bool:
        """Whether an address is public, or in a network that the settings allow."""
        inner = _embedded(address)
        if any(candidate in network for candidate in (address, inner) for network in self.allow):
            return True
        return _is_public(address if inner is address else inner)


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reading the certificates costs some 20 ms


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    is_odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    is_odd = is_odd or getattr(address, "is_site_local", False) or any(address in one for one in _RESERVED)
    return address.is_global and not is_odd


def _resolve(host: str, port: int, deadline: float) -> list[str]:
    """The host's addresses; in a thread of its own, since a resolver's patience cannot be set."""
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise InputError(f"{host} cannot be fetched from: its name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise InputError(f"{host} cannot be fetched from: its name is not known") from None
    return answer


def _parse(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url.strip())
        host, port = parsed.host, parsed.port  # what no name can be is told as it is read
    except (httpx.InvalidURL, TypeError, ValueError):
        raise InputError("this is not an address that can be fetched") from None
    if parsed.scheme not in _PORTS:
        raise InputError(f"only http and https addresses are fetched, not {parsed.scheme or 'relative ones'}")
    if parsed.userinfo:
        raise InputError("an address with a user name or password in it is not fetched")
    if not host:
        raise InputError("the address names no host")
    if port is not None and not 0 < port < 65536:
        raise InputError(f"the address names the port {port}, which no server can have")
    return parsed.copy_with(fragment=None)


def _joined(url: httpx.URL, location: str) -> str:
    try:
        return str(url.join(location))
    except (httpx.InvalidURL, ValueError):
        raise InputError(f"{_show(url)} cannot be fetched: it redirects to what is no address") from None


def _headers(url: httpx.URL) -> list[tuple[str | bytes, str | bytes]]:
    return [("Host", url.netloc), ("User-Agent", _USER_AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity")]


def _show(url: httpx.URL) -> str:
    """The address without its query, which may hold a signature."""
    return str(url.copy_with(query=None))


def _inflated(chunks: Iterable[bytes], url: httpx.URL) -> Iterator[bytes]:
    """Unpack what a server packed unasked, a bounded piece at a time: a small bomb stays small here."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                yield inflater.decompress(packed, _CHUNK)
                packed = inflater.unconsumed_tail
        yield inflater.flush(_CHUNK)
    except zlib.error:
        raise InputError(f"{_show(url)} cannot be fetched: its encoding is broken") from None


class _TooLateError(Exception):
    pass


def _remaining(deadline: float, timeout: float | None) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise _TooLateError
    return remaining if timeout is None else min(remaining, timeout)


class _FencedBackend(httpcore.NetworkBackend):
    """Connects only to addresses that passed, and lets nothing take longer than the deadline."""

    def __init__(self, fence: Fence, deadline: float) -> None:
        self._fence = fence
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in self._fence.addresses(host, port, self._deadline):
            try:
                stream = self._inner.connect_tcp(
                    address, port, _remaining(self._deadline, timeout), local_address, socket_options
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("sockets of this machine are not reached")

    def sleep(self, seconds: float) -> None:
        time.sleep(_remaining(self._deadline, seconds))


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(self._deadline, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, _remaining(self._deadline, timeout))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
