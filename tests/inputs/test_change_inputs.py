"""Editing, labelling, deleting and bringing back: what is counted and found follows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from inputs import services
from inputs.models import UNDO, Annotation, Concept, Input, Prediction
from inputs.queries import Filter, page, total
from inputs.services import Given
from playground.catalog.models import App
from playground.compute.services.removal import delete_app
from playground.media import blobs
from playground.media import services as media
from playground.media.models import Blob, Reference
from playground.protocol.errors import AccessError, InputError, NotFoundError
from tests.inputs.making import jpeg

if TYPE_CHECKING:
    from playground.catalog.models import User


def found(user: User, app: App, query: str) -> list[str]:
    return [row.slug for row in page(user, app, Filter.from_query(QueryDict(query))).rows]


@pytest.fixture
def three(ada: User, app: App) -> list[Input]:
    given = [Given(data=jpeg(number), slug=f"n{number}", name=f"n{number}.jpg") for number in range(3)]
    return [one for one in services.add_inputs(ada, app, given) if isinstance(one, Input)]


# -- editing --


def test_many_are_edited_alike(ada: User, app: App, three: list[Input]) -> None:
    services.edit_inputs(
        ada, three[:2], add_concepts=["cup", ("tea", 0.5)], metadata={"seen": True}, add_datasets=["kitchen"]
    )
    assert found(ada, app, "concept=cup") == found(ada, app, "dataset=kitchen") == ["n1", "n0"]
    assert found(ada, app, "metadata=seen%3Dtrue") == ["n1", "n0"]
    services.edit_inputs(
        ada, three, remove_concepts=["cup"], metadata={"seen": None, "by": {"a": 1}}, remove_datasets=["kitchen"]
    )
    assert found(ada, app, "concept=cup") == found(ada, app, "dataset=kitchen") == []
    assert found(ada, app, "metadata=seen%3Dtrue") == []
    assert found(ada, app, "concept=tea") == ["n1", "n0"]
    services.edit_inputs(ada, [three[0]], metadata={"by": {"b": 2}}, name="harbour.jpg", set_concepts=[("red", 1.0)])
    three[0].refresh_from_db()
    assert (three[0].metadata, three[0].name) == ({"by": {"a": 1, "b": 2}}, "harbour.jpg")
    assert found(ada, app, "q=harbour") == ["n0"]
    assert [one.concept.slug for one in three[0].annotations.all() if one.concept] == ["red"]
    services.edit_inputs(ada, [three[0]], set_metadata={})
    assert found(ada, app, "metadata=by.a%3D1") == ["n2", "n1"]


def test_editing_is_for_members(app: App, three: list[Input], mate: User, viewer: User, stranger: User) -> None:
    services.edit_inputs(mate, three, add_concepts=["cup"])
    with pytest.raises(AccessError, match="needs a member"):
        services.edit_inputs(viewer, three, add_concepts=["cup"])
    with pytest.raises(NotFoundError, match="not shared with you"):
        services.edit_inputs(stranger, three, add_concepts=["cup"])


def test_nothing_is_changed_where_something_does_not_fit(ada: User, app: App, three: list[Input]) -> None:
    for change in (
        {"add_concepts": ["ok", ("cup", 1.5)]},
        {"add_concepts": [("cup", float("nan"))]},
        {"add_concepts": ["a/b"]},
        {"add_concepts": ["ok"], "name": " / "},
        {"add_concepts": ["ok"], "metadata": {"a": "x" * 200_000}},
        {"add_concepts": ["ok"], "add_datasets": [""]},
    ):
        with pytest.raises(InputError):
            services.edit_inputs(ada, three, **change)  # type: ignore[arg-type]
    assert not Concept.objects.exists()
    with pytest.raises(InputError, match="At most 10,000"):
        services.edit_inputs(ada, range(10_001))


# -- labelling --


def test_a_concept_of_the_whole_is_said_once(ada: User, mate: User, three: list[Input]) -> None:
    first = services.annotate(ada, three[0], name="Tea cup")
    again = services.annotate(mate, three[0], concept="Tea cup", value=0.0)
    assert (again.pk, again.value, again.created_by) == (first.pk, 0.0, ada)
    assert again.concept is not None
    assert (again.concept.slug, again.concept.name) == ("Tea cup", "Tea cup")


def test_boxes_lie_in_the_picture(ada: User, three: list[Input]) -> None:
    made = services.annotate(ada, three[0], concept="cup", box=(-0.2, 0.1, 0.5, 1.7))
    assert made.box == (0.0, 0.1, 0.5, 1.0)
    moved = services.edit_annotation(ada, made, box=(0.2, 0.2, 0.4, 0.4), concept="mug", value=0.5)
    moved.refresh_from_db()
    assert (moved.box, moved.concept and moved.concept.slug, moved.value) == ((0.2, 0.2, 0.4, 0.4), "mug", 0.5)
    wrong: tuple[Any, ...] = (
        (0.5, 0, 0.5, 1),
        (0.9, 0, 0.1, 1),
        (2, 2, 3, 3),
        (0, 0, float("inf"), float("nan")),
        (0, 1),
    )
    for box in wrong:
        with pytest.raises(InputError, match="box"):
            services.annotate(ada, three[0], concept="cup", box=box)
    with pytest.raises(InputError, match="needs a concept, a box or a text"):
        services.annotate(ada, three[0])


def test_annotations_are_looked_up_for_their_reader(
    ada: User, three: list[Input], viewer: User, stranger: User
) -> None:
    made = services.annotate(ada, three[0], text="says hello", box=(0, 0, 1, 1))
    assert services.find_annotation(viewer, made.pk).text == "says hello"
    with pytest.raises(AccessError):
        services.remove_annotation(viewer, made)
    with pytest.raises(NotFoundError):
        services.find_annotation(stranger, made.pk)
    services.remove_annotation(ada, made)
    assert not Annotation.objects.exists()


# -- deleting --


def test_what_is_deleted_is_gone_at_once_and_comes_back_whole(ada: User, app: App, three: list[Input]) -> None:
    services.annotate(ada, three[0], concept="cup")
    token = services.delete_inputs(ada, three[:2])
    assert (total(app), found(ada, app, ""), found(ada, app, "q=n0"), found(ada, app, "concept=cup")) == (
        1,
        ["n2"],
        [],
        [],
    )
    with pytest.raises(NotFoundError, match="deleted before"):
        services.delete_inputs(ada, three[:2])
    assert [row.slug for row in services.restore_inputs(ada, token)] == ["n0", "n1"]
    assert (total(app), found(ada, app, "q=n0"), found(ada, app, "concept=cup")) == (3, ["n0"], ["n0"])
    with pytest.raises(NotFoundError, match="too late"):
        services.restore_inputs(ada, token)


def test_later_deletions_can_join_a_token(ada: User, app: App, three: list[Input]) -> None:
    token = services.delete_inputs(ada, [three[0].pk])
    assert services.delete_inputs(ada, [three[1].pk], token=token) == token
    assert len(services.restore_inputs(ada, token)) == 2
    with pytest.raises(NotFoundError):
        services.restore_inputs(ada, "")


def test_an_id_that_was_taken_meanwhile_is_not_taken_back(ada: User, app: App, three: list[Input]) -> None:
    token = services.delete_inputs(ada, [three[0]])
    services.add_input(ada, app, text="another", slug="n0")
    (back,) = services.restore_inputs(ada, token)
    assert back.slug != "n0"
    assert total(app) == 4


def test_members_delete_what_they_added_and_owners_anything(app: App, ada: User, mate: User, viewer: User) -> None:
    hers = services.add_input(ada, app, text="hers", name="hers.txt")
    his = services.add_input(mate, app, text="his")
    with pytest.raises(AccessError, match=r"hers\.txt was added by somebody else"):
        services.delete_inputs(mate, [his, hers])
    assert total(app) == 2
    with pytest.raises(AccessError, match="needs a member"):
        services.delete_inputs(viewer, [his])
    token = services.delete_inputs(mate, [his])
    with pytest.raises(AccessError):
        services.restore_inputs(viewer, token)
    services.delete_inputs(ada, [hers])


def test_after_ten_minutes_bytes_go_too(ada: User, app: App, three: list[Input]) -> None:
    token = services.delete_inputs(ada, [three[0]])
    assert services.sweep() == 0
    Input.objects.filter(pk=three[0].pk).update(deleted_at=timezone.now() - UNDO)
    assert three[0].reference is not None
    sha256 = three[0].reference.blob_id
    assert services.sweep() == 1
    assert not blobs.exists(sha256)
    assert not blobs.exists(sha256, "thumbnail")
    assert Reference.objects.count() == Blob.objects.count() == 2
    with pytest.raises(NotFoundError, match="too late"):
        services.restore_inputs(ada, token)


def test_bytes_stay_while_something_else_has_them(ada: User, app: App, stranger: User) -> None:
    first = services.add_input(ada, app, data=jpeg())
    assert first.reference is not None
    second = services.add_input(ada, app, reference=first.reference, on_duplicate="keep")
    theirs = services.add_input(stranger, stranger.apps.get(), data=jpeg())
    sha256 = first.reference.blob_id
    for row, is_there in ((first, True), (second, True), (theirs, False)):
        services.delete_inputs(row.owner, [row])
        assert services.purge(at_once=True) == 1
        media.sweep()
        assert blobs.exists(sha256) is is_there


@pytest.mark.django_db(transaction=True)
def test_an_app_goes_with_what_it_keeps(ada: User) -> None:
    side = App.objects.create(owner=ada, slug="side")
    rows = [services.add_input(ada, side, data=jpeg(number), name=f"{number}.jpg") for number in range(2)]
    services.delete_inputs(ada, rows[:1])
    delete_app(ada, side)
    assert not Input.objects.exists()
    assert not Reference.objects.exists()
    assert not Blob.objects.exists()


def test_a_user_goes_with_all_they_have(ada: User, app: App, mate: User, three: list[Input]) -> None:
    services.add_input(mate, app, data=jpeg(9), concepts=["cup"])
    mate.delete()
    assert Input.objects.count() == 3
    ada.delete()
    assert not Input.objects.exists()
    assert not Prediction.objects.exists()
    media.sweep()
    assert not Blob.objects.exists()
