"""What is uploaded, before anything is sent: kinds, batches, folders, facts, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clarifai_grpc.grpc.api import resources_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.sdk import Concept, ConflictError, InputError, NewInput, Region
from playground.sdk.input_asks import Batch, Shelf
from playground.sdk.new_inputs import batches, files_of, kind_of

if TYPE_CHECKING:
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio"),
        (b"ID3\x04", "audio"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\x1aE\xdf\xa3", "video"),
        ("Grüße".encode(), "text"),
        (b"\xef\xbb\xbfhello", "text"),
    ],
    ids=["png", "jpeg", "wav", "mp3", "mp4", "webm", "text", "text-with-mark"],
)
def test_bytes_tell_their_kind(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize("content", [b"", b"\0\1\2", "Grüße".encode("latin-1")], ids=["nothing", "zeros", "latin-1"])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        kind_of(content)


def test_facts_travel_with_the_input() -> None:
    box = Region(box=[0.1, 0.2, 0.3, 0.4], concepts=[Concept("Ear")])
    facts = {
        "id": "cat-1",
        "name": "cat.png",
        "metadata": {"n": 3, "deep": {"a": [1, None, True]}},
        "concepts": ["cat", Concept("Big dog", 0.5)],
        "regions": [box],
        "datasets": ["pets"],
    }
    message = NewInput(content=PNG, facts=facts).to_proto()  # type: ignore[arg-type]
    assert (message.id, list(message.dataset_ids), message.data.image.base64) == ("cat-1", ["pets"], PNG)
    assert [(one.id, one.value) for one in message.data.concepts] == [("cat", 1.0), ("Big-dog", 0.5)]
    assert message.data.metadata.fields["filename"].string_value == "cat.png"
    assert message.data.metadata.fields["n"].number_value == 3
    assert message.data.regions[0].data.concepts[0].name == "Ear"
    url = NewInput(url="http://a.example/x", kind="video", facts={"allow_duplicate_url": True}).to_proto()
    assert (url.data.video.url, url.data.video.allow_duplicate_url) == ("http://a.example/x", True)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (NewInput(), "one of them"),
        (NewInput(text="a", url="b"), "one of them"),
        (NewInput(text=""), "empty"),
        (NewInput(content=PNG, kind="film"), "kind is one of"),  # type: ignore[arg-type]
        (NewInput(content="text"), "not bytes"),  # type: ignore[arg-type]
        (NewInput(path="/nowhere/at-all.png"), "Cannot read"),
        (NewInput(text="a", facts={"concepts": "cat"}), "is a list"),
        (NewInput(text="a", facts={"datasets": "pets"}), "is a list"),
        (NewInput(text="a", facts={"metadata": {"when": object()}}), "metadata"),
        (NewInput(text="a", facts={"labels": ["cat"]}), "labels"),  # type: ignore[typeddict-unknown-key]
    ],
    ids=range(10),
)
def test_what_cannot_be_sent_is_refused_in_words(wrong: NewInput, words: str) -> None:
    with pytest.raises(InputError, match=words):
        wrong.to_proto()


def test_batches_hold_as_many_as_one_call_takes() -> None:
    many = [NewInput(text="x")] * 300
    assert [len(batch) for batch in batches(many)] == [128, 128, 44]
    large = NewInput(content=bytes(13 * 2**20))
    assert [len(batch) for batch in batches([large, large, NewInput(text="x"), large])] == [1, 2, 1]


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / "b" / "2.txt").write_text("two")
    (tmp_path / "a.txt").write_text("one")
    found = list(files_of(tmp_path, None, {"concepts": iter(["cat"])}))
    assert [one.facts["name"] for one in found] == ["a.txt", "b/2.txt"]
    assert all(one.to_proto().data.concepts[0].id == "cat" for one in found)
    with pytest.raises(InputError, match="no folder"):
        files_of(tmp_path / "a.txt", None, {})
    with pytest.raises(InputError, match="one id"):
        files_of(tmp_path, None, {"id": "same"})


def test_a_batch_tells_of_each() -> None:
    """Those that cannot be sent, those that the server refuses, and those that it keeps, in the order given."""
    sources = [NewInput(text="one"), NewInput(content=b"\0"), NewInput(text="two")]
    batch = Batch(sources)
    asked = batch.ask(Shelf())
    assert asked is not None
    assert [one.data.text.raw for one in asked.request.inputs] == ["one", "two"]
    kept = resources_pb2.Input(id="1", status=status_pb2.Status(code=StatusCode.INPUT_DOWNLOAD_SUCCESS))
    twice = status_pb2.Status(code=StatusCode.INPUT_DUPLICATE, description="There is one.")
    first, second, third = batch.outcome([kept, resources_pb2.Input(id="2", status=twice)])
    assert first.result().id == "1"
    with pytest.raises(InputError, match="no picture"):
        second.result()
    with pytest.raises(ConflictError, match="There is one"):
        third.result()
    assert Batch([NewInput(content=b"\0")]).ask(Shelf()) is None
