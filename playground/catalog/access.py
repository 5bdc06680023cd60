"""Who may do what: a user's role in an app, and whose a cluster, nodepool or deployment is.

    viewer   sees the app's models, their shared and public deployments, and calls them
    member   deploys the models too, on nodepools they can use, and adds inputs
    owner    changes visibility and descriptions, says who the members are, deletes models

The app's own user and superusers are owners of it. A model or app that is public is seen, and called, by anyone signed
in. Clusters, nodepools and deployments belong to one user: only that user and superusers change them. Look things up
through ``visible_to(user)`` first, so that what is hidden reads the same as what is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from playground.catalog.models import App, Membership, User
from playground.protocol.errors import AccessError

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

Role = Membership.Role
_ORDER = (Role.VIEWER, Role.MEMBER, Role.OWNER)


class Owned(Protocol):
    """A row that belongs to one user."""

    owner_id: int


def role_of(user: User | AnonymousUser, app: App) -> Membership.Role | None:
    """What ``user`` is in ``app``; None for strangers, also where the app is public."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser or app.owner_id == user.pk:
        return Role.OWNER
    kept = Membership.objects.filter(app=app, user=user).values_list("role", flat=True).first()
    return Role(kept) if kept is not None else None


def has_role(user: User | AnonymousUser, app: App, least: Membership.Role) -> bool:
    role = role_of(user, app)
    return role is not None and _ORDER.index(role) >= _ORDER.index(least)


def require_role(user: User | AnonymousUser, app: App, least: Membership.Role) -> None:
    """Raises AccessError, in words, unless ``user`` is at least that in ``app``."""
    role = role_of(user, app)
    if role is None or _ORDER.index(role) < _ORDER.index(least):
        is_now = f"you are a {role}" if role else "you are not a member"
        needed = "an owner" if least is Role.OWNER else f"a {least}"
        raise AccessError(f"This needs {needed} of the app {app}; {is_now} there. An owner of the app can change that.")


def owns(user: User | AnonymousUser, thing: Owned) -> bool:
    """Whether ``user`` may change a cluster or deployment: its own user and superusers may."""
    return bool(user.is_authenticated and user.is_active and (user.is_superuser or thing.owner_id == user.pk))


def require_owner(user: User | AnonymousUser, thing: Owned, what: str = "") -> None:
    """Raises AccessError unless ``user`` owns ``thing``; ``what`` is what the message calls it."""
    if not owns(user, thing):
        raise AccessError(f"Only its owner changes {what or thing}. You can see it, and use it where it is public.")


def require_administrator(user: User | AnonymousUser, act: str) -> None:
    """Raises AccessError unless ``user`` is an administrator; ``act`` says what for, like "Adding models"."""
    if not (user.is_authenticated and user.is_active and (user.is_staff or user.is_superuser)):
        raise AccessError(f"{act} is for administrators.")
