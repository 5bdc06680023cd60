"""Clusters, nodepools and deployments are made by who may, and refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.models import Change
from playground.compute import machine, services
from playground.compute.machine import Size, in_words, read_size
from playground.compute.models import Deployment
from playground.compute.prices import price_of
from playground.compute.services.placement import place
from playground.protocol.errors import AccessError, ConflictError, InputError, NotFoundError
from tests.compute.conftest import House

pytestmark = pytest.mark.django_db
SMALL = [{"id": "small", "compute_info": {"cpu_limit": "500m", "cpu_memory": "64Mi"}}]


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> Size:
    size = Size(cpus=2, memory=2**30)
    for module in ("placement", "nodepools"):
        monkeypatch.setattr(f"playground.compute.services.{module}.this_machine", lambda: size)
    return size


def need(house: House, **info: Any) -> None:
    house.version.config = {"inference_compute_info": info}
    house.version.save()


def test_a_cluster_carries_its_labels(house: House) -> None:
    cluster = services.create_cluster(house.ada, "lab", cloud_provider="aws", region="moon", visibility=50)
    assert (cluster.owner, cluster.cloud_provider, cluster.region, cluster.visibility) == (house.ada, "aws", "moon", 50)
    assert Change.objects.filter(kind="cluster", key=str(cluster.pk)).exists()


def test_an_id_clashes_with_one_s_own_alone(house: House) -> None:
    services.create_cluster(house.ada, "lab")
    services.create_cluster(house.mate, "lab")
    with pytest.raises(ConflictError, match="ada has a cluster lab already") as refused:
        services.create_cluster(house.ada, "lab")
    assert refused.value.code == StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST


@pytest.mark.parametrize("slug", ["", "-a", "a b", "a/b", "ä", "a" * 65])
def test_a_bad_id_is_refused_everywhere(house: House, slug: str) -> None:
    cluster = services.create_cluster(house.ada, "lab")
    with pytest.raises(InputError, match="cannot be an id"):
        services.create_cluster(house.ada, slug)
    with pytest.raises(InputError, match="cannot be an id"):
        services.create_nodepool(house.ada, cluster, slug)
    with pytest.raises(InputError, match="cannot be an id"):
        services.create_deployment(house.ada, slug, house.model, nodepools=[house.shared])


@pytest.mark.parametrize(("visibility", "words"), [(30, "org"), (0, "private"), ("public", "private")])
def test_a_visibility_that_means_nothing_is_refused(house: House, visibility: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        services.create_cluster(house.ada, "lab", visibility=visibility)
    assert refused.value.argument == "visibility"


def test_a_nodepool_goes_into_one_s_own_cluster(house: House) -> None:
    cluster = services.create_cluster(house.ada, "lab")
    pool = services.create_nodepool(house.ada, cluster, "one", instance_types=SMALL, capacity_types=[1, 2])
    assert (pool.instance_types, pool.capacity_types, pool.engine) == (SMALL, [1, 2], "local")
    assert price_of(pool) is None
    services.edit_nodepool(house.ada, pool, instance_types=[SMALL[0] | {"price": "$0.420"}])
    assert (pool.instance_types[0]["price"], price_of(pool)) == ("0.42", 0.42)
    with pytest.raises(AccessError, match="the cluster lab"):
        services.create_nodepool(house.mate, cluster, "two")
    with pytest.raises(ConflictError, match="nodepool one already"):
        services.create_nodepool(house.ada, cluster, "one")


@pytest.mark.parametrize(
    ("facts", "argument", "words"),
    [
        ({"engine": "ray"}, "engine", "local, remote"),
        ({"addresses": ["a:1"]}, "addresses", "Only a nodepool of engine remote"),
        ({"capacity_types": [3]}, "capacity_types", "on demand"),
        ({"min_instances": 2, "max_instances": 1}, "min_instances", "above"),
        ({"max_instances": -1}, "max_instances", "0 to"),
        ({"max_instances": True}, "max_instances", "whole number"),
        ({"instance_types": [{"compute_info": {}}]}, "instance_types", "has an id"),
        ({"instance_types": [{"id": "a", "compute_info": {"cpu_memory": "lots"}}]}, "instance_types", "lots"),
        ({"instance_types": [{"id": "a", "compute_info": {"cpus": 1}}]}, "instance_types", "has no cpus"),
        ({"instance_types": [{"id": "a", "price": "-1"}]}, "instance_types", "US dollars for an hour"),
        ({"instance_types": [{"id": "a", "price": "NaN"}]}, "instance_types", "US dollars for an hour"),
        ({"description": "x" * 10_001}, "description", "longer"),
    ],
)
def test_a_nodepool_that_makes_no_sense_is_refused(
    house: House, facts: dict[str, Any], argument: str, words: str
) -> None:
    cluster = services.create_cluster(house.ada, "lab")
    with pytest.raises(InputError, match=words) as refused:
        services.create_nodepool(house.ada, cluster, "one", **facts)
    assert refused.value.argument == argument
    assert refused.value.code == StatusCode.NODEPOOL_INVALID_ARGUMENT


def test_a_size_that_the_machine_lacks_is_refused_with_what_there_is(house: House, small_machine: Size) -> None:
    cluster = services.create_cluster(house.ada, "lab")
    big = [{"id": "big", "compute_info": {"cpu_limit": "64", "cpu_memory": "1Ti", "num_accelerators": 1}}]
    with pytest.raises(InputError) as refused:
        services.create_nodepool(house.ada, cluster, "one", instance_types=big)
    for words in (
        "big",
        "64 processors, where there are 2",
        "where there are 1Gi",
        "accelerators, where there are none",
    ):
        assert words in refused.value.message


def test_a_remote_nodepool_is_for_administrators(house: House) -> None:
    mine = services.create_cluster(house.ada, "lab")
    with pytest.raises(AccessError, match="administrators"):
        services.create_nodepool(house.ada, mine, "far", engine="remote", addresses=["a:1"])
    cluster = services.create_cluster(house.owner, "lab")
    given = ["10.0.0.5:8000", {"address": "https://far.example:443", "tls": True}, {"address": "[::1]:9", "tls": False}]
    pool = services.create_nodepool(house.owner, cluster, "far", engine="remote", addresses=given)
    assert pool.addresses == [
        {"address": "10.0.0.5:8000", "tls": False},
        {"address": "far.example:443", "tls": True},
        {"address": "[::1]:9", "tls": False},
    ]


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ([], "needs addresses"),
        (["nowhere"], "names no port"),
        (["a:1", "a:1"], "there twice"),
        (["ftp://a:1"], "neither http nor https"),
        (["a:99999"], "address"),
        ([{"address": "a:1", "tsl": True}], "An address is like"),
        ([{"address": "a:1", "tls": "yes"}], "neither true nor false"),
        ([{"address": "a:1", "tls": False, "root_certificate": "x"}], "root_certificate"),
        ([7], "An address is like"),
        ("a:1", "a list"),
    ],
)
def test_an_address_that_is_none_is_refused(house: House, addresses: Any, words: str) -> None:
    cluster = services.create_cluster(house.owner, "lab")
    with pytest.raises(InputError, match=words):
        services.create_nodepool(house.owner, cluster, "far", engine="remote", addresses=addresses)


@pytest.mark.parametrize("name", ["ada", "mate", "owner"])
def test_members_deploy_on_what_they_can_use(house: House, name: str) -> None:
    user = getattr(house, name)
    made = services.create_deployment(
        user, "mine", house.model, nodepools=[house.shared], min_replicas=0, max_replicas=3, queue_limit=8
    )
    row = Deployment.objects.get(owner=user, slug="mine")
    assert row == made
    assert (row.min_replicas, row.max_replicas, row.queue_limit, row.version, row.state) == (0, 3, 8, None, "pending")
    assert [placement.nodepool for placement in row.placements.all()] == [house.shared]
    assert [one.state for one in row.transitions.all()] == ["pending"]


@pytest.mark.parametrize("name", ["viewer", "stranger"])
def test_others_do_not_deploy(house: House, name: str) -> None:
    with pytest.raises(AccessError, match="This needs a member of the app ada/lab"):
        services.create_deployment(getattr(house, name), "mine", house.model, nodepools=[house.shared])
    assert not Deployment.objects.exists()


def test_a_nodepool_of_another_user_is_not_there(house: House) -> None:
    hidden = services.create_nodepool(house.ada, services.create_cluster(house.ada, "lab"), "mine")
    with pytest.raises(NotFoundError, match=r"No nodepool lab/mine for you.*There are: local/shared") as refused:
        services.create_deployment(house.mate, "mine", house.model, nodepools=[hidden])
    assert refused.value.code == StatusCode.NODEPOOL_DOES_NOT_EXIST


def test_a_version_of_another_model_is_refused(house: House) -> None:
    other = house.model.app.models.create(slug="other").versions.create(folder="/nowhere")
    with pytest.raises(InputError, match="is not one of ada/lab/models/tiny"):
        services.create_deployment(house.ada, "mine", house.model, nodepools=[house.shared], version=other)
    made = services.create_deployment(house.ada, "mine", house.model, nodepools=[house.shared], version=house.version)
    assert made.version == house.version


@pytest.mark.parametrize(
    ("facts", "argument", "words"),
    [
        ({"min_replicas": 2, "max_replicas": 1}, "min_replicas", "above max_replicas"),
        ({"min_replicas": -1}, "min_replicas", "0 to"),
        ({"max_replicas": 0}, "max_replicas", "1 to"),
        ({"min_replicas": "1"}, "min_replicas", "whole number"),
        ({"queue_limit": 0}, "queue_limit", "1 to"),
        ({"scale_to_zero_delay_seconds": 10**9}, "scale_to_zero_delay_seconds", "0 to"),
        ({"scheduling_choice": 9}, "scheduling_choice", "1 to 8"),
        ({"is_enabled": "no"}, "is_enabled", "true nor false"),
        ({"nodepools": []}, "nodepools", "needs a nodepool"),
        ({"environment": {"1A": "x"}}, "environment", "cannot be a variable"),
        ({"environment": {"A": 1}}, "environment", "put it in quotes"),
        ({"environment": {"PLAYGROUND_X": "x"}}, "environment", "our own"),
        ({"environment": {"LD_PRELOAD": "x"}}, "environment", "administrators"),
        ({"environment": {"A": "x"}, "secrets": {"A": "x"}}, "environment", "as a value and as a secret"),
        ({"environment": {"A": "\0"}}, "environment", "no plain text"),
        ({"environment": {"A": "\ud800"}}, "environment", "no plain text"),
        ({"description": "\ud800"}, "description", "no plain text"),
        ({"environment": {f"A{number}": "x" for number in range(101)}}, "environment", "at most 100"),
    ],
)
def test_a_deployment_that_makes_no_sense_is_refused_whole(
    house: House, facts: dict[str, Any], argument: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as refused:
        services.create_deployment(house.ada, "mine", house.model, **{"nodepools": [house.shared], **facts})
    assert refused.value.argument == argument
    assert not Deployment.objects.exists()


def test_the_first_nodepool_that_fits_is_taken(house: House, small_machine: Size) -> None:
    need(house, cpu_limit="1", cpu_memory="512Mi")
    cluster = services.create_cluster(house.ada, "lab")
    small = services.create_nodepool(house.ada, cluster, "small", instance_types=SMALL)
    large = services.create_nodepool(
        house.ada,
        cluster,
        "large",
        instance_types=[{"id": "l", "compute_info": {"cpu_limit": "2", "cpu_memory": "1Gi"}}],
    )
    made = services.create_deployment(house.ada, "mine", house.model, nodepools=[small, large, house.shared])
    assert made.nodepool == large
    assert [one.nodepool for one in made.placements.all()] == [small, large, house.shared]
    with pytest.raises(InputError, match=r"lab/small: it needs on small 1 processor, where there are 0.5 processors"):
        services.create_deployment(house.ada, "other", house.model, nodepools=[small])


def test_a_model_that_the_machine_cannot_hold_goes_elsewhere(house: House, small_machine: Size) -> None:
    need(house, cpu_memory="16Gi", num_accelerators=1, accelerator_type=["NVIDIA-*"])
    with pytest.raises(InputError, match=r"local/shared: it needs 16Gi of memory, where there are 1Gi"):
        services.create_deployment(house.owner, "mine", house.model, nodepools=[house.shared])
    cluster = services.create_cluster(house.owner, "lab")
    far = services.create_nodepool(house.owner, cluster, "far", engine="remote", addresses=["10.0.0.5:8000"])
    made = services.create_deployment(house.owner, "mine", house.model, nodepools=[house.shared, far])
    assert made.nodepool == far


def test_all_replicas_that_are_promised_must_fit(house: House, small_machine: Size) -> None:
    need(house, cpu_memory="512Mi")
    services.create_deployment(house.ada, "two", house.model, nodepools=[house.shared], min_replicas=2, max_replicas=9)
    with pytest.raises(InputError, match=r"3 times 512Mi, so 1.5Gi of memory, where there are 1Gi"):
        services.create_deployment(
            house.ada, "three", house.model, nodepools=[house.shared], min_replicas=3, max_replicas=3
        )


@pytest.mark.parametrize("info", ["big", {"cpu_limit": "many"}, {"cpu_memory": "1 GB"}, {"num_accelerators": "1"}])
def test_a_model_that_lies_about_its_size_is_refused(house: House, info: Any) -> None:
    house.version.config = {"inference_compute_info": info}
    house.version.save()
    with pytest.raises(InputError, match="inference_compute_info"):
        services.create_deployment(house.ada, "mine", house.model, nodepools=[house.shared])


def test_sizes_are_read_as_they_are_written() -> None:
    size = read_size(
        {"cpu_limit": "1500m", "cpu_memory": "1.5Gi", "num_accelerators": 2, "accelerator_type": "NVIDIA-A10G"}
    )
    assert size == Size(1.5, 3 * 2**29, 2, 0, ("NVIDIA-A10G",))
    assert read_size({"cpu_limit": 2, "cpu_memory": "1G"}) == Size(2, 10**9)
    assert [in_words(number) for number in (2**30, 3 * 2**29, 2**20, 5)] == ["1Gi", "1.5Gi", "1Mi", "5 bytes"]
    here = machine.this_machine()
    assert here.cpus >= 1
    assert here.memory > 2**28


def test_an_accelerator_s_type_is_compared(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    size = Size(cpus=64, memory=2**40, accelerators=8, accelerator_memory=2**40)
    monkeypatch.setattr("playground.compute.services.placement.this_machine", lambda: size)
    pools = [
        house.shared.__class__(
            cluster=house.shared.cluster,
            slug=name,
            instance_types=[{"id": name, "compute_info": {"num_accelerators": 1, "accelerator_type": [name]}}],
        )
        for name in ("AMD-MI300", "NVIDIA-A10G")
    ]
    assert place(pools, Size(accelerators=1, accelerator_types=("NVIDIA-*",)), 1).slug == "NVIDIA-A10G"
    with pytest.raises(InputError, match="an accelerator of type NVIDIA-L4"):
        place(pools, Size(accelerators=1, accelerator_types=("NVIDIA-L4",)), 1)


def test_shared_deployments_find_a_free_id(house: House) -> None:
    services.create_deployment(house.ada, "shared-tiny", house.model, nodepools=[house.shared])
    services.create_deployment(house.ada, "shared-lab-tiny", house.model, nodepools=[house.shared])
    shared = services.ensure_shared_deployment(house.model)
    assert (shared.slug, shared.min_replicas, shared.max_replicas) == ("shared-lab-tiny-2", 1, 1)
    assert services.ensure_shared_deployment(house.model) == shared
