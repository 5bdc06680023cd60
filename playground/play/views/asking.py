"""Who asks for a page."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from playground.catalog.models import User


def user_of(request: HttpRequest) -> User:
    """The signed-in user: views that ask stand behind ``login_required``."""
    return cast(User, request.user)
