"""Failed attempts to sign in, counted for each address in this process; after ten in a minute, a pause."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

TOO_MANY = "Too many attempts from this address. Wait a minute, then sign in with the link from the terminal."
_LIMIT, _WINDOW_S = 10, 60


def is_exhausted(request: HttpRequest) -> bool:
    return bool(cache.get(_key(request), 0) >= _LIMIT)


def note_failure(request: HttpRequest) -> None:
    key = _key(request)
    if not cache.add(key, 1, _WINDOW_S):
        cache.incr(key)


def _key(request: HttpRequest) -> str:
    return f"sign-in:{request.META.get('REMOTE_ADDR', '')}"
