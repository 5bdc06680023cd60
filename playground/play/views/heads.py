"""The head that all tabs of a model share: its name and state, and how much stands behind each tab."""

from __future__ import annotations

from typing import Any

from playground.catalog.models import Model, User
from playground.compute.models import Deployment
from playground.play.queries.runs import list_runs


def head_of(user: User, model: Model, tab: str) -> dict[str, Any]:
    deployments = Deployment.objects.visible_to(user).filter(model=model)
    return {
        "area": "models",
        "tab": tab,
        "model": model,
        "deployment": deployments.filter(is_shared=True).first(),
        "deployments_count": deployments.count(),
        "runs_count": list_runs(user, model).count(),
    }
