"""What repeats say: medians, their spread, and whether two series truly differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 4  # two series of three that lie apart do so by chance once in ten times
RESAMPLES = 4000


@dataclass(frozen=True)
class Spread:
    """A series in five figures."""

    count: int
    median: float
    low: float  # of the middle half
    high: float
    least: float
    most: float


@dataclass(frozen=True)
class Difference:
    """How far the median of one series lies from the reference's, with a 95 % interval (percentile bootstrap).

    ``shares`` are the same three as parts of the reference's median; None where that is 0.
    """

    amount: float
    low: float
    high: float
    shares: tuple[float, float, float] | None
    count: int  # of the shorter series

    @property
    def is_clear(self) -> bool:
        return self.count >= LEAST and (self.low > 0 or self.high < 0)


def spread_of(values: Sequence[float]) -> Spread | None:
    known = _finite(values)
    if not known:
        return None
    low, median, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    return Spread(len(known), median, low, high, min(known), max(known))


def difference(reference: Sequence[float], other: Sequence[float], *, seed: int = 1) -> Difference | None:
    """None where one of them has fewer than two values: one run says nothing about the next."""
    old, new = _finite(reference), _finite(other)
    if len(old) < 2 or len(new) < 2:
        return None
    chance = np.random.default_rng(seed)
    medians = [np.median(chance.choice(series, (RESAMPLES, len(series))), axis=1) for series in (old, new)]
    low, high = (float(value) for value in np.quantile(medians[1] - medians[0], (0.025, 0.975)))
    base = float(np.median(old))
    amount = float(np.median(new)) - base
    shares = (amount / base, low / base, high / base) if base else None
    return Difference(amount, low, high, shares, min(len(old), len(new)))


def _finite(values: Sequence[float]) -> list[float]:
    return [float(value) for value in values if math.isfinite(value)]
