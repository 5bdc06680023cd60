"""Where a call of a model may go: what the deployment picker lists, and which of it an address names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.catalog.models import Model, User
from playground.compute.models import Deployment


@dataclass(frozen=True)
class Choice:
    """Where a call may go, as the picker shows it; ``refusal`` says why a chosen one cannot be used."""

    label: str
    query: Mapping[str, str]
    deployment: Deployment | None = None
    refusal: str = ""

    @property
    def selector(self) -> dict[str, str]:
        """As a run keeps what was asked."""
        if "deployment" in self.query:
            whose = {"deployment_user_id": self.query["owner"]} if "owner" in self.query else {}
            return {"deployment_id": self.query["deployment"], **whose}
        if "cluster" in self.query:
            return {"compute_cluster_id": self.query["cluster"], "nodepool_id": self.query["nodepool"]}
        return {}

    @property
    def meta(self) -> str:
        if self.deployment is None:
            return ""
        pool = self.deployment.nodepool
        return " · ".join(dict.fromkeys(filter(None, [pool.cluster.slug, pool.slug, pool.cluster.region])))


def list_choices(user: User, model: Model) -> list[Choice]:
    """Shared first, then the model's other deployments that ``user`` sees."""
    rows = Deployment.objects.visible_to(user).filter(model=model).select_related("nodepool__cluster", "owner")
    ordered = sorted(rows, key=lambda row: (not row.is_shared, row.slug))
    return [_choice_of(row, user) for row in ordered]


def _choice_of(row: Deployment, user: User) -> Choice:
    """Another's deployment goes by its owner too: both may have one of that id."""
    if row.is_shared:
        return Choice("Shared (default)", {}, row)
    if row.owner_id == user.pk:
        return Choice(row.slug, {"deployment": row.slug}, row)
    owner = row.owner.username
    return Choice(f"{owner} / {row.slug}", {"deployment": row.slug, "owner": owner}, row)


def choose(choices: list[Choice], asked: Mapping[str, str]) -> Choice:
    """The choice that a page's query string names: ``deployment``, or ``cluster`` with ``nodepool``, or nothing.

    ``owner`` goes with a deployment of somebody else's.
    """
    deployment, cluster, nodepool = (asked.get(name, "") for name in ("deployment", "cluster", "nodepool"))
    owner = asked.get("owner", "")
    if deployment and (cluster or nodepool):
        return Choice(deployment, {}, refusal="Name a deployment, or a cluster and a nodepool, not both.")
    if deployment:
        here = [entry for entry in choices if entry.deployment and entry.deployment.slug == deployment]
        named = (entry for entry in here if owner in ("", _owner_of(entry)))
        own_first = sorted(named, key=lambda entry: "owner" in entry.query)
        unknown = Choice(deployment, {"deployment": deployment}, refusal=_refusal(f"No deployment {deployment}"))
        return next(iter(own_first), unknown)
    if cluster or nodepool:
        return _choose_place(choices, cluster, nodepool)
    default = (entry for entry in choices if not entry.query)
    return next(default, Choice("Shared (default)", {}))


def _owner_of(entry: Choice) -> str:
    return entry.deployment.owner.username if entry.deployment else ""


def _choose_place(choices: list[Choice], cluster: str, nodepool: str) -> Choice:
    label = f"{cluster or '…'} / {nodepool or '…'}"
    query = {"cluster": cluster, "nodepool": nodepool}
    if not (cluster and nodepool):
        return Choice(label, query, refusal="A cluster and a nodepool go together: one of them is not named.")
    for entry in choices:
        pool = entry.deployment.nodepool if entry.deployment else None
        if pool and (pool.cluster.slug, pool.slug) == (cluster, nodepool):
            return Choice(label, query, entry.deployment)
    return Choice(label, query, refusal=_refusal(f"No deployment of this model on {label}"))


def _refusal(what: str) -> str:
    return f"{what} for you. It does not exist, or is not shared with you. Nothing was run."
