"""What one answer may bring: long lists are cut, large values kept as files, broken pictures as bytes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from clarifai_grpc.grpc.api.resources_pb2 import ModelTypeField

from playground.catalog.models import User
from playground.media import services as media
from playground.protocol.values import Concept, NamedFields
from playground.runs import bounds
from tests.media.conftest import picture
from tests.runs.conftest import Socket
from tests.runs.test_start_run import values

Types = ModelTypeField.DataType


def field_of(kind: int, *inners: ModelTypeField, name: str = "x") -> ModelTypeField:
    return ModelTypeField(name=name, type=kind, type_args=inners)


CONCEPTS = field_of(Types.LIST, field_of(Types.CONCEPT), name="found")


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_ITEMS", 3)


def test_long_lists_are_cut_wherever_they_are_declared() -> None:
    many = [Concept(str(n)) for n in range(9)]
    assert bounds.shorten(many, CONCEPTS) == (many[:3], 9)
    assert bounds.shorten(many[:3], CONCEPTS) == (many[:3], 0)
    record = field_of(Types.NAMED_FIELDS, CONCEPTS)
    assert bounds.shorten(NamedFields(found=many), record) == (NamedFields(found=many[:3]), 9)
    assert bounds.shorten((many,), field_of(Types.TUPLE, CONCEPTS)) == ((many[:3],), 9)
    assert bounds.shorten([many] * 2, field_of(Types.LIST, CONCEPTS)).had == 9
    words = field_of(Types.LIST, field_of(Types.STR))
    assert bounds.shorten(["a"] * 9, words) == (["a"] * 9, 0)


@pytest.mark.parametrize(
    ("value", "small"),
    [
        ({"a": [1, {"b": None}]}, True),
        ("a" * 1000, True),
        ("a" * 10**6, False),
        ([0] * 10**6, False),
        ([[[0] * 50] * 50], False),
        ([{str(n): n for n in range(3000)}], False),
    ],
)
def test_a_large_value_is_known_at_a_glance(value: Any, small: bool) -> None:
    assert bounds.is_small(value) is small


def test_what_events_cannot_hold_becomes_a_file() -> None:
    kept: list[tuple[bytes, str]] = []

    def keep(content: bytes, kind: str) -> str:
        kept.append((content, kind))
        return "m"

    assert bounds.within([1, 2], 5, keep) == [1, 2]
    made = bounds.within([1, 2, 3], 5, keep)
    assert made == {"oversize": {"media": "m", "content_type": "application/json", "size": 7}}
    assert bounds.within({"text": "abcdef"}, 5, keep)["oversize"]["content_type"] == "text/plain"
    assert bounds.within([2**70, "\ud83d"], 5, keep)["oversize"]["size"] > 20
    assert kept[:2] == [(b"[1,2,3]", "application/json"), (b"abcdef", "text/plain")]


async def test_a_list_that_was_cut_says_so(page: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_ITEMS", 1)
    monkeypatch.setattr(bounds, "_SMALL", 1)
    events = await page.events(await page.start("concepts", arguments={"text": "x"}))
    assert len(values(events)[0]) == 1
    assert events[-1]["kind"] == "failed"
    assert events[-1]["error"]["message"].startswith("A list of the answer has 2 items, and a run keeps 1")


async def test_an_answer_too_large_for_events_is_a_file(
    page: Socket, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "_SMALL", 1)
    within = bounds.within
    monkeypatch.setattr(bounds, "within", lambda plain, room, keep: within(plain, 20, keep))
    events = await page.events(await page.start("concepts", arguments={"text": "x"}))
    assert events[-1]["kind"] == "finished"
    kept = values(events)[0]["oversize"]
    content = await sync_to_async(media.read_reference)(ada, kept["media"])
    assert len(content) == kept["size"]
    assert [entry["concept"]["name"] for entry in orjson.loads(content)] == ["cat", "dog"]


@pytest.mark.django_db
def test_a_broken_picture_is_kept_as_what_it_is(ada: User) -> None:
    whole, broken = picture(), picture()[:60]
    assert media.store_answer(whole, ada).content_type == "image/png"
    reference = media.store_answer(broken, ada)
    assert reference.content_type == "application/octet-stream"
    assert media.read_reference(ada, reference.pk) == broken
