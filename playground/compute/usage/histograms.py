"""Times as a histogram whose buckets grow by 4 %: any quantile within 2 %, merged by adding, kept as a few bytes.

Our own rather than a package: the known ones are pure Python too and several times slower to note a value and to merge,
and what they add (several mappings, other stores) is not needed. A bucket's number follows from the value alone, so
merging is adding counts: in any order and any grouping it gives the same.
"""

from __future__ import annotations

import math
import struct
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GROWTH = 1.04
SMALLEST_SECONDS = 1e-6  # and everything below, in bucket 0
LAST_BUCKET = 1023  # beyond any time there is
_LARGEST_SECONDS = SMALLEST_SECONDS * GROWTH ** (LAST_BUCKET - 1)
_PER_LOG = 1 / math.log(GROWTH)
_OFFSET = -math.log(SMALLEST_SECONDS) * _PER_LOG
_PAIR = struct.Struct("<HI")  # bucket, count; a bucket may come more than once
_LARGEST_COUNT = 2**32 - 1


def bucket_of(seconds: float) -> int:
    """The number of the bucket that holds ``seconds``; whatever is no time at all is in the first."""
    if not seconds > SMALLEST_SECONDS:
        return 0
    return math.ceil(math.log(seconds) * _PER_LOG + _OFFSET) if seconds < _LARGEST_SECONDS else LAST_BUCKET


def seconds_of(bucket: int) -> float:
    """The value that is at most 2 % from each value of the bucket; 0 for the first."""
    return SMALLEST_SECONDS * GROWTH**bucket * 2 / (GROWTH + 1) if bucket else 0.0


def pack(counts: Mapping[int, int]) -> bytes:
    """The counts of buckets as bytes, the same bytes for the same counts."""
    pairs = [
        (bucket, min(count - done, _LARGEST_COUNT))
        for bucket, count in sorted(counts.items())
        for done in range(0, count, _LARGEST_COUNT)
    ]
    return struct.pack("<" + "HI" * len(pairs), *chain.from_iterable(pairs))


def add_packed(counts: dict[int, int], packed: bytes) -> None:
    """Add what ``pack`` gave to ``counts``. Packed histograms merge by being put one after another, too."""
    for bucket, count in _PAIR.iter_unpack(packed):
        counts[bucket] = counts.get(bucket, 0) + count


def unpack(packed: Iterable[bytes]) -> dict[int, int]:
    """All of them merged."""
    counts: dict[int, int] = {}
    add_packed(counts, b"".join(packed))
    return counts


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The value that ``share`` of all are no larger than, within 2 %; None where there is none."""
    return quantiles(counts, share)[0]


def quantiles(counts: Mapping[int, int], *shares: float) -> list[float | None]:
    """The same for several shares at once, in rising order."""
    total = sum(counts.values())
    wanted = [max(1, math.ceil(share * total)) for share in shares]
    found: list[float | None] = []
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        while len(found) < len(wanted) and seen >= wanted[len(found)]:
            found.append(seconds_of(bucket))
    return found or [None] * len(shares)
