"""Whatever a YAML file holds, it is made so, or refused with the place; nothing else comes of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.catalog.models import Model
from playground.compute.manifests.applying import apply
from playground.compute.manifests.shapes import read_manifest
from playground.compute.manifests.yaml_file import read_documents
from playground.protocol.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = [
    *("compute_cluster", "nodepool", "deployment", "id", "user_id", "description", "cloud_provider", "region", "key"),
    *("visibility", "gettable", "engine", "addresses", "address", "tls", "instance_types", "compute_info", "cpu_limit"),
    *("cpu_memory", "num_accelerators", "accelerator_type", "node_capacity_type", "capacity_types", "min_instances"),
    *("max_instances", "worker", "model", "app_id", "model_version", "nodepools", "autoscale_config", "min_replicas"),
    *("max_replicas", "disable_packing", "scheduling_choice", "environment", "secrets", "queue_limit", "A"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.sampled_from(["lab", "one", "tiny", "local", "shared", "remote", "1Gi", "500m", "a:1", "PUBLIC", "SPOT", ""]),
    st.text(max_size=8),
    st.binary(max_size=4),
)
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
NAMED = {"id": st.sampled_from(["lab", "one"])}
INFO = st.fixed_dictionaries({}, optional=dict.fromkeys(("cpu_limit", "cpu_memory", "accelerator_type"), SCALARS))
CLUSTERS = st.fixed_dictionaries(NAMED, optional=dict.fromkeys(KEYS[5:10], TREES))
NODEPOOLS = st.fixed_dictionaries(
    {**NAMED, "compute_cluster": st.just({"id": "lab"})},
    optional={
        "instance_types": st.lists(st.fixed_dictionaries({"id": SCALARS, "compute_info": INFO}), max_size=2),
        **dict.fromkeys(["engine", "addresses", "node_capacity_type", "min_instances", "visibility"], TREES),
    },
)
DEPLOYMENTS = st.fixed_dictionaries(
    {**NAMED, "worker": st.just({"model": {"id": "tiny"}})},
    optional={
        "nodepools": st.just([{"id": "shared", "compute_cluster": {"id": "local"}}]) | TREES,
        **dict.fromkeys(["autoscale_config", "environment", "secrets", "scheduling_choice", "queue_limit"], TREES),
    },
)
DOCUMENTS = st.fixed_dictionaries({"compute_cluster": st.just({"id": "lab"})}) | st.one_of(
    *(
        st.fixed_dictionaries({kind: shapes})
        for kind, shapes in (("compute_cluster", CLUSTERS), ("nodepool", NODEPOOLS), ("deployment", DEPLOYMENTS))
    ),
    TREES,
)


@pytest.mark.django_db
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_any_documents_are_applied_or_refused(model: Model, documents: list[Any]) -> None:
    text = yaml.safe_dump_all(documents)
    with refused_with_place():
        found, _ = read_manifest(text, "any.yaml")
        apply(model.app.owner, found, lambda name: "value")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}[]:-&*!|>\"'# \n\tab01\ud800\0", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with refused_with_place():
        read_documents(text, "any.yaml")


@pytest.mark.parametrize(
    "lines",
    [
        [
            "a: &a0 [x, x]",
            *(f"b{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)),
            "compute_cluster: {id: *a59}",
        ],
        ["a: &a [*a]", "compute_cluster: {id: lab}"],
        ["a: &a {b: 1}", "compute_cluster: {<<: *a}"],
        ["[" * 100_000],
    ],
    ids=["very large", "itself", "merged", "deep"],
)
def test_what_is_more_than_it_seems_is_refused(lines: list[str]) -> None:
    with pytest.raises(ConfigError, match="document 1") as refused:
        read_manifest("\n".join(lines), "any.yaml")
    assert len(str(refused.value)) < 200


@contextlib.contextmanager
def refused_with_place() -> Iterator[None]:
    """Nothing but a refusal comes out of the block, if anything does."""
    said = "any.yaml"
    with contextlib.suppress(ConfigError):
        try:
            yield
        except ConfigError as error:
            said = str(error)
            raise
        finally:
            assert said.startswith("any.yaml")
