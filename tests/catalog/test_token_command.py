"""``manage.py token``: makes tokens, and revokes them by the whole token or by its beginning."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from playground.catalog.models import AccessToken, User
from playground.catalog.tokens import authenticate, create_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create(username="owner")


@pytest.mark.parametrize("length", [None, 8], ids=["whole", "beginning"])
def test_a_token_is_revoked_and_the_others_stay(owner: User, length: int | None) -> None:
    gone, kept = create_token(owner), create_token(owner)
    call_command("token", revoke=gone[:length], stdout=io.StringIO())
    assert authenticate(gone) is None
    assert authenticate(kept) == owner


def test_nobody_revokes_another_s_token(owner: User) -> None:
    token = create_token(User.objects.create(username="ada"))
    with pytest.raises(CommandError, match="no tokens"):
        call_command("token", revoke=token, stdout=io.StringIO())
    assert authenticate(token) is not None


def test_one_can_be_made_to_lapse(owner: User) -> None:
    call_command("token", days=2, stdout=io.StringIO())
    assert AccessToken.objects.get().expires_at is not None
    with pytest.raises(CommandError, match="1 to"):
        call_command("token", days=0, stdout=io.StringIO())
