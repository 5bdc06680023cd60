"""A selection that is walked through one by one: which inputs in which order, written so that an address holds it."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from inputs.models import Input
from inputs.queries.pages import Around, load
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inputs.queries.filters import Filter

MAX_LENGTH = 4000  # characters: some 3,000 that stand side by side, of a million some 1,200 that stand anywhere
_SOME = 900


def pack(found: Iterable[int]) -> str:
    """Primary keys, in their order: how far each is from the one before, seven bits a byte. "" where that is too long
    for an address."""
    packed, before = bytearray(), 0
    for pk in found:
        step = pk - before
        left = step << 1 if step >= 0 else (-step << 1) - 1
        while left > 127:
            packed.append(left & 127 | 128)
            left >>= 7
        packed.append(left)
        before = pk
    text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return text if len(text) <= MAX_LENGTH else ""


def unpack(text: str) -> list[int]:
    """Raises InputError for what ``pack`` did not write."""
    wrong = InputError("of: this selection cannot be read. Choose the inputs again.", argument="of")
    if len(text) > MAX_LENGTH:
        raise wrong
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise wrong from None
    found, pk, step, shift = [], 0, 0, 0
    for byte in packed:
        step |= (byte & 127) << shift
        shift += 7
        if byte > 127:
            continue
        pk += -(step + 1 >> 1) if step & 1 else step >> 1
        step = shift = 0
        if not 0 < pk < 2**63:
            raise wrong
        found.append(pk)
    if shift:  # it ends within a number
        raise wrong
    return list(dict.fromkeys(found))


def in_order(rows: Sequence[Input], wanted: Filter) -> list[Input]:
    """As the filter's pages have them."""
    if wanted.order == "name":
        return sorted(rows, key=lambda row: (row.name, row.pk))
    return sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=wanted.order == "newest")


def around_picked(row: Input, picked: Sequence[int], *, reach: int = 1) -> tuple[Around, int]:
    """What stands beside ``row`` among those of its app that are still there; and how many these are."""
    there = {
        pk
        for start in range(0, len(picked), _SOME)
        for pk in Input.objects.alive()
        .filter(app=row.app_id, pk__in=picked[start : start + _SOME])
        .values_list("pk", flat=True)
    }
    left = [pk for pk in picked if pk in there]
    at = left.index(row.pk)
    before, after = left[max(0, at - reach) : at], left[at + 1 : at + 1 + reach]
    return Around(load(before[::-1]), load(after), at + 1), len(left)
