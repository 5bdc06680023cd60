"""Acts that share an app: who its members are, and what in it is public. Each says who does it, and asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.models import PRIVATE, PUBLIC, App, Membership, Model, User, note_change
from playground.protocol.errors import ConflictError, InputError, NotFoundError

if TYPE_CHECKING:
    from django.db.models import QuerySet

ORG = 30


def members_of(app: App) -> QuerySet[Membership]:
    """The members by name; the app's own user is none of them."""
    return app.memberships.select_related("user").order_by("user__username")


@transaction.atomic
def set_member(user: User, app: App, name: str, role: str) -> Membership:
    """Make the user ``name`` a member, or change what they are. Raises NotFoundError, ConflictError, InputError."""
    require_role(user, app, Role.OWNER)
    if role not in Role.values:
        raise InputError(f"A role is one of {', '.join(Role.values)}; {role!r} is none.", argument="role")
    found = User.objects.filter(username=name).first()
    if found is None:
        raise NotFoundError(f"There is no user {name}. An administrator adds users: manage.py users add NAME")
    if found.pk == app.owner_id:
        raise ConflictError(f"The app {app} belongs to {name}, who is an owner of it already.")
    member, _ = Membership.objects.update_or_create(app=app, user=found, defaults={"role": role})
    note_change("app", app.pk)
    return member


@transaction.atomic
def remove_member(user: User, app: App, name: str) -> None:
    """End the membership of ``name``; anyone may end their own. Raises NotFoundError, ConflictError."""
    if name != user.username:
        require_role(user, app, Role.OWNER)
    if name == app.owner.username:
        raise ConflictError(f"The app {app} belongs to {name}: that cannot be taken away.")
    gone, _ = Membership.objects.filter(app=app, user__username=name).delete()
    if not gone:
        raise NotFoundError(f"{name} is no member of {app}.")
    note_change("app", app.pk)


@transaction.atomic
def set_visibility(user: User, thing: App | Model, visibility: int) -> None:
    """Make an app or a model private, or public to anyone signed in. Raises InputError for anything else."""
    require_role(user, thing if isinstance(thing, App) else thing.app, Role.OWNER)
    check_visibility(visibility)
    thing.visibility = visibility
    thing.save(update_fields=["visibility"])
    note_change("app" if isinstance(thing, App) else "model", thing.pk)


def check_visibility(visibility: int) -> None:
    """Raises InputError unless it is private or public; there are no organisations here."""
    if visibility not in (PRIVATE, PUBLIC):
        org = " There are no organisations here." if visibility == ORG else ""
        raise InputError(f"Visibility is {PRIVATE}, private, or {PUBLIC}, public; not {visibility}.{org}")
