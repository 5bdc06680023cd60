"""The Inputs-Manager over HTTP: tiles in chunks, its filter in words, adding one a request, and acts on many."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inputs import exports
from inputs.models import Annotation, Input
from inputs.services import add_input, annotate
from playground.media.models import Upload
from playground.media.services import append_part, begin_upload
from tests.inputs.conftest import browser_of
from tests.inputs.making import jpeg

if TYPE_CHECKING:
    from django.http import HttpResponse

    from playground.catalog.models import App, User

pytestmark = pytest.mark.django_db
KEY = re.compile(r'data-key="([^"]*)"')


def texts(ada: User, app: App, count: int) -> list[Input]:
    """So many texts, the oldest first."""
    return [add_input(ada, app, slug=f"t{n:03}", text=f"Text number {n}", name=f"{n:03}.txt") for n in range(count)]


def keys(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return KEY.findall(answer.content.decode())


def add(user: User, *, file: bytes | None = None, **asked: Any) -> HttpResponse:
    body: dict[str, Any] = {"input": json.dumps(asked)}
    if file is not None:
        body["file"] = SimpleUploadedFile("given", file)
    return browser_of(user).post("/inputs/add", body)  # type: ignore[return-value]


def act(user: User, **asked: Any) -> dict[str, Any]:
    answer = browser_of(user).post("/inputs/act", json.dumps(asked), content_type="application/json")
    said: dict[str, Any] = answer.json()
    return said if answer.status_code == 200 else said | {"status": answer.status_code}


def whole(slug: str) -> list[str]:
    found = Annotation.objects.filter(input__slug=slug, top=None).order_by("concept__slug")
    return [one.concept.slug for one in found if one.concept]


# -- files of many --


def test_what_matches_and_what_is_chosen_goes_into_a_file(ada: User, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    # In this thread, which alone sees what the test has written.
    monkeypatch.setattr(exports, "write", lambda user, find, format: exports.pieces(user, find(), format))
    rows = texts(ada, app, 3)
    annotate(ada, rows[1], concept="cup")
    browser = browser_of(ada)

    def exported(address: str, **chosen: Any) -> list[str]:
        sent = {"app": "ada/main", "format": "jsonl", "chosen": json.dumps(chosen)}
        answer = browser.post(address, sent) if chosen else browser.get(address)
        assert answer["Content-Disposition"] == 'attachment; filename="ada-main-inputs.jsonl"'
        lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
        return [line["input"] for line in lines if line["source"] == "input"]

    assert exported("/inputs/export?any=cup") == ["t001"]
    assert exported("/inputs/export?format=jsonl") == ["t002", "t001", "t000"]
    assert exported("/inputs/export", ids=["t000", "t002", "gone"]) == ["t000", "t002"]
    assert exported("/inputs/export", query="q=number", **{"except": ["t001"]}) == ["t002", "t000"]
    assert browser.post("/inputs/export", {"app": "ada/main", "chosen": "{}"}).status_code == 400


# -- pages --


def test_concepts_beyond_the_first_fifty_are_found_by_name(ada: User, app: App) -> None:
    for n in range(52):
        add_input(ada, app, text=f"Text {n}", concepts=[(f"c{n:02}", 1.0)], datasets=[f"d{n:02}"])
    browser = browser_of(ada)
    page = browser.get("/inputs/summary").content.decode()
    assert 'value="c49"' in page
    assert 'value="c51"' not in page
    assert "find_concept" in page
    found = browser.get("/inputs/summary?find_concept=C51&find_dataset=d5&any=c07").content.decode()
    assert re.findall(r'value="(c\d\d)"\s+data-concept', found) == ["c07", "c51"]
    assert re.findall(r'name="dataset"\s+value="(d\d\d)"', found) == ["d50", "d51"]


def test_each_tile_is_a_link_named_by_its_file(ada: User, app: App) -> None:
    row = add_input(ada, app, data=jpeg(), name="harbour <1>.jpg")
    page = browser_of(ada).get("/inputs/?type=image").content.decode()
    link = re.search(r'<a class="thumb__link"\s+href="([^"]+)"[^>]*>([^<]*)</a>', page)
    assert link
    assert link[1] == f"/inputs/{row.slug}/?type=image"
    assert link[2] == "harbour &lt;1&gt;.jpg"
    assert "/thumbnail" in page


def test_chunks_follow_one_another_both_ways_and_from_any_place(ada: User, app: App) -> None:
    texts(ada, app, 63)
    browser = browser_of(ada)
    first = browser.get("/inputs/rows")
    following = re.search(r'data-next="([^"]+)"', first.content.decode())
    assert following
    second = browser.get("/inputs/rows", {"after": following[1]})
    assert keys(first) == [f"t{n:03}" for n in range(62, 2, -1)]
    assert keys(second) == ["t002", "t001", "t000"]
    back = re.search(r'data-previous="([^"]+)"', second.content.decode())
    assert back
    assert keys(browser.get("/inputs/rows", {"before": back[1]})) == keys(first)
    assert keys(browser.get("/inputs/rows", {"at": "61"})) == ["t001", "t000"]
    assert keys(browser.get("/inputs/rows", {"id": ["t007", "t060", "gone"]})) == ["t007", "t060"]


def test_the_summary_comes_when_something_has_changed(ada: User, app: App) -> None:
    texts(ada, app, 2)
    browser = browser_of(ada)
    summary = browser.get("/inputs/summary?q=number").content.decode()
    mark = re.search(r'data-mark="([^"]+)"', summary)
    assert mark
    assert 'data-count="2"' in summary
    assert browser.get("/inputs/summary", {"seen": mark[1]}).status_code == 204
    add_input(ada, app, text="Another")
    assert browser.get("/inputs/summary", {"seen": mark[1]}).status_code == 200


def test_the_filter_stands_in_tags_that_take_each_part_away(ada: User, app: App) -> None:
    row = add_input(ada, app, text="A cup", metadata={"place": "quay"})
    annotate(ada, row, concept="c1", name="red cup")
    page = browser_of(ada).get("/inputs/?any=c1&not=dog&metadata=place%3Dquay&from=2020-05-01&order=name")
    text = re.sub(r"\s+", " ", page.content.decode())
    tags = re.findall(r'manager__tag" href="([^"]*)" data-soft aria-label="Remove the filter ([^"]*)"', text)
    assert [words for _, words in tags] == ["red cup", "not dog", "place=quay", "since 1 May 2020"]
    assert "any=c1" not in tags[0][0]
    assert "not=dog" in tags[0][0]
    assert keys(page) == [row.slug]


def test_a_filter_that_cannot_be_read_is_named(ada: User, app: App) -> None:
    answer = browser_of(ada).get("/inputs/?type=smell")
    assert answer.status_code == 400
    assert "smell" in answer.content.decode()


def test_who_may_only_look_is_offered_nothing_to_add(viewer: User, app: App) -> None:
    page = browser_of(viewer).get("/inputs/?app=ada/main").content.decode()
    assert "<input-adder" not in page
    assert 'data-act="delete"' not in page


def test_another_app_must_be_shared(stranger: User, app: App) -> None:
    assert browser_of(stranger).get("/inputs/?app=ada/main").status_code == 404


# -- adding --


def test_a_file_is_added_with_what_is_said_of_it(ada: User, app: App) -> None:
    said = {"concepts": ["red cup"], "datasets": ["kitchen"], "metadata": {"place": "quay"}}
    answer = add(ada, file=jpeg(), id="i1", name="cup.jpg", **said)
    assert answer.status_code == 201
    row = Input.objects.get(slug="i1")
    assert json.loads(answer.content) == {"id": "i1", "name": "cup.jpg", "url": row.get_absolute_url()}
    assert (row.kind, row.name, row.metadata, row.width) == ("image", "cup.jpg", {"place": "quay"}, 64)
    assert whole("i1") == ["red cup"]
    assert [one.slug for one in row.datasets.all()] == ["kitchen"]


def test_an_answer_that_was_lost_adds_nothing_twice(ada: User, app: App) -> None:
    for status in (201, 200):
        assert add(ada, file=jpeg(), id="i1").status_code == status
    assert Input.objects.count() == 1


def test_the_same_bytes_are_offered_and_kept_where_one_asks(ada: User, app: App) -> None:
    add(ada, file=jpeg(), id="i1", name="cup.jpg")
    answer = add(ada, file=jpeg(), id="i2", name="other.jpg")
    assert answer.status_code == 409
    assert json.loads(answer.content)["existing"]["name"] == "cup.jpg"
    assert add(ada, file=jpeg(), id="i2", on_duplicate="keep").status_code == 201


def test_an_upload_in_parts_becomes_an_input(ada: User, app: App) -> None:
    data = jpeg()
    upload = begin_upload(ada, name="cup.jpg", size=len(data))
    append_part(upload, 0, data[:100])
    append_part(upload, 100, data[100:])
    assert add(ada, upload=upload.pk, id="i1", name="cup.jpg").status_code == 201
    assert not Upload.objects.exists()
    assert Input.objects.get().kind == "image"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"file": b"\xff\xd8\xff\xe0 no picture"}, "damaged"),
        ({"text": "x", "url": "https://example.com/x.jpg"}, "one of"),
        ({"text": "x", "metadata": ["a"]}, "metadata"),
        ({"url": "ftp://example.com/x"}, "http"),
        ({"upload": "0" * 32}, "No such upload"),
    ],
    ids=["broken", "two at once", "metadata", "address", "upload"],
)
def test_what_cannot_be_added_is_refused_in_words(ada: User, app: App, given: dict[str, Any], words: str) -> None:
    answer = add(ada, **given)
    assert 400 <= answer.status_code < 500
    assert words in json.loads(answer.content)["error"]["message"]
    assert not Input.objects.exists()


def test_who_may_only_look_adds_nothing(viewer: User, stranger: User, app: App) -> None:
    assert add(viewer, text="x", app="ada/main").status_code == 403
    assert add(stranger, text="x", app="ada/main").status_code == 404


# -- acts --


def test_labels_datasets_and_metadata_come_and_go_back(ada: User, app: App) -> None:
    texts(ada, app, 3)
    annotate(ada, Input.objects.get(slug="t001"), concept="cup", value=0.5)
    act(ada, ids=["t001"], metadata={"place": "quay", "year": 2020})
    chosen = ["t000", "t001"]
    back = [
        act(ada, ids=chosen, add_concepts=["cup", "red cup"])["undo"],
        act(ada, ids=chosen, add_datasets=["kitchen"])["undo"],
        act(ada, ids=chosen, metadata={"place": None, "year": 2021})["undo"],
    ]
    assert whole("t000") == whole("t001") == ["cup", "red cup"]
    assert [row.metadata for row in Input.objects.order_by("slug")] == [{"year": 2021}, {"year": 2021}, {}]
    assert [row.datasets.count() for row in Input.objects.order_by("slug")] == [1, 1, 0]
    for one in reversed(back):
        assert act(ada, undo=one)["done"]
    assert whole("t000") == []
    assert Annotation.objects.get().value == 0.5
    found = [row.metadata for row in Input.objects.order_by("slug")]
    assert found == [{}, {"place": "quay", "year": 2020}, {}]
    assert not Input.objects.filter(datasets__slug="kitchen").exists()


def test_all_that_match_but_some_are_deleted_and_brought_back(ada: User, app: App) -> None:
    texts(ada, app, 4)
    add_input(ada, app, text="Something else")
    said = act(ada, query="q=number", delete=True, **{"except": ["t002"]})
    assert (said["done"], said["next"]) == (3, "")
    there = Input.objects.visible_to(ada)
    assert there.count() == 2
    assert act(ada, undo=said["undo"])["done"] == 3
    assert there.count() == 5


def test_many_are_done_in_batches(ada: User, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inputs.views.acting.BATCH", 2)
    texts(ada, app, 5)
    after, token, done = "", "", 0
    while True:
        said = act(ada, query="", delete=True, after=after, token=token)
        done, after, token = done + said["done"], said["next"], said["undo"]["token"]
        if not after:
            break
    assert done == 5
    assert act(ada, undo={"token": token})["done"] == 5
    after, done = "", 0
    while True:
        said = act(ada, ids=[f"t{n:03}" for n in range(5)], add_concepts=["cup"], after=after)
        done, after = done + said["done"], said["next"]
        if not after:
            break
    assert done == Annotation.objects.count() == 5


def test_acts_are_for_members_and_deletion_for_who_added_it(ada: User, mate: User, viewer: User, app: App) -> None:
    texts(ada, app, 1)
    asked = {"app": "ada/main", "ids": ["t000"]}
    assert act(mate, add_concepts=["cup"], **asked)["done"] == 1
    assert act(mate, delete=True, **asked)["status"] == 403
    assert act(viewer, add_concepts=["cup"], **asked)["status"] == 403
    assert Input.objects.visible_to(ada).count() == 1


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"ids": ["t000"]},
        {"ids": ["t000"], "metadata": [1]},
        {"ids": ["t000"], "add_concepts": 5},
        {"query": "", "except": 5, "add_datasets": ["a"]},
        {"ids": ["t000"], "delete": True, "token": "x" * 99},
        {"undo": {"app": "ada/main", "edits": [1]}},
        {"undo": {"app": "ada/main", "edits": [{"ids": ["t000"], "add_concepts": [["cup", "x"]]}]}},
    ],
    ids=["none", "no act", "no object", "no list", "no exceptions", "no token", "no edits", "no value"],
)
def test_an_act_that_says_too_little_is_refused(ada: User, app: App, asked: dict[str, Any]) -> None:
    texts(ada, app, 1)
    assert act(ada, **asked)["status"] == 400
