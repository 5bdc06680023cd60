"""Acts on clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from django.db import transaction

from playground.catalog.access import require_owner
from playground.catalog.models import User, note_change
from playground.compute.models import Cluster, Nodepool
from playground.compute.services.checks import CLUSTER, DESCRIPTION_LENGTH, LABEL_LENGTH, set_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ClusterFacts(TypedDict, total=False):
    """What can be said of a cluster. All but ``visibility`` are words for people."""

    description: str
    cloud_provider: str
    region: str
    managed_by: str
    cluster_type: str
    visibility: int


def find_cluster(user: User, slug: str, *, owner: str = "") -> Cluster:
    """The cluster of that id which ``user`` can see: of ``owner`` where that is said, else their own before others'."""
    visible = Cluster.objects.visible_to(user).select_related("owner").order_by("pk")
    named = visible.filter(owner__username=owner) if owner else visible
    found = sorted(named.filter(slug=slug), key=lambda row: row.owner_id != user.pk)
    if not found:
        raise CLUSTER.not_there(slug, visible[:20])
    return found[0]


@transaction.atomic
def create_cluster(user: User, slug: str, **facts: Unpack[ClusterFacts]) -> Cluster:
    CLUSTER.check_id(slug)
    if Cluster.objects.filter(owner=user, slug=slug).exists():
        raise CLUSTER.clash(f"{user.username} has a cluster {slug} already. Choose another id, or edit that one.")
    cluster = Cluster.objects.create(owner=user, slug=slug, **_checked(facts))
    note_change("cluster", cluster.pk)
    return cluster


@transaction.atomic
def edit_cluster(user: User, cluster: Cluster, **changes: Unpack[ClusterFacts]) -> Cluster:
    require_owner(user, cluster, f"the cluster {cluster.slug}")
    if set_fields(cluster, _checked(changes)):
        note_change("cluster", cluster.pk)
    return cluster


@transaction.atomic
def delete_clusters(user: User, slugs: Sequence[str], *, owner: User | None = None) -> None:
    """All of them or none; ``owner`` is whose they are, where ``user`` is a superuser. One with nodepools stays."""
    owner = owner or user
    for slug in dict.fromkeys(slugs):
        cluster = Cluster.objects.visible_to(user).filter(owner=owner, slug=slug).first()
        if cluster is None:
            raise CLUSTER.not_there(slug, Cluster.objects.visible_to(user).filter(owner=owner)[:20])
        require_owner(user, cluster, f"the cluster {slug}")
        nodepools = Nodepool.objects.filter(cluster=cluster)
        if nodepools.filter(is_shared=True).exists():
            raise CLUSTER.clash(f"The cluster {slug} is built in, and stays.")
        if names := ", ".join(nodepools.order_by("pk").values_list("slug", flat=True)[:20]):
            raise CLUSTER.clash(f"The cluster {slug} is in use: it has the nodepools {names}. Delete them first.")
        pk = cluster.pk
        cluster.delete()
        note_change("cluster", pk)


def _checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(facts)
    for name in checked.keys() & {"cloud_provider", "region", "managed_by", "cluster_type"}:
        checked[name] = CLUSTER.check_text(checked[name], name, LABEL_LENGTH)
    if "description" in checked:
        checked["description"] = CLUSTER.check_text(checked["description"], "description", DESCRIPTION_LENGTH)
    if "visibility" in checked:
        checked["visibility"] = CLUSTER.check_visibility(checked["visibility"])
    return checked
