"""One input as the viewer's module asks for it, what is said of it from there, and what was predicted on it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from django.test import Client

from inputs import services
from inputs.exports import pieces
from inputs.fits import fit, fitting, why_not
from inputs.models import Annotation, Input
from playground.catalog.models import App, Membership, Model, User
from playground.protocol.signatures import Signature, build_signature
from playground.protocol.values import Concept, Image, Region, Text
from playground.runs.models import EventBlock, Run
from tests.inputs.conftest import browser_of
from tests.inputs.making import jpeg

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db
REGIONS = [
    {"region": {"box": [0.1, 0.2, 0.5, 0.8], "concepts": [{"id": "cup", "name": "cup", "value": 0.9}]}},
    {"region": {"point": [0.5, 0.5], "concepts": [{"id": "nose", "name": "nose", "value": 0.8}]}},
    {"region": {"box": [0.0, 0.0, 0.2, 0.2], "concepts": [{"id": "spoon", "name": "Spoon", "value": 0.3}]}},
]


def found(image: Image, threshold: float = 0.4) -> list[Region]:
    return []


def described(image: Image, prompt: str) -> Iterator[str]:
    yield ""


def spoken(text: Text) -> list[Concept]:
    return []


def followed(images: Iterator[Image]) -> Iterator[str]:
    yield ""


def gathered(images: list[Image]) -> str:
    return ""


def signature(function: Any) -> Signature:
    return build_signature(function, where="test")


@pytest.fixture
def cups(ada: User, app: App) -> list[Input]:
    return [services.add_input(ada, app, slug=f"cup-{n}", text=f"Cup {n}", name=f"cup-{n}.jpg") for n in range(3)]


@pytest.fixture
def finder(app: App) -> Model:
    model = Model.objects.create(app=app, slug="finder", type_id="visual-detector")
    version = model.versions.create(slug="v1")
    version.signatures = [signature(found), signature(spoken)]
    version.save()
    return model


def ran(user: User, model: Model, outputs: list[Any], **fields: Any) -> Run:
    """A run that is over and stored."""
    facts = {"method": "found", "state": Run.State.FINISHED, "served_by": {"is_shared": True}, **fields}
    run = Run.objects.create(id=uuid.uuid4(), user=user, model=model, version=model.latest, **facts)
    events = [{"n": n, "kind": "output", "t": 1.0, "i": n - 1, "value": value} for n, value in enumerate(outputs, 1)]
    EventBlock.objects.create(run=run, first=1, last=max(len(events), 1), events=orjson.dumps(events))
    return run


def facts(client: Client, address: str) -> dict[str, Any]:
    answer = client.get(address, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def post(client: Client, address: str, **body: Any) -> HttpResponse:
    headers = {"Accept": "application/json"}
    return client.post(address, json.dumps(body), content_type="application/json", headers=headers)  # type: ignore[return-value]


def posted(client: Client, address: str, **body: Any) -> dict[str, Any]:
    answer = post(client, address, **body)
    assert answer.status_code == 200, answer.content
    return dict(json.loads(answer.content))


# -- which methods take it --


def test_an_input_goes_into_the_argument_of_its_kind() -> None:
    picture, text = fit(signature(found), "image"), fit(signature(spoken), "text")
    assert picture
    assert (picture.argument, picture.is_list) == ("image", False)
    assert text
    assert text.argument == "text"
    assert fit(signature(spoken), "image") is None
    several, stream = fit(signature(gathered), "image"), fit(signature(followed), "image")
    assert several
    assert stream
    assert several.is_list
    assert stream.is_list
    assert fit(signature(described), "text")  # a prompt is text too


def test_methods_that_stream_both_ways_stand_last() -> None:
    known = [signature(followed), signature(found)]
    assert [one.name for one in fitting(known, "image")] == ["found", "followed"]
    assert why_not(known, "image") == ""
    assert why_not(known, "text") == "Takes a picture; this input is text"
    assert why_not([signature(spoken)], "image") == "Takes text; this input is a picture"
    assert why_not([], "image") == "What it takes is known once it has been loaded"


def test_the_window_lists_what_takes_the_input_first(ada: User, app: App, finder: Model) -> None:
    other = Model.objects.create(app=app, slug="a-reader")
    version = other.versions.create(slug="v1")
    version.signatures = [signature(spoken)]
    version.save()
    page = browser_of(ada).get("/choose/?kind=image").content.decode()
    assert page.index('data-name="finder"') < page.index('data-name="a-reader"')
    assert "Takes text; this input is a picture" in page
    listed = browser_of(ada).get("/choose/?kind=text&q=reader").content.decode()
    assert "a-reader" in listed
    assert "finder" not in listed
    assert "<model-chooser" not in listed
    side = browser_of(ada).get("/ada/main/models/finder/target?kind=image").content.decode()
    assert "field-found-threshold" in side
    assert "field-found-image" not in side
    refused = browser_of(ada).get("/ada/main/models/a-reader/target?kind=image").content.decode()
    assert "this input is a picture" in refused


# -- looking --


def test_it_stands_in_the_managers_order_and_filter(ada: User, cups: list[Input]) -> None:
    services.annotate(ada, cups[0], concept="tea")
    services.annotate(ada, cups[2], concept="tea")
    client = browser_of(ada)
    middle = facts(client, "/inputs/cup-1/")
    assert (middle["previous"], middle["next"]) == ("/inputs/cup-2/", "/inputs/cup-0/")
    assert (middle["position"], middle["total"]) == (2, 3)
    assert [one["name"] for one in middle["strip"]] == ["cup-2.jpg", "cup-1.jpg", "cup-0.jpg"]
    narrowed = facts(client, "/inputs/cup-2/?concept=tea&order=oldest")
    assert narrowed["previous"] == "/inputs/cup-0/?concept=tea&order=oldest"
    assert (narrowed["position"], narrowed["total"], narrowed["next"]) == (2, 2, None)
    assert facts(client, "/inputs/cup-1/?concept=tea")["position"] is None


def test_the_page_and_the_facts_have_one_address(ada: User, cups: list[Input]) -> None:
    answer = browser_of(ada).get("/inputs/cup-1/")
    assert b"<input-viewer" in answer.content
    assert b"cup-1.jpg" in answer.content
    assert "Accept" in answer["Vary"]
    assert "no-store" in answer["Cache-Control"]


def test_names_with_every_character(ada: User, app: App) -> None:
    name = "<b>\"a' & b?#%2F.txt"
    row = services.add_input(ada, app, slug='a b?#%&"<.txt', text="Words", name=name)
    client = browser_of(ada)
    address = row.get_absolute_url()
    assert facts(client, address)["name"] == name
    assert b"<b>&quot;" not in (page := client.get(address).content)
    assert b'<b>"a' not in page
    assert posted(client, facts(client, address)["annotations_url"], concept="odd/name")["annotations"]


def test_another_user_sees_it_by_their_role(
    cups: list[Input], mate: User, viewer: User, stranger: User, ada: User
) -> None:
    address = "/inputs/cup-1/?app=ada/main"
    mates, viewers = facts(browser_of(mate), address), facts(browser_of(viewer), address)
    assert (mates["may_edit"], mates["may_delete"], viewers["may_edit"]) == (True, False, False)
    assert mates["media"] is None
    assert facts(browser_of(ada), address)["media"] == cups[1].reference_id
    assert mates["next"] == "/inputs/cup-0/?app=ada/main"
    assert browser_of(stranger).get(address).status_code == 404
    lent = posted(browser_of(viewer), viewers["borrow_url"])["media"]
    assert lent != cups[1].reference_id
    assert browser_of(viewer).get(f"/media/{lent}").status_code == 200


# -- saying --


def test_boxes_and_concepts_are_said_changed_and_taken_back(ada: User, cups: list[Input]) -> None:
    client = browser_of(ada)
    about = facts(client, "/inputs/cup-1/")
    said = posted(client, about["annotations_url"], concept="Tea Cup", box=[0.1, 0.1, 0.4, 0.5])["annotations"]
    said = posted(client, about["annotations_url"], concept="warm")["annotations"]
    assert [(one["concept"]["name"], one["box"]) for one in said] == [("Tea Cup", [0.1, 0.1, 0.4, 0.5]), ("warm", None)]
    moved = posted(client, said[0]["url"], box=[0.2, 0.2, 2, 0.5])["annotations"]
    assert moved[0]["box"] == [0.2, 0.2, 1.0, 0.5]
    assert moved[0]["concept"]["name"] == "Tea Cup"
    renamed = posted(client, said[0]["url"], concept="WARM")["annotations"]  # the concept that there is
    assert renamed[0]["concept"]["name"] == "warm"
    left = posted(client, about["unannotate_url"], ids=[said[1]["id"], 999])["annotations"]
    assert [one["id"] for one in left] == [said[0]["id"]]
    assert posted(client, about["edit_url"], metadata={"place": "quay"})["metadata"] == {"place": "quay"}


def test_what_does_not_fit_is_refused_in_words(ada: User, cups: list[Input]) -> None:
    client = browser_of(ada)
    about = facts(client, "/inputs/cup-1/")
    refuse = partial(post, client)
    for answer in (
        refuse(about["annotations_url"], box=[0, 0, 1]),
        refuse(about["annotations_url"], concept=5),
        refuse(about["annotations_url"], concept="cup", box=[0, 0, "a", 1]),
        refuse(about["annotations_url"]),
        refuse(about["edit_url"], metadata=[1]),
        refuse(about["predictions_url"], run="no"),
        refuse(about["unannotate_url"], ids=["1"]),
    ):
        assert answer.status_code == 400, answer.content
        assert json.loads(answer.content)["error"]["message"]
    assert client.post(about["edit_url"], "[", content_type="application/json").status_code == 400
    assert client.get("/inputs/cup-1/export?format=zip").status_code == 400
    assert not Annotation.objects.exists()


def test_deleting_can_be_undone(ada: User, cups: list[Input]) -> None:
    client = browser_of(ada)
    about = facts(client, "/inputs/cup-1/")
    gone = posted(client, about["delete_url"])
    assert client.get("/inputs/cup-1/").status_code == 404
    posted(client, about["restore_url"], **gone)
    assert client.get("/inputs/cup-1/").status_code == 200


# -- predicting --


def test_what_a_run_gave_is_kept_and_accepted(ada: User, cups: list[Input], finder: Model) -> None:
    client = browser_of(ada)
    about = facts(client, "/inputs/cup-1/")
    run = ran(ada, finder, [REGIONS], total_ms=34.0)
    kept = posted(client, about["predictions_url"], run=str(run.pk))
    assert (kept["target"], kept["asked"], kept["served"]) == ("ada/main/models/finder", "Shared", "Shared")
    assert (kept["as_asked"], kept["shape"]["type"], kept["total_ms"]) == (True, "list", 34.0)
    [shown] = facts(client, "/inputs/cup-1/")["predictions"]
    assert shown["outputs"] == [REGIONS]
    accepted = posted(client, kept["accept_url"], findings=[0, 2])
    assert [(one["concept"]["name"], one["origin"]) for one in accepted["annotations"]] == [
        ("cup", "accepted"),
        ("Spoon", "accepted"),
    ]
    assert len(accepted["added"]) == 2
    assert post(client, kept["accept_url"], findings=[1]).status_code == 400  # a point is no box
    again = posted(client, about["predictions_url"], run=str(ran(ada, finder, [[]]).pk))
    assert [one["id"] for one in facts(client, "/inputs/cup-1/")["predictions"]] == [again["id"]]
    assert post(client, kept["accept_url"], findings=[0]).status_code == 404


def test_each_place_asked_has_a_layer_of_its_own(ada: User, cups: list[Input], finder: Model) -> None:
    client = browser_of(ada)
    about = facts(client, "/inputs/cup-1/")
    place = {"deployment_id": "edge", "nodepool_id": "pi", "compute_cluster_id": "harbour"}
    asked: list[dict[str, str]] = [
        {},
        {"deployment_id": "edge"},
        {"compute_cluster_id": "harbour", "nodepool_id": "pi"},
    ]
    for selector in asked:
        run = ran(ada, finder, [REGIONS], selector=selector, served_by=place)
        posted(client, about["predictions_url"], run=str(run.pk))
    layers = facts(client, "/inputs/cup-1/")["predictions"]
    assert [one["selector"] for one in layers] == asked[::-1]
    assert [one["as_asked"] for one in layers] == [True, True, False]
    Run.objects.all().delete()  # as the sweep does in time: what is kept says the same
    assert [one["selector"] for one in facts(client, "/inputs/cup-1/")["predictions"]] == asked[::-1]


def test_predictions_are_their_users_own(ada: User, mate: User, cups: list[Input], finder: Model) -> None:
    about = facts(browser_of(ada), "/inputs/cup-1/")
    run = ran(ada, finder, [REGIONS])
    kept = posted(browser_of(ada), about["predictions_url"], run=str(run.pk))
    seen = facts(browser_of(mate), "/inputs/cup-1/?app=ada/main")
    assert seen["predictions"] == []
    assert post(browser_of(mate), kept["accept_url"] + "?app=ada/main", findings=[0]).status_code == 404
    viewer = User.objects.create_user("watcher")
    Membership.objects.create(app=cups[1].app, user=viewer, role=Membership.Role.VIEWER)
    theirs = facts(browser_of(viewer), "/inputs/cup-1/?app=ada/main")
    mine = posted(browser_of(viewer), theirs["predictions_url"], run=str(ran(viewer, finder, [REGIONS]).pk))
    assert post(browser_of(viewer), mine["accept_url"], findings=[0]).status_code == 403


# -- files --


def test_files_hold_what_people_and_models_say_apart(ada: User, app: App, finder: Model) -> None:
    row = services.add_input(ada, app, slug="cup", data=jpeg(1), name="cup.jpg")
    services.annotate(ada, row, concept="cup", box=(0.25, 0.5, 0.75, 1.0))
    services.annotate(ada, row, concept="warm")
    services.annotate(ada, row, text="No 7", box=(0.0, 0.0, 0.5, 0.5))
    services.keep_prediction(ada, row, ran(ada, finder, [REGIONS]))
    lines = [json.loads(line) for line in b"".join(pieces(ada, [row.pk], "jsonl")).splitlines()]
    assert [line["source"] for line in lines] == ["input", "annotation", "annotation", "annotation", "prediction"]
    assert lines[1]["box"] == [0.25, 0.5, 0.75, 1.0]
    assert lines[4]["model"] == "ada/main/models/finder"
    assert [one["concept"] for one in lines[4]["findings"]] == ["cup", "nose", "spoon"]
    coco = json.loads(b"".join(pieces(ada, [row.pk], "coco")))
    assert [(one["file_name"], one["width"], one["height"]) for one in coco["images"]] == [("cup.jpg", 64, 48)]
    names = {one["id"]: one["name"] for one in coco["categories"]}
    box, text = coco["annotations"]
    assert (names[box["category_id"]], box["bbox"], box["area"]) == ("cup", [16.0, 24.0, 32.0, 24.0], 768.0)
    assert (names[text["category_id"]], text["bbox"]) == ("region", [0.0, 0.0, 32.0, 24.0])
    assert [(names[one["category_id"]], one["score"]) for one in coco["predictions"]] == [("cup", 0.9), ("spoon", 0.3)]


def test_many_inputs_go_into_one_file(ada: User, cups: list[Input], stranger: User) -> None:
    every = b"".join(pieces(ada, [row.pk for row in cups], "jsonl")).splitlines()
    assert [json.loads(line)["input"] for line in every] == ["cup-0", "cup-1", "cup-2"]
    assert json.loads(b"".join(pieces(ada, [row.pk for row in cups], "coco")))["images"] == []  # texts have no boxes
    assert json.loads(b"".join(pieces(ada, [], "coco")))["annotations"] == []
    answer = browser_of(ada).get("/inputs/export?format=coco&type=text")
    assert answer["Content-Disposition"] == 'attachment; filename="ada-main-inputs.coco.json"'
    assert browser_of(stranger).get("/inputs/export?app=ada/main").status_code == 404
