"""What differs between answers, as sums: words, regions, repeats, values of any shape."""

from __future__ import annotations

import math
import random
import time
from unittest.mock import ANY

import pytest

from playground.play.differences.regions import Region, match_regions, overlap_of
from playground.play.differences.statistics import difference, spread_of
from playground.play.differences.structure import MISSING, compare_values
from playground.play.differences.words import GONE, MOST_WORDS, NEW, compare_words
from playground.play.queries.answers import answer_of, differences

SENTENCE = "Sunlight looks white, but it is a mix of every colour."


def rebuilt(parts: tuple[tuple[str, str], ...], without: str) -> str:
    return "".join(text for kind, text in parts if kind != without)


def test_words_that_are_new_and_gone() -> None:
    diff = compare_words(SENTENCE, "Sunlight looks white, but it is really a mix of every sound.")
    assert (NEW, " really") in diff.parts
    assert (GONE, " colour") in diff.parts
    assert (NEW, " sound") in diff.parts
    assert 0.8 < diff.alike < 1


@pytest.mark.parametrize(("one", "other", "alike"), [("", "", 1), ("a b", "a b", 1), ("", "a b", 0), ("a", "b", 0)])
def test_words_at_the_ends(one: str, other: str, alike: float) -> None:
    assert compare_words(one, other).alike == alike


def test_the_new_text_can_be_read_whole() -> None:
    chance = random.Random(3)
    for _ in range(40):
        one = " ".join(chance.choices("abcdef", k=chance.randint(0, 60)))
        other = " ".join(chance.choices("abcdef", k=chance.randint(0, 60)))
        diff = compare_words(one, other)
        assert rebuilt(diff.parts, GONE).strip() == other.strip()
        assert 0 <= diff.alike <= 1


def test_long_texts_in_time() -> None:
    """Twenty thousand words, a fifth of them others; about 0.3 s on an idle core."""
    chance = random.Random(1)
    words = [f"w{number}" for number in range(3000)]
    one = chance.choices(words, k=20_000)
    other = [word if chance.random() < 0.8 else chance.choice(words) for word in one]
    began = time.process_time()
    diff = compare_words(" ".join(one), " ".join(other))
    assert time.process_time() - began < 1.5
    assert 0.78 < diff.alike < 0.85
    assert rebuilt(diff.parts, GONE) == " ".join(other)


def test_long_texts_with_nothing_in_common_but_their_words_in_time() -> None:
    """No landmark, no equal stretch: the worst there is. About 0.3 s on an idle core."""
    chance = random.Random(2)
    words = [f"w{number}" for number in range(3000)]
    one, other = chance.choices(words, k=20_000), chance.choices(words, k=20_000)
    began = time.process_time()
    diff = compare_words(" ".join(one), " ".join(other))
    assert time.process_time() - began < 1.5
    assert diff.alike < 0.1
    assert rebuilt(diff.parts, GONE) == " ".join(other)


def test_texts_of_absurd_length_are_cut_and_say_so() -> None:
    assert compare_words("a " * (MOST_WORDS + 5), "a").is_cut


def test_regions_same_moved_and_only_here() -> None:
    one = [Region("cup", (0, 0, 0.5, 0.5), 0.9), Region("cat", (0, 0, 1, 1), 0.8), Region("car", (0.8, 0.8, 1, 1), 0.3)]
    other = [Region("cup", (0, 0, 0.5, 0.48), 0.7), Region("cat", (0.4, 0.4, 1, 1), 0.8), Region("dog", (0, 0, 1, 1))]
    found = match_regions(one, other, same_from=0.8)
    assert [pair.one.name for pair in found.same] == ["cup"]
    assert [pair.one.name for pair in found.moved] == ["cat"]
    assert found.moved[0].apart == pytest.approx((0.2, 0.2))
    assert [region.name for region in found.only_one] == ["car"]
    assert [region.name for region in found.only_other] == ["dog"]


def test_regions_each_match_once_the_closest_first() -> None:
    twins = [Region("cup", (0, 0, 0.5, 0.5), 0.9), Region("cup", (0, 0, 0.5, 0.4), 0.8)]
    found = match_regions(twins, [Region("cup", (0, 0, 0.5, 0.4))], same_from=0.5)
    assert found.same[0].overlap == 1
    assert len(found.only_one) == 1


def test_regions_without_a_size_or_a_number() -> None:
    odd = [Region("a", (0, 0, 0, 0)), Region("a", (math.nan, 0, 1, 1)), Region("a", (0, 0, 1, 1), math.nan)]
    found = match_regions(odd, odd)
    assert len(found.same) == 1
    assert found.cut == 2
    assert overlap_of([], [(0, 0, 1, 1)]).size == 0


def test_repeats_that_differ() -> None:
    found = difference([3.7, 3.6, 3.8, 3.65, 3.9], [3.2, 3.3, 3.25, 3.4, 3.1])
    assert found is not None
    assert found.is_clear
    assert found.amount == pytest.approx(-0.45)
    assert found.low <= found.amount <= found.high < 0


def test_repeats_that_do_not() -> None:
    found = difference([3.7, 3.6, 3.8, 3.65, 3.9], [3.65, 3.75, 3.6, 3.85, 3.7])
    assert found is not None
    assert not found.is_clear


def test_three_repeats_say_nothing_however_far_apart() -> None:
    found = difference([1.0, 1.1, 1.2], [9.0, 9.1, 9.2])
    assert found is not None
    assert not found.is_clear


def test_one_run_is_no_series_and_no_number_is_none() -> None:
    assert difference([1.0], [2.0, 3.0]) is None
    assert difference([1.0, math.nan], [2.0, 3.0]) is None
    assert spread_of([math.nan]) is None
    spread = spread_of([1.0, 2.0, 4.0])
    assert spread is not None
    assert (spread.median, spread.least, spread.most) == (2, 1, 4)


def test_values_by_their_paths() -> None:
    table = compare_values([{"a": [1, math.nan], "b": "x"}, {"a": [1 + 1e-13, math.nan, 3], "b": "y"}])
    assert [(row.path, row.values[0] is MISSING) for row in table.rows] == [("b", False), ("a[2]", True)]
    assert table.same == 2


def test_a_large_value_is_read_as_far_as_there_is_room() -> None:
    table = compare_values([list(range(100_000)), [number + 1 for number in range(100_000)]])
    assert len(table.rows) == 500
    assert table.more > 10_000


def test_what_is_too_large_to_be_kept_is_not_compared_by_its_wrapping() -> None:
    large = {"oversize": {"media": "m1", "content_type": "application/json", "size": 13_000_000}}
    one, other = answer_of("p1", [large]), answer_of("p2", [large | {}])
    text = answer_of("p3", ["hello"])
    assert one is not None
    assert other is not None
    assert text is not None
    assert differences([one, other], "p1") == {"kind": "oversize", "gives": ANY, "panes": {}, "strange": {}}
    assert differences([text, one], "p3")["strange"] == {"p1": "what is too large to be held against another"}


def test_no_more_of_a_large_value_is_read_than_is_compared() -> None:
    seen = 0

    def read(part: object) -> object:
        nonlocal seen
        seen += 1
        return part

    rows = [{"number": number} for number in range(100_000)]
    table = compare_values([{"rows": rows}, {"rows": rows}], read)
    assert table.is_cut
    assert seen < 50_000
