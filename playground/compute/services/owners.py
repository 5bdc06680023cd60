"""Whose a deployment is: who may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.catalog.access import Role, require_owner, require_role

if TYPE_CHECKING:
    from playground.catalog.models import User
    from playground.compute.models import Deployment


def require_change(user: User, deployment: Deployment) -> None:
    """Raises AccessError unless ``user`` may change it: its own user; of a shared one, owners of the model's app."""
    if deployment.is_shared:
        require_role(user, deployment.model.app, Role.OWNER)
    else:
        require_owner(user, deployment, f"the deployment {deployment.slug}")
