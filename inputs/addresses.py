"""Addresses of inputs' bytes: signed, for one user, and good for an hour or two.

A browser's address (``thumbnail``, ``preview``, ``original``) opens only for the user it names, signed in. A program's
(``for_program``) opens without a session, as official clients have none. Either is checked again when it is followed:
against its time, and against what that user sees by then. They stay the same within an hour, so that browsers keep what
they have loaded.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.signing import BadSignature, Signer
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from inputs.models import Input
    from playground.catalog.models import User

HOUR = 3600
_HOURS = 2
_signer = Signer(salt="inputs.files", sep="~")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an address's token says: which input, for whom, until when, and whether a program may follow it."""

    input_id: int
    user_id: int
    expires_at: int
    is_for_program: bool = False

    @property
    def has_lapsed(self) -> bool:
        return time.time() >= self.expires_at

    @property
    def seconds_left(self) -> int:
        return max(0, int(self.expires_at - time.time()))


def thumbnail(user: User | AnonymousUser, row: Input) -> str:
    """The small picture of an input, 320 px; "" where it has none."""
    return _address("thumbnail", user, row) if row.has_thumbnail else ""


def preview(user: User | AnonymousUser, row: Input) -> str:
    """The large picture of an input, at most 2048 px, turned upright; "" where it has none."""
    return _address("preview", user, row) if row.has_thumbnail else ""


def original(user: User | AnonymousUser, row: Input) -> str:
    """The bytes as they were added; "" while there are none. With ``?save`` they are offered for saving."""
    return _address("original", user, row) if row.reference_id else ""


def for_program(user: User, row: Input, name: str = "original") -> str:
    """``original``, ``thumbnail`` or ``preview``, to be followed without a session."""
    return _address(name, user, row, is_for_program=True)


def issue(user: User | AnonymousUser, row: Input, *, is_for_program: bool = False) -> str:
    """The token of an address, which ends an hour or two from now, at a full hour."""
    hour = int(time.time()) // HOUR + _HOURS
    return _signer.sign(f"{row.pk}-{user.pk}-{hour}-{int(is_for_program)}")


def read(token: str) -> Ticket | None:
    """What a token says, also when it has lapsed; None for one that is not ours."""
    try:
        row, user, hour, is_for_program = _signer.unsign(token).split("-")
        return Ticket(int(row), int(user), int(hour) * HOUR, is_for_program == "1")
    except (BadSignature, ValueError):
        return None


def _address(name: str, user: User | AnonymousUser, row: Input, *, is_for_program: bool = False) -> str:
    return reverse(f"inputs:{name}", args=[issue(user, row, is_for_program=is_for_program)])
