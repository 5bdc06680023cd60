"""How the tables are read: one act a row, one person a column, and what comes of it in a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from tests.access import world

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = "nobody"
COLUMNS = (world.OWNER, world.CO_OWNER, world.MEMBER, world.VIEWER, world.STRANGER, world.ADMIN)
OK, REFUSED, HIDDEN, SIGN_IN = "ok", "refused", "hidden", "sign in"
Row = tuple[str, ...]

ALL: Row = (OK, OK, OK, OK, OK, OK)
IN_THE_APP: Row = (OK, OK, OK, OK, HIDDEN, OK)
FOR_APP_OWNERS: Row = (OK, OK, REFUSED, REFUSED, HIDDEN, OK)
FOR_ITS_OWNER: Row = (OK, REFUSED, REFUSED, REFUSED, HIDDEN, OK)
OLIVES_OWN: Row = (OK, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OK)
MERLES_OWN: Row = (HIDDEN, HIDDEN, OK, HIDDEN, HIDDEN, OK)
OLIVE_ALONE: Row = (OK, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN)


def tried(act: Callable[[str], str]) -> Row:
    """What comes of the act for each person, each time on the same rows."""
    return tuple(_tried(act, name) for name in COLUMNS)


def _tried(act: Callable[[str], str], name: str) -> str:
    with transaction.atomic():
        word = act(name)
        transaction.set_rollback(True)
    return word
