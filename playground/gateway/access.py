"""Who calls: the token in a call's metadata, looked up at most once a second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog import tokens
from playground.protocol.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.compute.database import DatabaseThread

CACHE_SECONDS = 1.0
_CACHE_SIZE = 4096
_SCHEMES = ("key ", "bearer ")


@dataclass(frozen=True)
class Caller:
    """The user a call is made for."""

    pk: int
    user_id: str


class Authenticator:
    """Answers from memory for a second (keyed by the token's sha256), so the hot path reads no database."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._cache: dict[str, tuple[float, Caller | None]] = {}

    async def caller(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
        """Whose call this is. Raises AccessError without a token, and with one that opens nothing."""
        token = read_token(metadata)
        key = tokens.digest(token)
        known = self._cache.get(key)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + CACHE_SECONDS, await self._database(_look_up, token))
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            self._cache[key] = known
        if known[1] is None:
            raise AccessError(
                "This access token is unknown, revoked, or past its time. "
                "Create one on the page Access tokens, or with: manage.py token",
                code=StatusCode.CONN_KEY_INVALID,
            )
        return known[1]

    def knows(self, metadata: Iterable[tuple[str, str | bytes]]) -> bool:
        """Whether the token was good when it was last looked up; ``caller`` says whether it still is."""
        try:
            known = self._cache.get(tokens.digest(read_token(metadata)))
        except AccessError:
            return False
        return known is not None and known[1] is not None

    def forget(self) -> None:
        """A token or user changed: look again."""
        self._cache.clear()


def read_token(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The token of ``authorization: Key <token>``. Raises AccessError when there is none."""
    for name, value in metadata:
        if name == "authorization" and isinstance(value, str):
            if value.lower().startswith(_SCHEMES) and (token := value.partition(" ")[2].strip()):
                return token
            break
    raise AccessError(
        "Invalid request: it carries no access token. Send the metadata authorization: Key <token>",
        code=StatusCode.CONN_INVALID_REQUEST,
    )


def _look_up(token: str) -> Caller | None:
    is_minted = not token.startswith(tokens.TOKEN_PREFIX)
    user = tokens.read_gateway_token(token) if is_minted else tokens.authenticate(token)
    return Caller(user.pk, user.username) if user is not None else None
