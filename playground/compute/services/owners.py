"""Whose a deployment is: who may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.catalog.access import Role, has_role, owns, require_owner, require_role

if TYPE_CHECKING:
    from playground.catalog.models import User
    from playground.compute.models import Deployment


def may_change(user: User, deployment: Deployment) -> bool:
    """Its own user may; of a shared one, owners of the model's app."""
    return has_role(user, deployment.model.app, Role.OWNER) if deployment.is_shared else owns(user, deployment)


def require_change(user: User, deployment: Deployment) -> None:
    """Raises AccessError, in words, where ``may_change`` says no."""
    if deployment.is_shared:
        require_role(user, deployment.model.app, Role.OWNER)
    else:
        require_owner(user, deployment, f"the deployment {deployment.slug}")
