"""The whole product, started once for all of these tests, with a model in every kind of trouble; and who uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from playground.sdk import Client
from tests.live import Stack, product
from tests.stack.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

TROUBLED = Path(__file__).parent / "troubled"


@dataclass(frozen=True)
class Person:
    """Someone with a browser that is signed in and a token for programs."""

    name: str
    browser: httpx.Client
    client: Client
    token: str
    web: str

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.browser.cookies.jar)

    def open_page(self) -> Page:
        """A page's socket."""
        return Page(self.web, self.cookie)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with product() as running:
        running.add_model(TROUBLED, "troubled")
        yield running


@pytest.fixture(scope="session")
def owner(stack: Stack) -> Iterator[Person]:
    yield from arrive(stack, "owner", stack.link, stack.token)


@pytest.fixture(scope="session")
def stranger(stack: Stack) -> Iterator[Person]:
    """A second user, to whom nothing was opened."""
    said = stack.manage("users", "add", "stranger")
    found = re.search(r"^Sign in +(\S+)\nToken +(\S+)$", said, re.MULTILINE)
    assert found is not None, said
    yield from arrive(stack, "stranger", found[1], found[2])


def arrive(stack: Stack, name: str, link: str, token: str) -> Iterator[Person]:
    with (
        httpx.Client(base_url=stack.web, trust_env=False, timeout=10) as browser,
        Client(f"http://{stack.api}", token) as client,
    ):
        assert browser.get(link).status_code == 302
        browser.headers["X-CSRFToken"] = csrf_of(browser)
        browser.headers["Origin"] = stack.web
        yield Person(name, browser, client, token, stack.web)


def csrf_of(browser: httpx.Client) -> str:
    browser.get("/models/")
    return next(cookie.value or "" for cookie in browser.cookies.jar if "csrf" in cookie.name)


@pytest.fixture
def page(owner: Person) -> Iterator[Page]:
    """The owner's page."""
    with owner.open_page() as opened:
        yield opened
