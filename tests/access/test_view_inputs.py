"""One input's page and the acts on it, tried by each person."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from inputs.models import Input, Prediction
from inputs.services import add_input, annotate
from playground.catalog.models import App, Model, User
from tests.access import world
from tests.access.table import HIDDEN, IN_THE_APP, OK, REFUSED, SIGN_IN, Row, tried
from tests.access.test_pages import browser, outcome
from tests.gateway.live import ECHO

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db

FOR_MEMBERS: Row = (OK, OK, OK, REFUSED, HIDDEN, OK)
FOR_OWNERS: Row = (OK, OK, REFUSED, REFUSED, HIDDEN, OK)
OLIVE_ALONE: Row = (OK, *(HIDDEN,) * 5)
PAGES = ("/inputs/hers/?app=olive/main", "/inputs/hers/export?app=olive/main", "/inputs/export?app=olive/main")
ACTS: list[tuple[str, str, dict[str, Any], Row]] = [
    ("say something", "hers/annotations", {"concept": "cup"}, FOR_MEMBERS),
    ("say it otherwise", "hers/annotations/{said}", {"concept": "mug"}, FOR_MEMBERS),
    ("take it away", "hers/annotations/remove", {"ids": ["{said}"]}, FOR_MEMBERS),
    ("set metadata", "hers/edit", {"metadata": {"place": "quay"}}, FOR_MEMBERS),
    ("ask a model about it", "hers/borrow", {}, IN_THE_APP),
    ("accept olive's prediction", "hers/predictions/{prediction}/accept", {"findings": [0]}, OLIVE_ALONE),
    ("delete", "hers/delete", {}, FOR_OWNERS),
]


@pytest.fixture(autouse=True)
def names(settings: Any, tmp_path: Path) -> dict[str, int]:
    """Olive's input, what is said of it, and what she had predicted on it."""
    settings.MEDIA_ROOT = tmp_path / "media"
    world.make(ECHO)
    olive = User.objects.get(username=world.OWNER)
    app = App.objects.get(owner=olive, slug="main")
    row = add_input(olive, app, slug="hers", text="A cup of tea")
    said = annotate(olive, row, concept="tea")
    model = Model.objects.get(app=app, slug="echo")
    found = [{"concept": {"id": "cup", "name": "cup", "value": 0.9}}]
    prediction = Prediction.objects.create(input=row, user=olive, model=model, method="predict", outputs=[found])
    return {"said": said.pk, "prediction": prediction.pk}


def test_looking() -> None:
    for address in PAGES:
        assert tried(partial(_looked, address)) == IN_THE_APP, address
        assert outcome(Client().get(address)) == SIGN_IN


def _looked(address: str, name: str) -> str:
    return outcome(browser(name).get(address))


def test_acting(names: dict[str, int]) -> None:
    form = Client(enforce_csrf_checks=True)
    form.force_login(User.objects.get(username=world.ADMIN))
    for words, path, given, row in ACTS:
        body = given | ({"ids": [names["said"]]} if "ids" in given else {})
        act = partial(_acted, f"/inputs/{path.format(**names)}?app=olive/main", body)
        assert tried(act) == row, words
        assert posted(Client(), f"/inputs/{path.format(**names)}", body) == SIGN_IN
        assert posted(form, f"/inputs/{path.format(**names)}", body) == REFUSED
    assert Input.objects.alive().filter(slug="hers").exists()


def _acted(address: str, body: dict[str, Any], name: str) -> str:
    return posted(browser(name), address, body)


def posted(client: Client, address: str, body: dict[str, Any]) -> str:
    return outcome(client.post(address, json.dumps(body), content_type="application/json"))
