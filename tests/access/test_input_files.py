"""The bytes of an input, behind addresses: tried by each person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from inputs import addresses, services
from playground.catalog.models import App, User
from tests.access import world
from tests.access.table import ALL, HIDDEN, IN_THE_APP, OLIVE_ALONE, tried
from tests.access.test_pages import browser, outcome
from tests.gateway.live import ECHO
from tests.media.conftest import picture

if TYPE_CHECKING:
    from pathlib import Path

    from inputs.models import Input

pytestmark = pytest.mark.django_db
NAMES = ("original", "preview", "thumbnail")


@pytest.fixture
def cup(settings: Any, tmp_path: Path) -> Input:
    settings.MEDIA_ROOT = tmp_path / "media"
    world.make(ECHO)
    olive = User.objects.get(username=world.OWNER)
    return services.add_input(olive, App.objects.get(owner=olive), data=picture(), name="cup.png")


def test_an_address_opens_for_whom_it_was_made_and_who_has_a_role(cup: Input) -> None:
    for name in NAMES:
        make = getattr(addresses, name)
        own = tried(lambda who, make=make: outcome(browser(who).get(make(User.objects.get(username=who), cup))))
        assert own == IN_THE_APP, name
        olives = make(User.objects.get(username=world.OWNER), cup)
        assert tried(lambda who, olives=olives: outcome(browser(who).get(olives))) == OLIVE_ALONE, name
        assert outcome(Client().get(olives)) == HIDDEN, name
        shut_out = User.objects.get(username=world.SHUT_OUT)
        assert outcome(Client().get(addresses.for_program(shut_out, cup, name))) == HIDDEN, name


def test_a_programs_address_is_a_key_in_itself(cup: Input) -> None:
    address = addresses.for_program(User.objects.get(username=world.OWNER), cup)
    assert tried(lambda who: outcome(browser(who).get(address))) == ALL
    assert Client().get(address).status_code == 200
    assert Client().post(address).status_code == 405
