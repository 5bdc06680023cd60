"""Ids that people choose (users, apps, models, deployments) and ids that we make."""

from __future__ import annotations

import re
import uuid

from django.core.exceptions import ValidationError

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def validate_id(value: str) -> None:
    """Letters, digits, ``.``, ``_`` and ``-``; first a letter or digit; at most 64. Raises ValidationError."""
    if not ID_PATTERN.fullmatch(value):
        raise ValidationError(
            f"{value!r} cannot be an id: use 1 to 64 letters, digits, '.', '_' or '-', first a letter or digit."
        )


def new_version_id() -> str:
    """A model version's id: 32 hex digits, as the official service makes them."""
    return uuid.uuid4().hex
