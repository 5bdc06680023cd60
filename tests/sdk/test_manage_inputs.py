"""Inputs through both twins of the SDK and a real gateway: one by one, a folder at once, edits, and what fails."""

from __future__ import annotations

import io
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from playground.sdk import Concept, ConflictError, InputError, NewInput, NotFoundError, Region
from playground.sdk.testing import Server, serve_gateway
from tests.sdk.conftest import Async, Sync

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    with serve_gateway() as server:
        yield server


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
async def at(request: pytest.FixtureRequest, gateway: Server) -> AsyncIterator[Any]:
    twin = request.param(gateway.address, token=gateway.token, timeout=60)
    yield twin
    await twin.close()


def new_id(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:8]}"


def picture(width: int = 40, height: int = 30) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(stream, "PNG")
    return stream.getvalue()


async def test_one_by_one(at: Any, tmp_path: Path) -> None:
    inputs, slug = at.client.inputs, new_id("cat")
    ear = Region(box=[0.125, 0.25, 0.5, 0.75], concepts=[Concept("ear")])
    facts = {"metadata": {"n": 3}, "concepts": ["cat"], "datasets": ["pets"], "regions": [ear]}
    made = await at.value(inputs.upload_bytes, picture(), id=slug, name="cat.png", **facts)
    got = await at.value(inputs.get, slug)
    assert got == made
    assert (got.id, got.kind, got.state, got.name, got.width, got.height) == (slug, "image", "ready", "cat.png", 40, 30)
    assert (got.metadata, got.datasets) == ({"n": 3, "filename": "cat.png"}, ("pets",))
    assert [one.id for one in got.concepts] == ["cat"]
    assert got.regions[0].box == [0.125, 0.25, 0.5, 0.75]
    assert got.url.startswith("http")
    (tmp_path / "hello.txt").write_text("Grüße")
    text = await at.value(inputs.upload_file, tmp_path / "hello.txt")
    assert (text.kind, text.name) == ("text", "hello.txt")
    assert (await at.value(inputs.get, text.id)).text == "Grüße"
    said = await at.value(inputs.upload_text, "Some words.")
    assert {one.id for one in await at.value(inputs.list, ids=[slug, said.id])} == {slug, said.id}
    assert len(await at.value(inputs.list, page=1, per_page=2)) == 2
    newest = [one.id for one in await at.pieces(inputs.each, per_page=2)]
    assert newest[:3] == [said.id, text.id, slug]
    assert [one.id for one in await at.value(inputs.list)] == newest
    await at.value(inputs.delete, slug, text.id, said.id)
    with pytest.raises(NotFoundError, match=slug):
        await at.value(inputs.get, slug)
    with pytest.raises(NotFoundError, match=slug):
        await at.value(inputs.delete, slug)


async def test_edits(at: Any) -> None:
    inputs, slug = at.client.inputs, new_id("edit")
    await at.value(inputs.upload_text, "x", id=slug, concepts=["a"], metadata={"x": 1})
    edited = await at.value(inputs.edit, slug, concepts=[Concept("b", 0.5)], metadata={"y": [1, 2.5]}, datasets=["d"])
    assert {one.id: one.value for one in edited.concepts} == {"a": 1.0, "b": 0.5}
    assert (edited.metadata, edited.datasets) == ({"x": 1, "y": [1, 2.5]}, ("d",))
    removed = await at.value(inputs.remove, slug, concepts=["a"], metadata=["x"], datasets=["d"])
    assert ([one.id for one in removed.concepts], removed.metadata, removed.datasets) == (["b"], {"y": [1, 2.5]}, ())
    replaced = await at.value(inputs.replace, slug, concepts=["c"], metadata={"z": "z"})
    assert ([one.id for one in replaced.concepts], replaced.metadata) == (["c"], {"z": "z"})
    with pytest.raises(NotFoundError, match="gone-away"):
        await at.value(inputs.edit, "gone-away", concepts=["c"])
    with pytest.raises(InputError, match="empty"):
        await at.value(inputs.edit, "", concepts=["c"])


async def test_a_folder_at_once(at: Any, tmp_path: Path) -> None:
    """Each tells what came of it, in the order of their names; one that fails stops no other."""
    (tmp_path / "deep").mkdir()
    dataset = new_id("set")
    for number in range(6):
        (tmp_path / "deep" / f"{number}.png").write_bytes(picture())
    (tmp_path / "broken.png").write_bytes(picture()[:100])
    (tmp_path / "octets").write_bytes(b"\0\1\2")
    (tmp_path / "words.txt").write_text("words")
    counts: list[int] = []
    found = await at.value(
        at.client.inputs.upload_folder, tmp_path, datasets=[dataset], parallel=2, on_progress=counts.append
    )
    names = ["broken.png", *[f"deep/{number}.png" for number in range(6)], "octets", "words.txt"]
    assert [one.source.facts["name"] for one in found] == names
    assert [one.error is not None for one in found] == [True, *[False] * 6, True, False]
    with pytest.raises(InputError, match="damaged"):
        found[0].result()
    with pytest.raises(InputError, match="no picture"):
        found[7].result()
    assert found[1].result().name == "deep/0.png"
    assert found[8].result().kind == "text"
    assert counts == [9]


async def test_many_at_once(at: Any) -> None:
    inputs, slug = at.client.inputs, new_id("many")
    sources = [NewInput(text=f"text {number}", facts={"id": f"{slug}-{number}"}) for number in range(150)]
    counts: list[int] = []
    found = await at.value(inputs.upload_many, [*sources, sources[0]], parallel=1, on_progress=counts.append)
    assert [one.result().id for one in found[:-1]] == [f"{slug}-{number}" for number in range(150)]
    with pytest.raises(ConflictError, match=f"{slug}-0"):
        found[-1].result()
    assert counts == [128, 151]
    assert len(await at.value(inputs.list, ids=[one.facts["id"] for one in sources])) == 150
    assert await at.value(inputs.upload_many, []) == []


async def test_another_app(at: Any) -> None:
    slug = new_id("app")
    await at.value(at.client.apps.create, slug)
    shelf = at.client.inputs.of(slug)
    made = await at.value(shelf.upload_text, "elsewhere")
    assert [one.id for one in await at.value(shelf.list)] == [made.id]
    with pytest.raises(NotFoundError):
        await at.value(at.client.inputs.get, made.id)


async def test_an_address_that_may_not_be_fetched(at: Any) -> None:
    inputs = at.client.inputs
    with pytest.raises(InputError, match="http"):
        await at.value(inputs.upload_url, "file:///etc/passwd")
    made = await at.value(inputs.upload_url, "http://127.0.0.1:9/x.png")
    (waited,) = await at.value(inputs.wait_until_ready, made.id, seconds=20)
    assert waited.state == "failed"
    assert "private" in waited.reason
