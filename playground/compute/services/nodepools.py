"""Acts on nodepools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from django.db import transaction

from playground.catalog.access import require_administrator, require_owner
from playground.catalog.models import User, note_change
from playground.compute.machine import COMPUTE_KEYS, read_size, this_machine
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.compute.prices import read_price
from playground.compute.services.checks import CLUSTER, DESCRIPTION_LENGTH, NODEPOOL, set_fields
from playground.compute.services.placement import need_of, why_not
from playground.protocol.errors import ConfigError, InputError
from playground.sdk.config import parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Engine = Nodepool.Engine
ON_DEMAND, SPOT = 1, 2
MAX_INSTANCES = 1000
MAX_ADDRESSES = 100


class NodepoolFacts(TypedDict, total=False):
    """What can be said of a nodepool.

    ``addresses`` are ``"host:port"`` or ``{"address": "host:port", "tls": True}``; ``instance_types`` are as in V2:
    ``{"id": …, "compute_info": {"cpu_limit": "1", "cpu_memory": "1Gi"}}``; ``capacity_types`` 1 on demand, 2 spot.
    """

    description: str
    engine: str
    addresses: Sequence[str | Mapping[str, Any]]
    instance_types: Sequence[Mapping[str, Any]]
    capacity_types: Sequence[int]
    min_instances: int
    max_instances: int
    visibility: int


def find_nodepool(user: User, cluster: str, slug: str, *, owner: str = "") -> Nodepool:
    """The nodepool ``cluster/slug`` that ``user`` can see: of ``owner`` where that is said, else their own first.

    The built-in one goes by its name for everybody, also where the owner named is the caller.
    """
    visible = Nodepool.objects.visible_to(user).select_related("cluster__owner").order_by("pk")
    in_cluster = [row for row in visible if row.cluster.slug == cluster]
    if owner:
        is_own = owner == user.username
        in_cluster = [row for row in in_cluster if row.cluster.owner.username == owner or (is_own and row.is_shared)]
    found = sorted((row for row in in_cluster if row.slug == slug), key=lambda row: row.cluster.owner_id != user.pk)
    if found:
        return found[0]
    error = NODEPOOL.not_there(f"{cluster}/{slug}", (in_cluster or list(visible))[:20])
    error.code = int(NODEPOOL.missing if in_cluster else CLUSTER.missing)
    raise error


@transaction.atomic
def create_nodepool(user: User, cluster: Cluster, slug: str, **facts: Unpack[NodepoolFacts]) -> Nodepool:
    """Engine ``remote``, whose replicas somebody else keeps at ``addresses``, is for administrators."""
    require_owner(user, cluster, f"the cluster {cluster.slug}")
    NODEPOOL.check_id(slug)
    if Nodepool.objects.filter(cluster=cluster, slug=slug).exists():
        raise NODEPOOL.clash(
            f"The cluster {cluster.slug} has a nodepool {slug} already. Choose another id, or edit it."
        )
    nodepool = Nodepool(cluster=cluster, slug=slug, **_checked(facts))
    _check_whole(user, nodepool)
    nodepool.save()
    note_change("nodepool", nodepool.pk)
    return nodepool


@transaction.atomic
def edit_nodepool(user: User, nodepool: Nodepool, **changes: Unpack[NodepoolFacts]) -> Nodepool:
    """Refused where deployments on it would no longer fit, and where their engine would become another."""
    require_owner(user, nodepool.cluster, f"the nodepool {nodepool}")
    checked = _checked(changes)
    planned = Nodepool.objects.select_related("cluster").get(pk=nodepool.pk)
    was = planned.engine
    for name, value in checked.items():
        setattr(planned, name, value)
    _check_whole(user, planned)
    if planned.engine != was and (names := _deployments_on(planned)):
        raise NODEPOOL.clash(f"The nodepool {planned} is in use by {names}: its engine stays {was}.")
    _check_still_fits(planned)
    if set_fields(nodepool, checked):
        note_change("nodepool", nodepool.pk)
    return nodepool


@transaction.atomic
def delete_nodepools(user: User, cluster: Cluster, slugs: Sequence[str]) -> None:
    """All of them or none. One that deployments are, or may be, placed on stays."""
    require_owner(user, cluster, f"the cluster {cluster.slug}")
    for slug in dict.fromkeys(slugs):
        nodepool = Nodepool.objects.filter(cluster=cluster, slug=slug).first()
        if nodepool is None:
            raise NODEPOOL.not_there(f"{cluster.slug}/{slug}", Nodepool.objects.filter(cluster=cluster)[:20])
        if nodepool.is_shared:
            raise NODEPOOL.clash(f"The nodepool {nodepool} is built in, and stays.")
        if names := _deployments_on(nodepool):
            raise NODEPOOL.clash(f"The nodepool {nodepool} is in use by the deployments {names}. Delete them first.")
        pk = nodepool.pk
        nodepool.delete()
        note_change("nodepool", pk)


def require_use(user: User, nodepool: Nodepool) -> None:
    """Raises NotFoundError unless ``user`` may deploy there: on what they can see. What is hidden is not there."""
    visible = Nodepool.objects.visible_to(user).select_related("cluster")
    if not visible.filter(pk=nodepool.pk).exists():
        raise NODEPOOL.not_there(str(nodepool), visible.order_by("pk")[:20])


def _check_whole(user: User, nodepool: Nodepool) -> None:
    if nodepool.engine == Engine.REMOTE:
        require_administrator(user, "A nodepool of engine remote")
        if not nodepool.addresses:
            raise NODEPOOL.wrong("addresses", 'Engine remote needs addresses, like [{"address": "10.0.0.5:8000"}].')
        return
    if nodepool.addresses:
        raise NODEPOOL.wrong("addresses", "Only a nodepool of engine remote has addresses.")
    if nodepool.min_instances > nodepool.max_instances:
        raise NODEPOOL.wrong("min_instances", f"min_instances {nodepool.min_instances} is above max_instances.")
    for kind in nodepool.instance_types:
        if lacking := this_machine().lacks(read_size(kind["compute_info"])):
            raise NODEPOOL.wrong("instance_types", f"The instance type {kind['id']} wants {lacking} on this machine.")


def _check_still_fits(planned: Nodepool) -> None:
    for row in Deployment.objects.filter(nodepool=planned).select_related("model", "version"):
        if reason := why_not(planned, need_of(row.served_version), row.min_replicas):
            raise NODEPOOL.clash(f"The deployment {row.slug} is on {planned}, and would not fit: it needs {reason}.")


def _deployments_on(nodepool: Nodepool) -> str:
    found = Deployment.objects.filter(placements__nodepool=nodepool) | Deployment.objects.filter(nodepool=nodepool)
    return ", ".join(str(row) for row in found.distinct().select_related("owner").order_by("pk")[:20])


def _checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in facts.items():
        match name:
            case "description":
                checked[name] = NODEPOOL.check_text(value, name, DESCRIPTION_LENGTH)
            case "engine":
                checked[name] = _checked_engine(value)
            case "addresses":
                checked[name] = _checked_addresses(value)
            case "instance_types":
                checked[name] = _checked_types(value)
            case "capacity_types":
                checked[name] = _checked_capacity(value)
            case "visibility":
                checked[name] = NODEPOOL.check_visibility(value)
            case _:
                checked[name] = NODEPOOL.check_count(value, name, 0, MAX_INSTANCES)
    return checked


def _checked_engine(value: Any) -> str:
    if value not in Engine.values:
        raise NODEPOOL.wrong("engine", f"There is no engine {value!r}. There are: {', '.join(Engine.values)}.")
    return str(value)


def _checked_addresses(values: Any) -> list[dict[str, Any]]:
    if isinstance(values, str) or len(values) > MAX_ADDRESSES:
        raise NODEPOOL.wrong("addresses", f"addresses is a list of at most {MAX_ADDRESSES}.")
    found = [_checked_address(value) for value in values]
    names = [address["address"] for address in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise NODEPOOL.wrong("addresses", f"The address {twice} is there twice.")
    return found


def _checked_address(value: Any) -> dict[str, Any]:
    given = {"address": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or not {"address"} <= given.keys() <= {"address", "tls", "root_certificate"}:
        raise NODEPOOL.wrong("addresses", f'An address is like {{"address": "host:port", "tls": false}}, not {value}.')
    text = str(given["address"])
    try:
        address = parse_address(text)
    except ConfigError as error:
        raise NODEPOOL.wrong("addresses", error.message) from None
    if not text.rstrip("/").rpartition(":")[2].isdigit() or text.startswith("unix:"):
        raise NODEPOOL.wrong("addresses", f"The address {text} names no port: give it like host:8000.")
    is_secure = NODEPOOL.check_switch(given.get("tls", address.is_secure), "addresses")
    checked = {"address": address.target, "tls": is_secure}
    return checked | _checked_certificate(given, is_secure)


def _checked_certificate(given: Mapping[str, Any], is_secure: bool) -> dict[str, str]:
    """Of who vouches for an address, where the system's own authorities do not."""
    text = given.get("root_certificate", "")
    if not text:
        return {}
    if not is_secure or not isinstance(text, str) or "-----BEGIN CERTIFICATE-----" not in text:
        raise NODEPOOL.wrong("addresses", "root_certificate is a certificate in PEM, of an address with tls: true.")
    return {"root_certificate": text}


def _checked_types(values: Any) -> list[dict[str, Any]]:
    found = []
    for value in values:
        if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
            raise NODEPOOL.wrong("instance_types", f"An instance type has an id and a compute_info; this is {value!r}.")
        info = value.get("compute_info") or {}
        try:
            read_size(info)
            price = read_price(value.get("price"))
        except InputError as error:
            raise NODEPOOL.wrong("instance_types", f"The instance type {value['id']}: {error.message}") from None
        if unknown := sorted(info.keys() - COMPUTE_KEYS):
            message = f"The instance type {value['id']}: compute_info has no {', '.join(map(str, unknown))}."
            raise NODEPOOL.wrong("instance_types", message)
        found.append({"id": value["id"], "compute_info": dict(info)} | ({"price": price} if price else {}))
    return found


def _checked_capacity(values: Any) -> list[int]:
    if any(isinstance(value, bool) or value not in (ON_DEMAND, SPOT) for value in values):
        raise NODEPOOL.wrong("capacity_types", f"capacity_types are 1 (on demand) and 2 (spot), not {values!r}.")
    return [int(value) for value in dict.fromkeys(values)]
