"""Histograms of times: a quantile is within 2 %, and merging gives the same in any order and grouping."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.compute.usage.histograms import (
    LAST_BUCKET,
    add_packed,
    bucket_of,
    pack,
    quantile,
    seconds_of,
    unpack,
)

TIMES = st.floats(min_value=2e-6, max_value=30 * 86400)
COUNTS = st.dictionaries(st.integers(0, LAST_BUCKET), st.integers(1, 2**34), max_size=30)


def counts_of(times: list[float]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for time in times:
        counts[bucket_of(time)] = counts.get(bucket_of(time), 0) + 1
    return counts


@given(TIMES)
def test_a_time_is_kept_within_two_percent(time: float) -> None:
    assert seconds_of(bucket_of(time)) == pytest.approx(time, rel=0.02)


@given(st.lists(TIMES, min_size=1, max_size=50), st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_two_percent(times: list[float], share: float) -> None:
    exact = sorted(times)[max(1, math.ceil(share * len(times))) - 1]
    assert quantile(counts_of(times), share) == pytest.approx(exact, rel=0.02)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_is_too_odd(time: float) -> None:
    assert 0 <= bucket_of(time) <= LAST_BUCKET


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({0: 3}, 0.5) == 0.0


@given(COUNTS)
def test_bytes_hold_it_all(counts: dict[int, int]) -> None:
    assert unpack([pack(counts)]) == counts


@given(COUNTS, COUNTS)
def test_merging_is_the_same_both_ways(one: dict[int, int], other: dict[int, int]) -> None:
    assert unpack([pack(one), pack(other)]) == unpack([pack(other), pack(one)])


@given(COUNTS, COUNTS, COUNTS)
def test_merging_is_the_same_in_any_grouping(one: dict[int, int], two: dict[int, int], three: dict[int, int]) -> None:
    first, last = pack(unpack([pack(one), pack(two)])), pack(unpack([pack(two), pack(three)]))
    assert pack(unpack([first, pack(three)])) == pack(unpack([pack(one), last]))


@given(st.lists(TIMES, max_size=30), st.lists(TIMES, max_size=30))
def test_merged_parts_are_the_whole(some: list[float], others: list[float]) -> None:
    merged = counts_of(some)
    add_packed(merged, pack(counts_of(others)))
    assert merged == counts_of(some + others)
