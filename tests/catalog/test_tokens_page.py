"""The page of access tokens: one's own, each shown once, with an end, and revoked by its owner alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from playground.catalog import tokens
from playground.catalog.models import AccessToken, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_new_one_is_shown_by_the_answer_that_made_it_alone(ada: User) -> None:
    answer = browser(ada).post("/tokens/", {"name": "notebook", "days": "30"})
    [token] = re.findall(r"pg_[\w-]{40}", answer.content.decode())[:1]
    assert tokens.authenticate(token) == ada
    assert "no-store" in answer["Cache-Control"]
    row = AccessToken.objects.get()
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    page = browser(ada).get("/tokens/").content.decode()
    assert token not in page
    assert f"{token[:8]}…" in page


def test_without_an_end_it_does_not_lapse(ada: User) -> None:
    browser(ada).post("/tokens/", {"name": "robot", "days": ""})
    assert AccessToken.objects.get().expires_at is None


@pytest.mark.parametrize("given", [{"name": "", "days": "30"}, {"name": "x", "days": "5000"}, {"name": "x" * 101}, {}])
def test_what_does_not_fit_makes_nothing(ada: User, given: dict[str, str]) -> None:
    answer = browser(ada).post("/tokens/", given)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not AccessToken.objects.exists()


def test_there_is_a_most(ada: User) -> None:
    row = {"user": ada, "prefix": "pg_12345"}
    AccessToken.objects.bulk_create(AccessToken(digest=str(n), **row) for n in range(tokens.MOST_TOKENS))
    answer = browser(ada).post("/tokens/", {"name": "one more", "days": ""})
    assert answer.status_code == 400
    assert "Revoke some first" in answer.content.decode()
    AccessToken.objects.filter(digest="7").update(revoked_at=timezone.now())
    assert browser(ada).post("/tokens/", {"name": "one more", "days": ""}).status_code == 200


def test_nobody_sees_or_revokes_another_s(ada: User) -> None:
    token = tokens.create_token(ada, "hers")
    row = AccessToken.objects.get()
    for other in (User.objects.create_user("stranger"), User.objects.create_superuser("root")):
        assert "hers" not in browser(other).get("/tokens/").content.decode()
        assert browser(other).post(f"/tokens/{row.pk}/revoke").status_code == 404
    assert Client().get("/tokens/").status_code == 302
    assert Client().post(f"/tokens/{row.pk}/revoke").status_code == 302
    assert tokens.authenticate(token) == ada


def test_its_owner_revokes_it_once(ada: User) -> None:
    token = tokens.create_token(ada, "hers")
    address = f"/tokens/{AccessToken.objects.get().pk}/revoke"
    page = browser(ada).post(address, follow=True).content.decode()
    assert "Revoked hers." in page
    assert "No token yet" in page
    assert tokens.authenticate(token) is None
    assert browser(ada).post(address).status_code == 404
    assert browser(ada).get(address).status_code == 405


def test_one_past_its_time_opens_nothing_and_says_so(ada: User) -> None:
    token = tokens.create_token(ada, "old", days=1)
    assert tokens.authenticate(token) == ada
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.authenticate(token) is None
    assert "Lapsed" in browser(ada).get("/tokens/").content.decode()


def test_its_use_is_noted_to_the_minute(ada: User) -> None:
    token = tokens.create_token(ada, "busy")
    tokens.authenticate(token)
    first = AccessToken.objects.get().last_used_at
    assert first is not None
    tokens.authenticate(token)
    assert AccessToken.objects.get().last_used_at == first
    long_ago = timezone.now() - timedelta(hours=1)
    AccessToken.objects.update(last_used_at=long_ago)
    tokens.authenticate(token)
    assert AccessToken.objects.get().last_used_at > long_ago


def test_names_are_shown_as_they_are(ada: User) -> None:
    page = browser(ada).post("/tokens/", {"name": "<b>x</b>", "days": ""}).content.decode()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_no_other_site_makes_one(ada: User) -> None:
    form = Client(enforce_csrf_checks=True)
    form.force_login(ada)
    assert form.post("/tokens/", {"name": "x", "days": ""}).status_code == 403
    assert not AccessToken.objects.exists()
