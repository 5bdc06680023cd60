"""Three people around an app of ada's, a media folder of each test's own, and pictures of every sort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from playground.catalog.models import App, Membership, User

if TYPE_CHECKING:
    from pathlib import Path

Role = Membership.Role


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def app(ada: User) -> App:
    return App.objects.create(owner=ada, slug="main")


@pytest.fixture
def mate(app: App) -> User:
    """A member of ada's app."""
    user = User.objects.create_user("mate")
    Membership.objects.create(app=app, user=user, role=Role.MEMBER)
    return user


@pytest.fixture
def viewer(app: App) -> User:
    user = User.objects.create_user("viewer")
    Membership.objects.create(app=app, user=user, role=Role.VIEWER)
    return user


@pytest.fixture
def stranger(db: None) -> User:
    user = User.objects.create_user("stranger")
    App.objects.create(owner=user, slug="main")
    return user


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
