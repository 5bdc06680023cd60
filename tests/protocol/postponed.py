"""Methods whose annotations are text, as everything under this import is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from playground.protocol.values import Region

if TYPE_CHECKING:
    from decimal import Decimal


def find(texts: list[str], limit: int = 3) -> Iterator[list[Region]]:
    """Finds."""
    raise NotImplementedError


async def follow(text: str) -> AsyncIterator[str]:
    yield text


def pair(size: (int, int)) -> {"a": str}:  # noqa: F821, UP037
    raise NotImplementedError


def pay(amount: Decimal) -> str:
    raise NotImplementedError
