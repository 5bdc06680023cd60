"""Rows as aligned columns of plain text, which a terminal shows and a script can cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Each column as wide as its widest cell; the last one runs on."""
    cells = [[*head], *([" ".join(str(cell).split()) or "-" for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
