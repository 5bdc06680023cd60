"""Access tokens of two kinds: those that people make (kept as sha256 alone), and those that the web server mints.

A minted one says "this user, towards the gateway", is signed with the key in the data folder and lives for 60 s; so the
web server calls the gateway in the signed-in user's name and has no other privilege.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from datetime import timedelta

from django.core import signing
from django.db import OperationalError, transaction
from django.utils import timezone

from playground.catalog.models import AccessToken, User, note_change
from playground.protocol.errors import ConflictError, NotFoundError

logger = logging.getLogger(__name__)

TOKEN_PREFIX = "pg_"
GATEWAY_TOKEN_SECONDS = 60
MOST_TOKENS = 100
USE_NOTED_EVERY = timedelta(minutes=1)
_SALT = "gateway"


def digest(token: str) -> str:
    """What is kept of a token, and what caches are keyed by."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_token(user: User, name: str = "", *, days: int | None = None) -> str:
    """A new token of ``user`` in plain text: this is the only time that anyone sees it. Without ``days`` it does not
    lapse. Raises ConflictError for who has too many."""
    if list_tokens(user)[MOST_TOKENS - 1 :]:
        raise ConflictError(f"{user.username} has {MOST_TOKENS} tokens, the most one can have. Revoke some first.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(30)
    expires_at = timezone.now() + timedelta(days=days) if days is not None else None
    row = AccessToken.objects.create(
        user=user, name=name, prefix=token[:8], digest=digest(token), expires_at=expires_at
    )
    note_change("token", row.pk)
    return token


def list_tokens(user: User) -> list[AccessToken]:
    """One's tokens that were not revoked, newest first; also those past their time, until they are revoked."""
    return list(AccessToken.objects.visible_to(user).filter(revoked_at=None).order_by("-pk"))


def find_tokens(user: User, given: str) -> list[AccessToken]:
    """The tokens of ``user`` still in use that ``given`` stands for: the whole token, or the beginning that is kept."""
    mine = AccessToken.objects.visible_to(user).filter(revoked_at=None)
    return list(mine.filter(digest=digest(given)) or mine.filter(prefix=given))


def revoke_own(user: User, pk: int) -> AccessToken:
    """Revokes one of one's own tokens. Raises NotFoundError for another's, in the same words as for none."""
    row = AccessToken.objects.visible_to(user).filter(pk=pk, revoked_at=None).first()
    if row is None:
        raise NotFoundError("You have no such token. It may have been revoked already.")
    revoke_token(row)
    return row


@transaction.atomic
def revoke_token(row: AccessToken) -> None:
    """From now on ``row`` opens nothing; the gateway hears of it within a second."""
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    note_change("token", row.pk)


def authenticate(token: str) -> User | None:
    """Whose access token this is; None when it is unknown, revoked or past its time, or its user may no longer come
    in."""
    wanted = digest(token)
    row = AccessToken.objects.good().select_related("user").filter(digest=wanted).first()
    if row is None or not hmac.compare_digest(row.digest, wanted) or not row.user.is_active:
        return None
    _note_use(row)
    return row.user


def _note_use(row: AccessToken) -> None:
    """When it was last used, to the minute: a busy token is written once a minute, and no call fails for it."""
    now = timezone.now()
    if row.last_used_at is not None and now - row.last_used_at < USE_NOTED_EVERY:
        return
    try:
        AccessToken.objects.filter(pk=row.pk).update(last_used_at=now)
    except OperationalError as error:
        logger.warning("The use of token %s… was not noted: %s", row.prefix, error)


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
