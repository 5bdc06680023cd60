"""Sharing an app in the terminal and on its page."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from playground.catalog import sharing
from playground.catalog.access import Role, has_role, require_role, role_of
from playground.catalog.models import PRIVATE, PUBLIC, App, Change, Membership, Model, User
from playground.protocol.errors import AccessError, ConflictError, InputError, NotFoundError
from tests.access import world
from tests.gateway.live import ECHO

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def app() -> App:
    world.make(ECHO)
    return App.objects.get()


def person(name: str) -> User:
    return User.objects.get(username=name)


def browser(name: str) -> Client:
    client = Client()
    client.force_login(person(name))
    return client


def members(*arguments: str, **options: str) -> str:
    output = io.StringIO()
    call_command("members", *arguments, stdout=output, **options)
    return output.getvalue()


@pytest.mark.parametrize(
    ("name", "role"),
    [
        (world.OWNER, Role.OWNER),
        (world.CO_OWNER, Role.OWNER),
        (world.MEMBER, Role.MEMBER),
        (world.VIEWER, Role.VIEWER),
        (world.STRANGER, None),
        (world.ADMIN, Role.OWNER),
        (world.SHUT_OUT, None),
    ],
)
def test_each_has_one_role(app: App, name: str, role: Role | None) -> None:
    assert role_of(person(name), app) == role
    assert [least for least in Role if has_role(person(name), app, least)] == (
        list(Role)[: list(Role).index(role) + 1] if role else []
    )


def test_a_refusal_says_what_one_is_and_what_it_needs(app: App) -> None:
    with pytest.raises(AccessError, match="needs a member of the app olive/main; you are a viewer there"):
        require_role(person(world.VIEWER), app, Role.MEMBER)
    with pytest.raises(AccessError, match="needs an owner of the app olive/main; you are not a member"):
        require_role(person(world.STRANGER), app, Role.OWNER)


def test_the_terminal_adds_changes_lists_and_removes() -> None:
    assert members("add", "olive/main", "stan") == "stan is viewer of olive/main.\n"
    assert members("add", "olive/main", "stan", "--role", "member") == "stan is member of olive/main.\n"
    listed = members("list", "olive/main").splitlines()
    assert listed[0] == "olive/main olive owner"
    assert "olive/main stan member" in listed
    assert set(listed) <= set(members("list").splitlines())
    assert members("remove", "olive/main", "stan") == "stan is no member of olive/main any more.\n"
    assert not Membership.objects.filter(user__username="stan").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "olive/main", "nobody"), "no user nobody"),
        (("add", "olive/side", "stan"), "Those of olive are: olive/main"),
        (("add", "olive", "stan"), "give it as USER/APP"),
        (("add", "nobody/main", "stan"), "no user nobody"),
        (("add", "olive/main", "olive"), "belongs to olive"),
        (("remove", "olive/main", "stan"), "no member"),
        (("remove", "olive/main", "olive"), "cannot be taken away"),
        (("add", "olive/main", "stan", "--role", "king"), "invalid choice"),
    ],
)
def test_the_terminal_names_what_is_wrong(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises((CommandError, ConflictError, NotFoundError), match=words):
        members(*arguments)


def test_the_other_processes_hear_of_it(app: App) -> None:
    before = Change.objects.count()
    sharing.set_member(person(world.OWNER), app, world.STRANGER, "viewer")
    sharing.remove_member(person(world.OWNER), app, world.STRANGER)
    sharing.set_visibility(person(world.OWNER), app, PUBLIC)
    assert [row.kind for row in Change.objects.order_by("pk")[before:]] == ["app"] * 3


@pytest.mark.parametrize(("visibility", "words"), [(30, "no organisations"), (0, "private")])
def test_there_is_private_and_public(app: App, visibility: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sharing.set_visibility(person(world.OWNER), app, visibility)


def test_a_public_app_opens_none_of_its_private_models(app: App) -> None:
    stranger = person(world.STRANGER)
    sharing.set_visibility(person(world.OWNER), app, PUBLIC)
    assert list(App.objects.visible_to(stranger)) == [app]
    assert [model.slug for model in Model.objects.visible_to(stranger)] == ["open"]


def test_the_page_adds_a_member_and_changes_their_role() -> None:
    client = browser(world.CO_OWNER)
    for role in ("viewer", "owner"):
        answer = client.post("/olive/main/settings/members", {"name": "stan", "role": role}, follow=True)
        assert f"stan is {role} of olive/main." in answer.content.decode()
    assert Membership.objects.get(user__username="stan").role == Role.OWNER


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "nobody", "role": "viewer"}, "There is no user nobody."),
        ({"name": "olive", "role": "viewer"}, "belongs to olive"),
        ({"name": "stan", "role": "king"}, "king is not one of the available choices"),
        ({"role": "viewer"}, "This field is required"),
    ],
)
def test_the_page_says_what_does_not_fit_beside_the_form(given: dict[str, str], words: str) -> None:
    answer = browser(world.OWNER).post("/olive/main/settings/members", given)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Membership.objects.filter(user__username="stan").exists()


def test_one_leaves_an_app_by_oneself() -> None:
    answer = browser(world.VIEWER).post("/olive/main/settings/members/remove", {"name": "vera"}, follow=True)
    assert "You left olive/main." in answer.content.decode()
    assert not Membership.objects.filter(user__username="vera").exists()


@pytest.mark.parametrize("model", ["", "echo"])
def test_making_public_asks_first(app: App, model: str) -> None:
    client = browser(world.OWNER)
    address, given = "/olive/main/settings/visibility", {"model": model, "visibility": PUBLIC}
    assert "needs the answer yes" in (answer := client.post(address, given)).content.decode()
    assert answer.status_code == 400
    thing = (lambda: Model.objects.get(slug=model)) if model else (lambda: App.objects.get())
    assert thing().visibility == PRIVATE
    assert client.post(address, given | {"sure": "yes"}).status_code == 302
    assert thing().visibility == PUBLIC
    assert client.post(address, given | {"visibility": PRIVATE}).status_code == 302
    assert thing().visibility == PRIVATE


def test_who_may_only_look_gets_no_forms() -> None:
    page = browser(world.VIEWER).get("/olive/main/settings").content.decode()
    assert "merle" in page
    assert "Make echo public" not in page
    assert "Leave this app" in page
    assert "Add a user" not in page


def test_the_list_of_apps_is_of_those_one_has_a_role_in(app: App) -> None:
    sharing.set_visibility(person(world.OWNER), app, PUBLIC)
    assert "/olive/main/settings" in browser(world.MEMBER).get("/apps/").content.decode()
    assert "/olive/main/settings" not in browser(world.STRANGER).get("/apps/").content.decode()
