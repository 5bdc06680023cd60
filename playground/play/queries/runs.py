"""Runs as the pages list and describe them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from playground.catalog.models import Model, User
from playground.runs.models import Run
from playground.runs.writer import settle, unstored_of


def list_runs(user: User, model: Model | None = None) -> QuerySet[Run]:
    """One's runs, newest first; what this server has told its pages is in storage by then."""
    settle(unstored_of(user_id=user.pk))
    found = Run.objects.visible_to(user).select_related("model__app__owner")
    return (found.filter(model=model) if model else found).order_by("-created_at")


def describe_run(run: Run) -> dict[str, Any]:
    """A run as the page's modules get it at the first paint; the rest comes by its events."""
    return {
        "id": str(run.pk),
        "state": run.state,
        "method": run.method,
        "arguments": run.arguments,
        "selector": run.selector,
        "created_at": run.created_at.isoformat(),
    }
