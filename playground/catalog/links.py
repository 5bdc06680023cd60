"""Links that sign people in: the owner's, anew with each start of the server, and signed ones for other users."""

from __future__ import annotations

import os
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

from playground.catalog import tokens
from playground.catalog.models import User
from playground.catalog.services import OWNER_ID

_FILE = "link"
_SALT = "playground.link"
LINK_MAX_AGE_S = 7 * 24 * 3600


def renew() -> str:
    """A new secret for the owner's link; links of earlier starts stop working."""
    secret = secrets.token_urlsafe(24)
    path = settings.DATA_DIR / _FILE
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    fresh.replace(path)
    return secret


def current() -> str:
    """The secret of this start; empty where no server was ever started."""
    try:
        return (settings.DATA_DIR / _FILE).read_text().strip()
    except FileNotFoundError:
        return ""


def link_for(token: str) -> str:
    """The address that signs in with ``token``."""
    return f"{web_address()}/?{urlencode({'token': token})}"


def web_address() -> str:
    """Where people reach the pages: the public address, else host and port of this machine."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL).rstrip("/")
    return f"http://{dialled(settings.HOST)}:{settings.PORT}"


def dialled(host: str) -> str:
    """``host`` as one dials it: wildcards by the loopback address, IPv6 in brackets."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def make_user_token(user: User) -> str:
    """A signed token for a sign-in link of ``user``; it lapses after a week."""
    return signing.dumps(user.username, salt=_SALT)


def user_of(text: str) -> User | None:
    """Whom a pasted link, a link's token or an access token signs in; nobody when it is wrong, old or revoked."""
    token = _token_in(text.strip())
    if not token:
        return None
    if (secret := current()) and constant_time_compare(token, secret):
        return User.objects.filter(username=OWNER_ID, is_active=True).first()
    if token.startswith(tokens.TOKEN_PREFIX):
        return tokens.authenticate(token)
    try:
        username = signing.loads(token, salt=_SALT, max_age=LINK_MAX_AGE_S)
    except signing.BadSignature:
        return None
    return User.objects.filter(username=username, is_active=True).first()


def _token_in(text: str) -> str:
    if "token=" not in text:
        return text
    return next(iter(parse_qs(urlsplit(text).query or text).get("token", [""])))
