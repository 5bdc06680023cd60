"""Makes it so as a file says: creates what is not there, edits what is otherwise. All of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from playground.compute import services
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.protocol.errors import ConfigError, InputError, PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playground.catalog.models import User
    from playground.compute.manifests.shapes import Document, Place

CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"


@dataclass(frozen=True)
class Outcome:
    kind: str
    name: str
    what: str


@transaction.atomic
def apply(user: User, documents: Sequence[Document], read_secret: Callable[[str], str]) -> list[Outcome]:
    """``read_secret`` gives the values of secrets that the file only names.

    Raises ConfigError with file, document and key of what is refused; then nothing was changed.
    """
    return [Outcome(document.kind, document.name, _apply(user, document, read_secret)) for document in documents]


def _apply(user: User, document: Document, read_secret: Callable[[str], str]) -> str:
    if document.owner not in ("", "me", user.username):
        raise document.section.wrong("user_id", f"this is {document.owner}'s: apply it with --user {document.owner}.")
    try:
        match document.kind:
            case "compute_cluster":
                return _apply_cluster(user, document)
            case "nodepool":
                return _apply_nodepool(user, document)
            case _:
                return _apply_deployment(user, document, read_secret)
    except PlaygroundError as error:
        if isinstance(error, ConfigError):
            raise
        key = error.argument if isinstance(error, InputError) else ""
        raise document.section.wrong(document.keys.get(key, key), error.message) from None


def _apply_cluster(user: User, document: Document) -> str:
    row = Cluster.objects.filter(owner=user, slug=document.id).first()
    if row is None:
        services.create_cluster(user, document.id, **document.facts)
        return CREATED
    before = row.modified_at
    return _said(before, services.edit_cluster(user, row, **document.facts))


def _apply_nodepool(user: User, document: Document) -> str:
    place = document.cluster
    assert place is not None
    cluster = services.find_cluster(user, place.cluster, owner=place.owner or user.username)
    row = Nodepool.objects.filter(cluster=cluster, slug=document.id).select_related("cluster").first()
    if row is None:
        services.create_nodepool(user, cluster, document.id, **document.facts)
        return CREATED
    before = row.modified_at
    return _said(before, services.edit_nodepool(user, row, **document.facts))


def _apply_deployment(user: User, document: Document, read_secret: Callable[[str], str]) -> str:
    facts = dict(document.facts)
    if document.secret_names:
        facts["secrets"] = {name: read_secret(name) for name in document.secret_names}
    if document.nodepools:
        facts["nodepools"] = [_find(user, place) for place in document.nodepools]
    row = Deployment.objects.filter(owner=user, slug=document.id).first()
    if document.model is None:
        if row is None:
            raise document.section.wrong("worker", "this is missing.")
    else:
        named = document.model
        model = services.find_model(user, named.model, app=named.app, owner=named.owner)
        facts["version"] = services.find_version(model, named.version) if named.version else None
        if row is None:
            services.create_deployment(user, document.id, model, **facts)
            return CREATED
        if row.model_id != model.pk:
            raise document.section.wrong("worker.model", f"this deployment runs {row.model}: that cannot be changed.")
    before = row.modified_at
    return _said(before, services.edit_deployment(user, row, **facts))


def _find(user: User, place: Place) -> Nodepool:
    return services.find_nodepool(user, place.cluster, place.nodepool, owner=place.owner or user.username)


def _said(before: Any, row: Cluster | Nodepool | Deployment) -> str:
    return CHANGED if row.modified_at != before else UNCHANGED
