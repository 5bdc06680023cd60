"""A selection of the manager is walked through in the viewer: in the manager's order, by an address that holds it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from inputs import services
from inputs.queries.picked import MAX_LENGTH, pack, unpack
from playground.protocol.errors import InputError
from tests.inputs.conftest import browser_of

if TYPE_CHECKING:
    from inputs.models import Input
    from playground.catalog.models import App, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def cups(ada: User, app: App) -> list[Input]:
    return [services.add_input(ada, app, slug=f"cup-{n}", text=f"Cup {n}", name="bdaec"[n]) for n in range(5)]


def walk(user: User, ids: list[str], query: str = "") -> str:
    body = json.dumps({"app": "ada/main", "ids": ids, "query": query})
    answer = browser_of(user).post("/inputs/walk", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return str(answer.json()["url"])


def facts(user: User, address: str) -> dict[str, Any]:
    answer = browser_of(user).get(address, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def walked(user: User, address: str | None) -> list[tuple[str, int, int]]:
    """By *next*: each one's id, its place, and how many there are."""
    seen = []
    while address:
        about = facts(user, address)
        seen.append((about["id"], about["position"], about["total"]))
        address = about["next"]
    return seen


@pytest.mark.parametrize(
    ("query", "order"), [("", ["cup-4", "cup-2", "cup-0"]), ("order=name", ["cup-2", "cup-0", "cup-4"])]
)
def test_it_goes_from_the_first_to_the_last_of_those_chosen(
    ada: User, cups: list[Input], query: str, order: list[str]
) -> None:
    address = walk(ada, ["cup-0", "cup-4", "cup-2", "none"], query)
    assert walked(ada, address) == [(slug, n, 3) for n, slug in enumerate(order, 1)]
    middle = facts(ada, facts(ada, address)["next"])
    assert middle["is_picked"]
    assert [one["name"] for one in middle["strip"]] == [cups[int(slug[-1])].name for slug in order]
    assert facts(ada, middle["previous"])["id"] == order[0]
    assert "of=" not in middle["back_url"] + middle["delete_url"] + middle["export_urls"]["coco"]


def test_what_is_deleted_meanwhile_leaves_it(ada: User, cups: list[Input]) -> None:
    address = walk(ada, ["cup-0", "cup-1", "cup-2"])
    token = services.delete_inputs(ada, [cups[1]])
    assert walked(ada, address) == [("cup-2", 1, 2), ("cup-0", 2, 2)]
    services.restore_inputs(ada, token)
    assert [slug for slug, _, _ in walked(ada, address)] == ["cup-2", "cup-1", "cup-0"]


def test_one_that_is_not_among_them_stands_among_all(ada: User, cups: list[Input]) -> None:
    picked = walk(ada, ["cup-0", "cup-2"]).partition("of=")[2]
    about = facts(ada, f"/inputs/cup-4/?of={picked}")
    assert (about["total"], about["is_picked"]) == (5, False)
    assert walk(ada, ["cup-3"]) == "/inputs/cup-3/"  # a single one leads on through all


def test_the_address_shows_nobody_what_is_not_theirs(ada: User, stranger: User, cups: list[Input]) -> None:
    address = walk(ada, ["cup-0", "cup-2"])
    assert browser_of(stranger).get(address).status_code == 404
    assert browser_of(ada).get("/inputs/cup-0/?of=%21%21").status_code == 200
    assert browser_of(ada).get(f"/inputs/cup-0/?of={'A' * (MAX_LENGTH + 1)}").status_code == 400


def test_many_go_into_an_address_and_too_many_do_not() -> None:
    chance = random.Random(1)
    for wanted in ([5, 3, 4], [2**40, 1, 2**62], list(range(9000, 6100, -1)), chance.sample(range(1, 10**6), 1000)):
        assert unpack(pack(wanted)) == wanted
    assert pack(range(1, 10_000)) == ""
    for wrong in ("AA", "_" * 40, "A" * (MAX_LENGTH + 1)):
        with pytest.raises(InputError, match="cannot be read"):
            unpack(wrong)
