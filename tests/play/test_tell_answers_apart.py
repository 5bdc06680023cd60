"""What differs between answers: pictures, sounds, concepts, values with odd numbers; and files of all that."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageFilter

from playground.play.differences.pictures import compare_pictures
from playground.play.differences.regions import Region, match_regions
from playground.play.marked import Side, draw_matches, draw_pictures
from playground.play.queries.answers import Answer, File, Filter, answer_of, describe_matches, differences
from playground.protocol.errors import InputError


def picture(colour: str = "teal", size: tuple[int, int] = (120, 80), *, blur: float = 0.0, mode: str = "RGB") -> bytes:
    made = Image.linear_gradient("L").resize(size).convert(mode)
    made.paste(colour, (10, 10, 40, 40))
    with io.BytesIO() as file:
        made.filter(ImageFilter.GaussianBlur(blur)).save(file, "PNG")
        return file.getvalue()


FILES = {"a": picture(), "b": picture(), "c": picture("orange"), "d": picture(size=(240, 160)), "e": b"no picture"}


def find(media_id: str) -> File | None:
    content = FILES.get(media_id)
    return File(str(hash(content)), "image/png", lambda: io.BytesIO(content)) if content else None


def made(*ids: str) -> Answer:
    answer = answer_of(ids[0], [[{"media": one, "content_type": "image/png"} for one in ids]])
    assert answer is not None
    return answer


def test_likeness_of_pictures() -> None:
    def ssim(one: bytes, other: bytes) -> float:
        found = compare_pictures(io.BytesIO(one), io.BytesIO(other))
        assert found.ssim is not None
        return found.ssim

    assert ssim(picture(), picture()) == pytest.approx(1)
    blurred, other = ssim(picture(), picture(blur=2)), ssim(picture(), picture("red", blur=20))
    assert other < blurred < 1
    assert ssim(picture(mode="RGBA"), picture()) == pytest.approx(1)


def test_sizes_that_differ_are_said() -> None:
    same_shape = compare_pictures(io.BytesIO(FILES["a"]), io.BytesIO(FILES["d"]))
    assert "120 × 80 and 240 × 160" in same_shape.words  # noqa: RUF001 - a true times sign
    assert same_shape.ssim is not None
    other_shape = compare_pictures(io.BytesIO(FILES["a"]), io.BytesIO(picture(size=(80, 120))))
    assert other_shape.ssim is None
    assert "would have to be stretched" in other_shape.words


def test_pictures_pair_by_pair() -> None:
    found = differences([made("a", "c"), made("b")], "a", files=find)
    assert (found["kind"], found["panes"]["b"]["counts"], found["panes"]["b"]["alike"]) == ("pictures", [2, 1], None)
    assert found["panes"]["b"]["pairs"][0]["ssim"] == pytest.approx(1)
    broken = differences([made("a"), made("e"), made("gone")], "a", files=find)
    assert broken["panes"]["e"]["pairs"][0]["words"] == "One of the two cannot be read as a picture."
    assert broken["panes"]["gone"]["pairs"][0]["words"] == "One of the two is gone."


def test_files_among_values_are_known_by_their_bytes() -> None:
    def value(pane: str, media: str) -> Answer:
        return Answer(pane, "values", {"mood": 1, "picture": {"media": media, "content_type": "image/png"}})

    found = differences([value("p1", "a"), value("p2", "b"), value("p3", "c")], "p1", files=find)
    assert [row["path"] for row in found["rows"]] == ["picture.bytes"]
    assert found["panes"]["p2"]["alike"] == 1
    assert found["panes"]["p3"]["alike"] < 1


def test_odd_numbers_are_told_in_words() -> None:
    one = {
        "a": {"number": "nan"},
        "b": {"number": "inf"},
        "c": {"number": str(2**70)},
        "d": 1,
        "e": [{"number": "nan"}],
    }
    other = {"a": 0.5, "b": {"number": "-inf"}, "c": {"number": str(2**70)}, "d": "1", "e": [{"number": "nan"}]}
    found = differences([Answer("p1", "values", one), Answer("p2", "values", other)], "p1")
    told = {row["path"]: tuple(row["values"].values()) for row in found["rows"]}
    minus = "\u2212∞"
    assert told == {"a": ("no value (NaN)", "0.5"), "b": ("∞", minus), "d": ("1", '"1"')}
    assert found["same"] == 2


def test_scores_of_concepts() -> None:
    def concepts(pane: str, **values: Any) -> Answer:
        return Answer(pane, "concepts", [{"name": name, "value": value} for name, value in values.items()])

    answers = [concepts("p1", cup=0.9, cat={"number": "nan"}), concepts("p2", cup=0.3), concepts("p3", cup=0.9)]
    found = differences(answers, "p1")
    assert found["panes"]["p2"]["alike"] == pytest.approx(1 / 3)
    assert found["panes"]["p3"]["alike"] == 1
    assert [row["name"] for row in found["rows"]] == ["cup", "cat"]
    assert found["rows"][1]["values"] == {"p1": None}
    assert [row["name"] for row in differences(answers, "p1", Filter(words="CU"))["rows"]] == ["cup"]
    assert differences(answers, "p1", Filter(threshold=0.95))["rows"][0]["name"] == "cat"


def test_nothing_found_is_none_of_its_kind() -> None:
    box = {"box": [0, 0, 1, 1], "concepts": [{"name": "cup", "value": 0.9}]}
    empty, full = answer_of("p1", [[]]), answer_of("p2", [[{"region": box}]])
    assert empty is not None
    assert full is not None
    found = differences([empty, full], "p1")
    assert (found["kind"], found["strange"], len(found["panes"]["p2"]["only_other"])) == ("regions", {}, 1)


def test_many_regions_are_cut_to_the_strongest() -> None:
    many = [
        {"region": {"box": [0, 0, n / 5000, 1], "concepts": [{"name": "x", "value": n / 5000}]}} for n in range(5000)
    ]
    one, other = answer_of("p1", [many]), answer_of("p2", [many])
    assert one is not None
    assert other is not None
    found = differences([one, other], "p1")["panes"]["p2"]
    assert (len(found["same"]), found["cut"]) == (500, 9000)


def test_texts_of_absurd_length_are_cut_and_say_so() -> None:
    long = answer_of("p1", ["word " * 300_000])
    assert long is not None
    assert len(long.value) == 1_000_000
    assert long.is_cut


def test_pictures_to_keep() -> None:
    one, other = Side("A", "nanodet", 0), Side("B", "nanodet at night", 1)
    regions = [Region("cup", (-1.0, 0, 0.5, 2.0), 0.9), Region("cat", (0.5, 0.5, 0.4, 0.4), None)]
    found = describe_matches(match_regions(regions, [Region("cup", (0, 0, 0.4, 1), 0.8), Region("dog", (0, 0, 1, 1))]))
    with Image.open(io.BytesIO(draw_matches(io.BytesIO(FILES["a"]), found, one, other))) as drawn:
        assert drawn.size[0] == 120
        assert drawn.size[1] > 80
    with Image.open(io.BytesIO(draw_pictures([io.BytesIO(FILES[one]) for one in "cd"], one, other, ""))) as row:
        assert row.size[0] > 360
    with pytest.raises(InputError, match="cannot be read as a picture"):
        draw_matches(io.BytesIO(b"nothing"), found, one, other)
