"""Addresses of inputs that programs are told: they lead to the bytes without a session, while their user sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clarifai_grpc.grpc.api import service_pb2
from django.test import Client

from inputs import addresses
from inputs.services import add_input
from playground.catalog.models import App, Membership, User
from playground.gateway.families.inputs import get_input
from playground.gateway.families.media import address_of
from tests.gateway.asking import whose
from tests.gateway.inputs_wire import picture

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


def test_an_address_opens_while_its_user_may_see_the_input(settings: pytest.FixtureRequest, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    owner, member = (User.objects.create_user(name) for name in ("owner", "member"))
    app = App.objects.create(owner=owner, slug="main")
    Membership.objects.create(app=app, user=member, role="viewer")
    content = picture()
    row = add_input(owner, app, data=content, slug="cat", name="cat.png")
    request = service_pb2.GetInputRequest(user_app_id=whose("owner", "main"), input_id="cat")
    told = get_input(member, request).input.data.image.url
    assert told == address_of(member, row)
    path = "/" + told.split("/", 3)[3]
    assert path == addresses.for_program(member, row)
    answer = Client().get(path, headers={"Authorization": "Key whatever"})
    assert (answer.status_code, answer.content) == (200, content)
    assert answer["Content-Type"] == "image/png"
    Membership.objects.all().delete()
    assert Client().get(path).status_code == 404
