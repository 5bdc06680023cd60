"""Inputs' bytes, as the wire tells of them: an address for a while, and a text's own words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from inputs import addresses
from playground.catalog import links
from playground.media import services as media
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from inputs.models import Input
    from playground.catalog.models import User

PATH = "/inputs/files/"
"""As ``inputs.addresses`` has it; finding it out by name would load every page into this process."""
MOST_TEXT_BYTES = 2**20
log = logging.getLogger(__name__)


def address_of(caller: User, row: Input, name: str = "original") -> str:
    """Where a program gets the bytes, with no more than this address: it is the caller's, and lapses."""
    return f"{links.web_address()}{PATH}{addresses.issue(caller, row, is_for_program=True)}/{name}"


def read_text(row: Input) -> str:
    """The words of a text, up to a megabyte; longer ones are fetched. "" where they are not there (yet)."""
    if row.reference is None or row.reference.blob.size > MOST_TEXT_BYTES:
        return ""
    try:
        with media.open_bytes(row.reference) as file:
            return file.read().decode(errors="replace")
    except NotFoundError as error:
        log.warning("%s: %s", row, error.message)
        return ""
