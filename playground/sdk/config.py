"""Where the gateway is and which token opens it: argument, environment, file, default, in that order.

The file is TOML (``PLAYGROUND_CONFIG``, else ``~/.config/playground/config.toml``) with ``api_base`` and ``token``.
Its token is only ever sent to its own ``api_base``.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playground.protocol.errors import ConfigError

DEFAULT_BASE = "http://127.0.0.1:8001"
DEFAULT_PORT = 8001
BASE_VARIABLES = ("PLAYGROUND_API_BASE", "CLARIFAI_API_BASE")
TOKEN_VARIABLES = ("PLAYGROUND_PAT", "CLARIFAI_PAT")


@dataclass(frozen=True, slots=True)
class Address:
    """A gRPC target, ``host:port``, and whether it is spoken to over TLS."""

    target: str
    is_secure: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    address: Address
    token: str = ""


def read_config(
    base_url: str | None = None, token: str | None = None, *, environ: Mapping[str, str] | None = None
) -> Config:
    """The address and token to use; ``ConfigError`` names what is malformed and where it was said."""
    environ = os.environ if environ is None else environ
    said = base_url or _first(environ, BASE_VARIABLES)
    given = token if token is not None else _first(environ, TOKEN_VARIABLES)
    if said and given:
        return Config(parse_address(said), clean_token(given))
    kept = _read_file(environ)
    kept_base = kept.get("api_base", "")
    address = parse_address(said or kept_base or DEFAULT_BASE)
    is_its_own = not said or bool(kept_base and parse_address(kept_base) == address)
    return Config(address, clean_token(given or (kept.get("token", "") if is_its_own and token is None else "")))


def parse_address(text: str) -> Address:
    """The target in ``text``: with or without scheme, port and trailing slash; IPv6 in brackets or bare."""
    text = text.strip()
    if text.startswith("unix:"):
        return Address(text)
    if not text:
        raise _malformed(text, "it is empty")
    scheme, host, port = _split(text)
    if scheme == "https":
        return Address(_target(host, port or 443), is_secure=True)
    if scheme == "http":
        return Address(_target(host, port or 80))
    is_secure = port == 443 or host.endswith(".clarifai.com")  # as the official client decides
    return Address(_target(host, port or (443 if is_secure else DEFAULT_PORT)), is_secure)


def _split(text: str) -> tuple[str, str, int | None]:
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme not in {"", "http", "https"}:
        raise _malformed(text, f"{scheme} is neither http nor https")
    rest = text.partition("://")[2] if scheme else text
    if _is_ipv6(rest.strip("/")):
        return scheme, rest.strip("/"), None
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _malformed(text, str(error)) from None
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise _malformed(text, "nothing may follow the port")
    if not host or any(character.isspace() for character in host):
        raise _malformed(text, "it names no host")
    return scheme, host, port


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _target(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _malformed(text: str, why: str) -> ConfigError:
    return ConfigError(f"{text!r} is no gateway address: {why}. Give it like {DEFAULT_BASE}.")


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def clean_token(token: str) -> str:
    """A token travels in a header, so only printable ASCII without blanks can be one."""
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError("The token holds characters that no token has: copy it again.")
    return token


def _read_file(environ: Mapping[str, str]) -> dict[str, str]:
    named = environ.get("PLAYGROUND_CONFIG", "")
    path = (
        Path(named).expanduser()
        if named
        else Path(environ.get("HOME") or "~").expanduser() / ".config/playground/config.toml"
    )
    try:
        kept: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        if named:
            raise ConfigError(f"Cannot read {path}: {error.strerror}.") from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    for name in ("api_base", "token"):
        if not isinstance(kept.get(name, ""), str):
            raise ConfigError(f"{path}: {name} is not a text.")
    return kept
