"""Concepts of an app as people read them: an id stays for good, the name beside it may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from inputs.models import MAX_NAME, Concept
from inputs.services.given import INVALID
from playground.catalog.access import Role, require_role
from playground.protocol.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.catalog.models import App, User


@transaction.atomic
def rename_concepts(user: User, app: App, names: Mapping[str, str]) -> list[Concept]:
    """New names by the ids of concepts: all of them or none. Raises AccessError, InputError, NotFoundError."""
    require_role(user, app, Role.MEMBER)
    found = {row.slug: row for row in Concept.objects.filter(app=app, slug__in=list(names))}
    if missing := [slug for slug in names if slug not in found]:
        raise NotFoundError(f"The app {app} has no concept {missing[0]}: nothing was renamed.")
    for slug, name in names.items():
        told = name.replace("\0", "").strip()
        if not told or len(told) > MAX_NAME:
            raise InputError(f"A concept's name has 1 to {MAX_NAME} characters.", code=INVALID, argument="name")
        found[slug].name = told
    Concept.objects.bulk_update(found.values(), ["name"], batch_size=200)
    return [found[slug] for slug in names]
