"""Secrets of deployments at rest: sealed with a key of their own in the data folder (mode 0600), opened for runners."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from playground.protocol.errors import ConfigError


def seal(text: str) -> bytes:
    return _key().encrypt(text.encode())


def open_sealed(sealed: bytes) -> str:
    """Raises ConfigError when ``sealed`` was not sealed with this installation's key."""
    try:
        return _key().decrypt(sealed).decode()
    except InvalidToken:
        raise ConfigError(
            "A secret cannot be opened: sealing_key in the data folder is not the one it was sealed with. Set it again."
        ) from None


def _key() -> Fernet:
    try:
        return Fernet(settings.SEALING_KEY)
    except ValueError:
        raise ConfigError("sealing_key in the data folder is no key: 32 bytes in URL-safe base64 are one.") from None
