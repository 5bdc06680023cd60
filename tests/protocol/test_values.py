"""The data types' own behaviour, as model authors use it, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from playground.protocol.values import JSON, Audio, Concept, Frame, Image, NamedFields, Region, Text, Video, cast


def test_heavy_modules_wait_until_they_are_needed() -> None:
    code = (
        "import sys, playground.protocol.codec, playground.protocol.plain, playground.protocol.signatures as s\n"
        "def f(x: str, y: list = None) -> str: ...\n"
        "playground.protocol.codec.encode_arguments(s.build_signature(f, where=''), {'x': 'hi'})\n"
        "print([name for name in ('numpy', 'PIL', 'httpx', 'django') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_text_is_a_str_that_may_be_an_address() -> None:
    assert Text("a") == "a"
    assert Text("a") == Text("a")
    assert Text("a") != Text("a", "http://b")
    assert str(Text("a")) == "a"
    assert not Text("")
    assert repr(Text("a", "u")) == "Text(text='a', url='u')"


def test_a_concept_makes_its_id_from_its_name() -> None:
    concept = Concept("Grumpy cat, 2nd!")
    assert (concept.id, concept.value) == ("Grumpy-cat-2nd", 1.0)
    assert Concept("a", 0.5, "id").id == "id"


@pytest.mark.parametrize("kind", [Image, Audio, Video])
def test_media_hold_bytes_or_an_address(kind: type[Image] | type[Audio] | type[Video]) -> None:
    media = kind(bytes=b"abc")
    assert (media.bytes, media.url, media.to_base64_str()) == (b"abc", "", "YWJj")
    assert kind.from_url("http://a").url == "http://a"
    assert repr(media) == f"{kind.__name__}(bytes=<3 bytes>)"
    with pytest.raises(ValueError, match="has no bytes"):
        kind().to_base64_str()
    assert kind(media.to_proto()) == media


def test_an_image_opens_as_pil_and_numpy() -> None:
    image = Image.from_numpy(np.zeros((2, 3, 3), dtype=np.uint8))
    assert image.to_pil().size == (3, 2)
    assert image.to_numpy().shape == (2, 3, 3)
    assert Image.from_pil(image.to_pil(), "JPEG").bytes[:2] == b"\xff\xd8"
    with pytest.raises(ValueError, match="no bytes"):
        Image().to_pil()


def test_a_region_can_have_box_mask_and_point_together() -> None:
    mask = PIL.Image.new("L", (2, 2))
    region = Region(box=[0, 0.25, 0.5, 1], mask=mask, point=(1, 2, 3), concepts=[Concept("a")], text="t", track_id="7")
    assert region.box == [0, 0.25, 0.5, 1]
    assert region.point == (1, 2, 3)
    assert region.mask.to_pil().size == (2, 2)
    assert [concept.name for concept in region.concepts] == ["a"]
    assert (region.text, region.track_id, len(region.id)) == ("t", "7", 32)
    info = region.to_proto().region_info
    assert (info.bounding_box.top_row, info.point.row, info.point.col) == (0.25, 2, 1)
    assert Region(mask=np.zeros((1, 1), dtype=np.uint8)).has_mask


def test_an_empty_region_says_what_it_lacks() -> None:
    region = Region()
    assert (region.box, region.has_box, region.has_point, region.has_mask) == ([0, 0, 0, 0], False, False, False)
    with pytest.raises(ValueError, match="4 numbers, not 3"):
        region.box = [1, 2, 3]


def test_concepts_are_replaced_not_added() -> None:
    region = Region(concepts=[Concept("a")])
    region.concepts = [Concept("b")]
    assert [concept.name for concept in region.concepts] == ["b"]


def test_a_frame_keeps_milliseconds() -> None:
    frame = Frame(image=Image(bytes=b"x"), regions=[Region(id="r")], time=1.001, index=5)
    assert (frame.time, frame.index, frame.image.bytes, frame.regions[0].id) == (1.001, 5, b"x", "r")
    assert frame.to_proto().frame_info.time == 1001


def test_named_fields_are_a_value_or_a_type() -> None:
    value = NamedFields(a=1, items="x")
    assert (value.a, value["a"], "a" in value, value.items) == (1, 1, True, "x")
    value["b"] = 2
    assert value.b == 2
    assert list(NamedFields(a=1).items()) == [("a", 1)]
    with pytest.raises(AttributeError, match="no field 'c'"):
        _ = value.c
    kind = NamedFields(a=int, b=list[str])
    assert isinstance(kind, type)
    assert kind.__annotations__ == {"a": int, "b": list[str]}


def test_json_compares_as_what_it_holds() -> None:
    assert JSON({"a": 1}) == {"a": 1}
    assert JSON.from_json("[1]").to_json() == "[1]"
    assert not JSON({})
    with pytest.raises(TypeError):
        JSON([]).cast(dict)


def test_casts_to_what_an_author_asked_for() -> None:
    image = Image.from_pil(PIL.Image.new("L", (2, 1)))
    assert cast(image, PIL.Image.Image).size == (2, 1)
    assert cast(image, np.ndarray).shape == (1, 2)
    assert cast([image], list[PIL.Image.Image])[0].size == (2, 1)
    assert cast(Text("a"), str) == "a"
    assert cast(np.arange(2), list[int]) == [0, 1]
    assert cast(image, Image) is image
    assert cast(3, int) == 3
    with pytest.raises(TypeError):
        cast(Text("a"), int)
