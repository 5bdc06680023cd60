"""The page of an app's inputs and what it sends, tried by each person."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from inputs.models import Input
from inputs.services import add_input, delete_inputs
from playground.catalog.models import App, User
from tests.access import world
from tests.access.table import HIDDEN, IN_THE_APP, OK, REFUSED, SIGN_IN, Row, tried
from tests.access.test_pages import browser, outcome
from tests.gateway.live import ECHO

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db

FOR_MEMBERS: Row = (OK, OK, OK, REFUSED, HIDDEN, OK)
FOR_OWNERS: Row = (OK, OK, REFUSED, REFUSED, HIDDEN, OK)
PAGES = ("/inputs/?app=olive/main", "/inputs/rows?app=olive/main", "/inputs/summary?app=olive/main")
ACTS: list[tuple[str, dict[str, Any], Row]] = [
    ("label", {"add_concepts": ["cup"]}, FOR_MEMBERS),
    ("put into a dataset", {"add_datasets": ["kitchen"]}, FOR_MEMBERS),
    ("set metadata", {"metadata": {"place": "quay"}}, FOR_MEMBERS),
    ("delete", {"delete": True}, FOR_OWNERS),
]


@pytest.fixture(autouse=True)
def token(settings: Any, tmp_path: Path) -> str:
    """Olive's input, and what brings another one back."""
    settings.MEDIA_ROOT = tmp_path / "media"
    world.make(ECHO)
    olive = User.objects.get(username=world.OWNER)
    app = App.objects.get(owner=olive, slug="main")
    add_input(olive, app, slug="hers", text="A cup of tea")
    return delete_inputs(olive, [add_input(olive, app, slug="gone", text="Another")])


def posted(client: Client, act: dict[str, Any]) -> str:
    answer = client.post("/inputs/act", json.dumps(act), content_type="application/json")
    return outcome(answer)


def test_files_of_what_is_chosen() -> None:
    sent = {"app": "olive/main", "format": "coco", "chosen": '{"ids": ["hers"]}'}
    assert tried(lambda name: outcome(browser(name).post("/inputs/export", sent))) == IN_THE_APP
    assert outcome(Client().post("/inputs/export", sent)) == SIGN_IN
    form = Client(enforce_csrf_checks=True)
    form.force_login(User.objects.get(username=world.OWNER))
    assert outcome(form.post("/inputs/export", sent)) == REFUSED


def test_walking_through_what_is_chosen() -> None:
    """One's own app without any of these ids has nothing to walk through."""

    def walked(client: Client) -> str:
        asked = {"app": "olive/main", "ids": ["hers"], "query": ""}
        return outcome(client.post("/inputs/walk", json.dumps(asked), content_type="application/json"))

    form = Client(enforce_csrf_checks=True)
    form.force_login(User.objects.get(username=world.OWNER))
    assert tried(lambda name: walked(browser(name))) == IN_THE_APP
    assert walked(Client()) == walked(form) == REFUSED


def test_looking() -> None:
    for address in PAGES:
        assert tried(partial(_looked, address)) == IN_THE_APP, address
        assert outcome(Client().get(address)) == SIGN_IN


def _looked(address: str, name: str) -> str:
    return outcome(browser(name).get(address))


def test_tiles_of_ids_are_only_those_one_sees() -> None:
    app = App.objects.create(owner=User.objects.get(username=world.STRANGER), slug="main")
    page = browser(world.STRANGER).get("/inputs/rows", {"app": str(app), "id": ["hers"]})
    assert "hers" not in page.content.decode()


def test_acting() -> None:
    form = Client(enforce_csrf_checks=True)
    form.force_login(User.objects.get(username=world.ADMIN))
    for words, given, row in ACTS:
        asked = {"app": "olive/main", "ids": ["hers"], **given}
        assert tried(partial(_acted, asked)) == row, words
        assert posted(Client(), asked) == posted(form, asked) == REFUSED
    assert Input.objects.alive().filter(slug="hers").exists()


def _acted(asked: dict[str, Any], name: str) -> str:
    return posted(browser(name), asked)


def test_adding() -> None:
    def added(name: str) -> str:
        answer = browser(name).post("/inputs/add", {"input": json.dumps({"app": "olive/main", "text": "More"})})
        return OK if answer.status_code == 201 else outcome(answer)

    assert tried(added) == FOR_MEMBERS
    assert Client().post("/inputs/add", {"input": "{}"}).status_code == 403


def test_bringing_back(token: str) -> None:
    row = tried(lambda name: posted(browser(name), {"undo": {"token": token}}))
    assert row == (OK, OK, OK, REFUSED, REFUSED, OK)
