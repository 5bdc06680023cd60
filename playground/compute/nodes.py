"""Whether the deployments that a workflow's nodes name are there, told while it is saved: later only its runs would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.compute.models import Deployment
from playground.sdk.graphs import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.catalog.models import User
    from playground.sdk.graphs import Node, NodeModel

_SHOWN = 10


def deployment_problems(user: User, nodes: Iterable[Node]) -> list[Problem]:
    """Of nodes whose models' addresses are complete: those whose deployment ``user`` does not see, or that is one of
    another model."""
    named = [(node, node.model) for node in nodes if node.model is not None and node.selector]
    if not named:
        return []
    rows = Deployment.objects.visible_to(user).filter(slug__in={node.selector["deployment_id"] for node, _ in named})
    fields = "owner__username", "slug", "model__app__owner__username", "model__app__slug", "model__slug"
    serves = {(owner, slug): tuple(model) for owner, slug, *model in rows.values_list(*fields)}
    found = []
    for node, model in named:
        slug, owner = node.selector["deployment_id"], node.selector.get("deployment_user_id", user.username)
        there = serves.get((owner, slug))
        if there == (model.user_id, model.app_id, model.model_id):
            continue
        if there is None:
            whose = "" if owner == user.username else f" of {owner}"
            words = f"No deployment {slug}{whose} for you. It does not exist, or is not shared with you."
        else:
            words = f"The deployment {slug} serves {'{}/{}/models/{}'.format(*there)}, not {model}."
        found.append(Problem(f"{words} {_remedy(user, model)}", node.id, key="deployment"))
    return found


def _remedy(user: User, model: NodeModel) -> str:
    rows = Deployment.objects.visible_to(user).filter(
        model__slug=model.model_id, model__app__slug=model.app_id, model__app__owner__username=model.user_id
    )
    found = rows.order_by("-is_shared", "pk").values_list("owner__username", "slug", "is_shared")[:_SHOWN]
    names = [slug if owner == user.username else f"{owner}/{slug}" for owner, slug, is_shared in found if not is_shared]
    if len(names) < len(found):
        return f"Leave it out for Shared, or write {' or '.join(names)}." if names else "Leave it out for Shared."
    if names:
        return f"Write {' or '.join(names)}."
    return f"There is none of {model.model_id} for you: deploy it first, or choose another model."
