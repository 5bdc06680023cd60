"""Signing in: by the link of this start, by a user's link, by an access token; and all that must not work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from playground.catalog import links
from playground.catalog.models import AccessToken, User
from playground.catalog.services import ensure_owner
from playground.catalog.tokens import create_token, mint_gateway_token, revoke_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> Iterator[None]:
    cache.clear()
    yield
    (settings.DATA_DIR / "link").unlink(missing_ok=True)


@pytest.fixture
def owner() -> User:
    return ensure_owner()[0]


@pytest.fixture
def stranger() -> User:
    return User.objects.create_user("stranger")


def signed_in_as(client: Client) -> str | None:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


def test_the_link_signs_the_owner_in_and_leaves_the_address(client: Client, owner: User) -> None:
    answer = client.get("/some/page", {"token": links.renew(), "tab": "api"})
    assert answer.status_code == 302
    assert answer["Location"] == "/some/page?tab=api"
    assert signed_in_as(client) == "owner"


def test_the_link_works_any_number_of_times(owner: User) -> None:
    secret = links.renew()
    for _ in range(3):
        client = Client()
        client.get("/", {"token": secret})
        assert signed_in_as(client) == "owner"


def test_the_next_start_ends_it(client: Client, owner: User) -> None:
    secret = links.renew()
    links.renew()
    assert client.get("/", {"token": secret}).status_code == 403
    assert signed_in_as(client) is None


def test_the_secret_is_for_its_owner_alone(owner: User) -> None:
    links.renew()
    assert (settings.DATA_DIR / "link").stat().st_mode & 0o777 == 0o600


def test_it_redirects_to_this_host_only(client: Client, owner: User) -> None:
    answer = client.get("/x", {"token": links.renew()}, PATH_INFO="//evil.example/")
    assert answer["Location"] == "/evil.example/"


def test_an_empty_token_is_refused_where_no_server_was_started(client: Client, owner: User) -> None:
    (settings.DATA_DIR / "link").unlink(missing_ok=True)
    assert client.get("/", {"token": ""}).status_code == 403


def test_an_old_link_does_no_harm_to_who_is_signed_in(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/x", {"token": "old"})["Location"] == "/x"
    assert signed_in_as(client) == "owner"


@pytest.mark.parametrize("form", ["link", "token", "access token"])
def test_the_page_takes_links_and_tokens(client: Client, owner: User, form: str) -> None:
    secret = links.renew()
    pasted = {"link": links.link_for(secret), "token": secret, "access token": create_token(owner)}[form]
    answer = client.post("/sign-in/", {"token": f" {pasted} ", "next": "/runs/"})
    assert answer["Location"] == "/runs/"
    assert signed_in_as(client) == "owner"


def test_a_users_own_link(client: Client, stranger: User) -> None:
    client.post("/sign-in/", {"token": links.link_for(links.make_user_token(stranger))})
    assert signed_in_as(client) == "stranger"


def test_a_users_link_lapses(client: Client, stranger: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = links.make_user_token(stranger)
    monkeypatch.setattr(links, "LINK_MAX_AGE_S", -1)
    assert client.post("/sign-in/", {"token": token}).status_code == 403


def test_who_is_shut_out_stays_out(client: Client, stranger: User) -> None:
    pasted = [links.make_user_token(stranger), create_token(stranger)]
    client.force_login(stranger)
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    assert client.get("/sign-in/").status_code == 200  # the session is worth nothing any more
    for token in pasted:
        assert client.post("/sign-in/", {"token": token}).status_code == 403


def test_a_revoked_token_opens_nothing(client: Client, owner: User) -> None:
    token = create_token(owner)
    revoke_token(AccessToken.objects.get())
    assert client.post("/sign-in/", {"token": token}).status_code == 403


def test_what_the_web_mints_for_the_gateway_opens_no_page(client: Client, owner: User) -> None:
    assert client.post("/sign-in/", {"token": mint_gateway_token(owner)}).status_code == 403


def test_next_leads_nowhere_else(client: Client, owner: User) -> None:
    answer = client.post("/sign-in/", {"token": links.renew(), "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_ten_failures_make_a_pause(client: Client, owner: User) -> None:
    for _ in range(10):
        assert client.post("/sign-in/", {"token": "wrong"}).status_code == 403
    answer = client.post("/sign-in/", {"token": links.renew()})
    assert answer.status_code == 429
    assert signed_in_as(client) is None


def test_signing_out(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert signed_in_as(client) is None


def test_forms_need_their_csrf_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in/", {"token": links.renew()}).status_code == 403
