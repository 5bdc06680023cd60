"""Access tokens of two kinds: those that people make (kept as sha256 alone), and those that the web server mints.

A minted one says "this user, towards the gateway", is signed with the key in the data folder and lives for 60 s; so the
web server calls the gateway in the signed-in user's name and has no other privilege.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.core import signing
from django.db import transaction
from django.utils import timezone

from playground.catalog.models import AccessToken, User, note_change

TOKEN_PREFIX = "pg_"
GATEWAY_TOKEN_SECONDS = 60
_SALT = "gateway"


def digest(token: str) -> str:
    """What is kept of a token, and what caches are keyed by."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_token(user: User, name: str = "") -> str:
    """A new token of ``user`` in plain text: this is the only time that anyone sees it."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(30)
    row = AccessToken.objects.create(user=user, name=name, prefix=token[:8], digest=digest(token))
    note_change("token", row.pk)
    return token


def find_tokens(user: User, given: str) -> list[AccessToken]:
    """The tokens of ``user`` still in use that ``given`` stands for: the whole token, or the beginning that is kept."""
    mine = AccessToken.objects.filter(user=user, revoked_at=None)
    return list(mine.filter(digest=digest(given)) or mine.filter(prefix=given))


@transaction.atomic
def revoke_token(row: AccessToken) -> None:
    """From now on ``row`` opens nothing; the gateway hears of it within a second."""
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    note_change("token", row.pk)


def authenticate(token: str) -> User | None:
    """Whose access token this is; None when it is unknown or revoked, or its user may no longer come in."""
    wanted = digest(token)
    row = AccessToken.objects.select_related("user").filter(digest=wanted, revoked_at=None).first()
    if row is None or not hmac.compare_digest(row.digest, wanted):
        return None
    return row.user if row.user.is_active else None


def mint_gateway_token(user: User) -> str:
    """A token that opens the gateway to ``user`` for 60 s."""
    return signing.dumps({"user": user.pk}, salt=_SALT)


def read_gateway_token(token: str) -> User | None:
    """The user that a minted token stands for; None when it is not ours or too old."""
    try:
        content = signing.loads(token, salt=_SALT, max_age=GATEWAY_TOKEN_SECONDS)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=content["user"], is_active=True).first()
