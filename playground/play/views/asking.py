"""Who asks for a page, and whether for one."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from playground.catalog.models import User


def user_of(request: HttpRequest) -> User:
    """The signed-in user: views that ask stand behind ``login_required``."""
    return cast(User, request.user)


def wants_no_page(request: HttpRequest) -> bool:
    """Whether a module asks, that draws what has changed by itself."""
    return "application/json" in request.headers.get("Accept", "")
