"""Acts that make and change apps, and what models say of themselves. Each says who does it, and asks first.

Deleting is an act of the compute plane, since what is in use stays: ``compute/services/removal.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.ids import validate_id
from playground.catalog.models import App, Model, User, note_change
from playground.catalog.sharing import check_visibility, set_visibility
from playground.protocol.errors import ConflictError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTION_LENGTH = 10_000
Thing = TypeVar("Thing", App, Model)


class Facts(TypedDict, total=False):
    """What an app or a model says of itself."""

    description: str
    visibility: int


@transaction.atomic
def create_app(user: User, slug: str, **facts: Unpack[Facts]) -> App:
    """An app of ``user``'s own. Raises InputError for a bad id, ConflictError for one that they have already."""
    try:
        validate_id(slug)
    except ValidationError as error:
        raise InputError(error.messages[0], argument="id") from None
    _check(facts)
    if App.objects.filter(owner=user, slug=slug).exists():
        raise ConflictError(f"{user.username} has an app {slug} already. Choose another id, or edit that one.")
    app = App.objects.create(owner=user, slug=slug, **facts)
    note_change("app", app.pk)
    return app


def edit_app(user: User, app: App, **changes: Unpack[Facts]) -> App:
    return _edit(user, app, app, changes)


def edit_model(user: User, model: Model, **changes: Unpack[Facts]) -> Model:
    """A description lasts until the next version of the model brings its own."""
    return _edit(user, model.app, model, changes)


@transaction.atomic
def _edit(user: User, app: App, thing: Thing, changes: Facts) -> Thing:
    require_role(user, app, Role.OWNER)
    _check(changes)
    if "visibility" in changes and changes["visibility"] != thing.visibility:
        set_visibility(user, thing, changes["visibility"])
    if "description" in changes and changes["description"] != thing.description:
        thing.description = changes["description"]
        thing.save(update_fields=["description"])
        note_change("app" if isinstance(thing, App) else "model", thing.pk)
    return thing


def _check(facts: Mapping[str, object]) -> None:
    text = facts.get("description", "")
    if not isinstance(text, str) or len(text) > DESCRIPTION_LENGTH or "\0" in text:
        message = f"A description is a text of at most {DESCRIPTION_LENGTH} characters."
        raise InputError(message, argument="description")
    if isinstance(visibility := facts.get("visibility"), int):
        check_visibility(visibility)
