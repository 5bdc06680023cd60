"""What a document says: the official shapes of a cluster, a nodepool and a deployment, enums as numbers or names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2

from playground.compute.manifests.yaml_file import read_documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.compute.manifests.yaml_file import Section

VISIBILITIES = {"PRIVATE": 10, "ORG": 30, "PUBLIC": 50}
CAPACITIES = {"ON_DEMAND": 1, "ON_DEMAND_TYPE": 1, "SPOT": 2, "SPOT_TYPE": 2}
SCHEDULING = {
    **{name: number for name, number in resources_pb2.Deployment.SchedulingChoice.items() if number},
    "PREFER_ON_DEMAND": 8,
}
DELAYS = (
    "traffic_history_seconds",
    "scale_up_delay_seconds",
    "scale_down_delay_seconds",
    "scale_to_zero_delay_seconds",
)
KINDS = ("compute_cluster", "nodepool", "deployment")


@dataclass(frozen=True)
class Place:
    """A nodepool as a file names it; ``owner`` "" is whoever applies it."""

    cluster: str
    nodepool: str
    owner: str = ""


@dataclass(frozen=True)
class ModelName:
    model: str
    app: str = ""
    owner: str = ""
    version: str = ""


@dataclass(frozen=True)
class Document:
    """One thing to be there. ``facts`` are those that the file gives, by the names that ``services`` know them by.

    ``owner`` "" is whoever applies it. ``keys`` says where a fact stands that the file has under another name.
    """

    section: Section
    kind: str
    id: str
    owner: str
    facts: dict[str, Any]
    cluster: Place | None = None
    model: ModelName | None = None
    nodepools: tuple[Place, ...] = ()
    secret_names: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.cluster.cluster}/{self.id}" if self.cluster else self.id


def read_manifest(text: str, file: str) -> tuple[list[Document], list[str]]:
    """Everything the file wants to be there, in its order; and notes of what it says in vain. Raises ConfigError."""
    documents = []
    sections = read_documents(text, file)
    for top in sections:
        found = [key for key in KINDS if top.has(key)]
        if not found:
            raise top.wrong(next(iter(top.data), ""), f"a document has one of {', '.join(KINDS)}.")
        documents += [_READERS[kind](top.section(kind)) for kind in found]
        top.end()
    return documents, sections[0].notes if sections else []


def read_cluster(section: Section) -> Document:
    facts: dict[str, Any] = {name: section.text(name) for name in _given(section, "description", *_LABELS)}
    if section.has("cloud_provider"):
        provider = section.section("cloud_provider")
        facts["cloud_provider"] = provider.needed("id")
        provider.end(["name", "special_handling"])
    _read_visibility(section, facts)
    slug, owner = section.needed("id"), section.text("user_id")
    section.end(_made("ComputeCluster"))
    return Document(section, "compute_cluster", slug, owner, facts, keys={"cloud_provider": "cloud_provider.id"})


def read_nodepool(section: Section) -> Document:
    facts: dict[str, Any] = {name: section.text(name) for name in _given(section, "description", "engine")}
    facts |= {name: section.value(name) for name in _given(section, "min_instances", "max_instances")}
    if section.has("addresses"):
        facts["addresses"] = section.items("addresses")
    if section.has("instance_types"):
        facts["instance_types"] = [_read_type(kind) for kind in section.sections("instance_types")]
    if section.has("node_capacity_type"):
        capacity = section.section("node_capacity_type")
        values = capacity.items("capacity_types") if capacity.has("capacity_types") else []
        facts["capacity_types"] = [_enum(capacity, "capacity_types", value, CAPACITIES) for value in values]
        capacity.end()
    _read_visibility(section, facts)
    cluster = _read_cluster_name(section, "")
    slug = section.needed("id")
    section.end(_made("Nodepool"))
    return Document(section, "nodepool", slug, "", facts, cluster, keys={"capacity_types": "node_capacity_type"})


def read_deployment(section: Section) -> Document:
    facts: dict[str, Any] = {name: section.text(name) for name in _given(section, "description")}
    if section.has("queue_limit"):
        facts["queue_limit"] = section.value("queue_limit")
    if section.has("scheduling_choice"):
        given = section.value("scheduling_choice")
        facts["scheduling_choice"] = _enum(section, "scheduling_choice", given, SCHEDULING)
    autoscale = section.section("autoscale_config")
    scaling = _given(autoscale, "min_replicas", "max_replicas", "disable_packing", *DELAYS)
    facts |= {name: autoscale.value(name) for name in scaling}
    autoscale.end(["soft_min_replicas"])
    _read_visibility(section, facts)
    if section.has("environment"):
        facts["environment"] = section.section("environment").data
    document = Document(
        section,
        "deployment",
        section.needed("id"),
        section.text("user_id"),
        facts,
        model=_read_worker(section),
        nodepools=_read_places(section),
        secret_names=_read_secrets(section, facts),
        keys={name: f"autoscale_config.{name}" for name in scaling},
    )
    section.end(_made("Deployment"))
    return document


_LABELS = ("region", "managed_by", "cluster_type")
_READERS = {"compute_cluster": read_cluster, "nodepool": read_nodepool, "deployment": read_deployment}


def _read_type(section: Section) -> dict[str, Any]:
    kind = {"id": section.needed("id"), "compute_info": section.section("compute_info").data}
    if section.has("price"):
        kind["price"] = section.value("price")
    section.end(_made("InstanceType"))
    return kind


def _read_worker(section: Section) -> ModelName | None:
    if not section.has("worker"):
        return None
    worker = section.section("worker")
    if worker.has("workflow"):
        raise worker.wrong("workflow", "workflows cannot be deployed.")
    if not worker.has("model"):
        raise worker.wrong("model", "this is missing.")
    model = worker.section("model")
    version = model.section("model_version")
    named = ModelName(model.needed("id"), model.text("app_id"), model.text("user_id"), version.text("id"))
    version.end(_made("ModelVersion"))
    model.end(_made("Model"))
    worker.end(["user"])
    return named


def _read_places(section: Section) -> tuple[Place, ...]:
    if not section.has("nodepools"):
        return ()
    places = []
    for nodepool in section.sections("nodepools"):
        places.append(_read_cluster_name(nodepool, nodepool.needed("id")))
        nodepool.end(_made("Nodepool"))
    return tuple(places)


def _read_cluster_name(section: Section, nodepool: str) -> Place:
    cluster = section.section("compute_cluster")
    place = Place(cluster.needed("id"), nodepool, cluster.text("user_id"))
    cluster.end(_made("ComputeCluster"))
    return place


def _read_secrets(section: Section, facts: dict[str, Any]) -> tuple[str, ...]:
    """A mapping gives the values; a list gives names, whose values whoever applies the file supplies."""
    if isinstance(section.data.get("secrets"), list):
        return tuple(str(name) for name in section.items("secrets"))
    if section.has("secrets"):
        facts["secrets"] = section.section("secrets").data
    return ()


def _read_visibility(section: Section, facts: dict[str, Any]) -> None:
    if section.has("visibility"):
        visibility = section.section("visibility")
        if visibility.has("gettable"):
            facts["visibility"] = _enum(visibility, "gettable", visibility.value("gettable"), VISIBILITIES)
        visibility.end()


def _enum(section: Section, key: str, value: Any, names: Mapping[str, int]) -> int:
    if isinstance(value, str):
        value = names.get(value.strip().upper().replace("-", "_").replace(" ", "_"), value)
    if isinstance(value, bool) or value not in names.values():
        known = ", ".join(f"{number} or {name}" for name, number in names.items())
        raise section.wrong(key, f"{value!r} is none of these: {known}.")
    return int(value)


def _given(section: Section, *names: str) -> list[str]:
    return [name for name in names if section.has(name)]


def _made(message: str) -> list[str]:
    """The fields of a V2 message: what the official command line would take there."""
    return [one.name for one in getattr(resources_pb2, message).DESCRIPTOR.fields]
