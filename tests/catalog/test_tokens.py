"""Access tokens: shown once, kept hashed, revocable; and the ones that the web server mints for a minute."""

from __future__ import annotations

import re

import pytest
from django.core import signing

from playground.catalog import tokens
from playground.catalog.models import AccessToken, Change, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner")


def test_a_token_is_kept_as_its_hash_alone(owner: User) -> None:
    token = tokens.create_token(owner, "laptop")
    assert re.fullmatch(r"pg_[A-Za-z0-9_-]{40}", token)
    row = AccessToken.objects.get()
    assert token not in str(vars(row))
    assert row.digest == tokens.digest(token)
    assert token.startswith(row.prefix)
    assert tokens.authenticate(token) == owner


@pytest.mark.parametrize("wrong", ["", "pg_", "pg_" + "x" * 40, "nonsense"])
def test_any_other_token_opens_nothing(owner: User, wrong: str) -> None:
    tokens.create_token(owner)
    assert tokens.authenticate(wrong) is None
    assert tokens.read_gateway_token(wrong) is None


def test_a_revoked_token_opens_nothing_and_is_told_of(owner: User) -> None:
    token = tokens.create_token(owner)
    before = Change.objects.count()
    tokens.revoke_token(AccessToken.objects.get())
    assert tokens.authenticate(token) is None
    assert Change.objects.count() == before + 1


def test_a_user_who_may_no_longer_come_in_has_no_tokens(owner: User) -> None:
    token, minted = tokens.create_token(owner), tokens.mint_gateway_token(owner)
    User.objects.update(is_active=False)
    assert tokens.authenticate(token) is None
    assert tokens.read_gateway_token(minted) is None


def test_a_minted_token_lives_for_a_minute(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    minted = tokens.mint_gateway_token(owner)
    assert tokens.read_gateway_token(minted) == owner
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + tokens.GATEWAY_TOKEN_SECONDS + 2)
    assert tokens.read_gateway_token(minted) is None


def test_a_token_signed_for_something_else_opens_nothing(owner: User) -> None:
    assert tokens.read_gateway_token(signing.dumps({"user": owner.pk}, salt="other")) is None
    assert tokens.authenticate(tokens.mint_gateway_token(owner)) is None
