"""Edits: what runs is begun again, the rest applies as it is; the same again does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from playground.catalog.models import Change, Membership
from playground.compute import services
from playground.compute.models import Deployment, Nodepool
from playground.protocol.errors import AccessError, ConflictError, InputError
from tests.compute.conftest import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment(house: House) -> Deployment:
    return services.create_deployment(
        house.mate,
        "mine",
        house.model,
        nodepools=[house.shared],
        max_replicas=2,
        environment={"A": "1"},
        secrets={"KEY": "hush"},
    )


def news(deployment: Deployment) -> int:
    return Change.objects.filter(kind="deployment", key=str(deployment.pk)).count()


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "other"},
        {"min_replicas": 0, "max_replicas": 5},
        {"queue_limit": 3},
        {"scale_to_zero_delay_seconds": 7},
        {"visibility": 50},
    ],
)
def test_what_needs_no_restart_makes_none(deployment: Deployment, changes: dict[str, Any]) -> None:
    services.edit_deployment(deployment.owner, deployment, **changes)
    row = Deployment.objects.get(pk=deployment.pk)
    assert {name: getattr(row, name) for name in changes} == changes
    assert row.generation == 1
    assert news(row) == 2


@pytest.mark.parametrize(
    "changes", [{"environment": {"A": "2"}}, {"secrets": {"KEY": "other"}}, {"environment": {"A": None}}]
)
def test_what_runs_is_begun_again(deployment: Deployment, changes: dict[str, Any]) -> None:
    services.edit_deployment(deployment.owner, deployment, **changes)
    assert Deployment.objects.get(pk=deployment.pk).generation == 2


def test_a_pinned_version_is_another_generation(house: House, deployment: Deployment) -> None:
    services.edit_deployment(house.mate, deployment, version=house.version)
    assert (deployment.generation, deployment.version) == (2, house.version)
    services.edit_deployment(house.mate, deployment, version=None)
    assert (deployment.generation, deployment.version) == (3, None)


def test_the_same_again_does_nothing(house: House, deployment: Deployment) -> None:
    before = Deployment.objects.get(pk=deployment.pk)
    services.edit_deployment(
        house.mate,
        deployment,
        version=None,
        nodepools=[house.shared],
        max_replicas=2,
        environment={"A": "1", "NONE": None},
        secrets={"KEY": "hush"},
        is_enabled=True,
    )
    after = Deployment.objects.get(pk=deployment.pk)
    assert (after.generation, after.modified_at) == (before.generation, before.modified_at)
    assert news(deployment) == 1


def test_variables_are_put_by_name(deployment: Deployment) -> None:
    services.edit_deployment(deployment.owner, deployment, environment={"B": "2", "KEY": None})
    assert services.environment_of(deployment) == {"A": "1", "B": "2"}
    services.edit_deployment(deployment.owner, deployment, secrets={"A": "was plain"})
    row = deployment.environment.get(name="A")
    assert (row.is_secret, row.value) == (True, "")


def test_what_was_observed_meanwhile_is_kept(deployment: Deployment) -> None:
    services.record_state(deployment.pk, "ready", generation=1, ready_replicas=1)
    services.edit_deployment(deployment.owner, deployment, description="other")
    assert Deployment.objects.get(pk=deployment.pk).state == "ready"


@pytest.mark.parametrize("name", ["viewer", "stranger", "ada"])
def test_only_its_own_user_changes_it(house: House, deployment: Deployment, name: str) -> None:
    user = getattr(house, name)
    for act in (
        lambda: services.scale(user, deployment, 1, 1),
        lambda: services.set_enabled(user, deployment, False),
        lambda: services.retry(user, deployment),
        lambda: services.edit_deployment(user, deployment, description="mine now"),
    ):
        with pytest.raises(AccessError):
            act()
    assert news(deployment) == 1


def test_a_superuser_changes_everybody_s(house: House, deployment: Deployment) -> None:
    services.scale(house.owner, deployment, 2, 4)
    assert (deployment.min_replicas, deployment.max_replicas) == (2, 4)


def test_who_was_a_member_only_switches_off(house: House, deployment: Deployment) -> None:
    Membership.objects.filter(user=house.mate).delete()
    services.set_enabled(house.mate, deployment, False)
    with pytest.raises(AccessError):
        services.set_enabled(house.mate, deployment, True)
    with pytest.raises(AccessError):
        services.edit_deployment(house.mate, deployment, environment={"A": "2"})


def test_a_shared_one_is_changed_by_the_app_s_owner(house: House) -> None:
    shared = services.ensure_shared_deployment(house.model)
    services.scale(house.ada, shared, 0, 1)
    for user in (house.mate, house.viewer, house.stranger):
        with pytest.raises(AccessError, match="This needs an owner of the app"):
            services.scale(user, shared, 1, 1)
    pool = services.create_nodepool(house.ada, services.create_cluster(house.ada, "lab"), "one")
    with pytest.raises(ConflictError, match="is shared: it stays on local/shared"):
        services.edit_deployment(house.ada, shared, nodepools=[pool])


def test_off_and_on_begins_again(deployment: Deployment) -> None:
    services.record_state(deployment.pk, "failed", "no wheel", generation=1, log_tail="last words")
    services.set_enabled(deployment.owner, deployment, False)
    assert (deployment.is_enabled, deployment.generation) == (False, 1)
    services.set_enabled(deployment.owner, deployment, True)
    assert (deployment.generation, deployment.state, deployment.reason) == (2, "pending", "")


def test_limits_are_checked_against_what_stays(deployment: Deployment) -> None:
    with pytest.raises(InputError, match="min_replicas is 3, above max_replicas, which is 2"):
        services.edit_deployment(deployment.owner, deployment, min_replicas=3)


def test_it_moves_to_the_first_nodepool_that_fits(house: House, deployment: Deployment) -> None:
    pool = services.create_nodepool(house.mate, services.create_cluster(house.mate, "lab"), "one")
    services.edit_deployment(house.mate, deployment, nodepools=[pool, house.shared])
    assert (deployment.nodepool, deployment.generation) == (pool, 2)
    services.edit_deployment(house.mate, deployment, nodepools=[pool])
    assert [one.nodepool for one in deployment.placements.all()] == [pool]
    assert deployment.generation == 2


def test_a_cluster_s_words_are_its_owner_s(house: House) -> None:
    cluster = services.create_cluster(house.ada, "lab")
    services.edit_cluster(house.ada, cluster, region="attic")
    services.edit_cluster(house.ada, cluster, region="attic")
    assert Change.objects.filter(kind="cluster").count() == 2
    with pytest.raises(AccessError):
        services.edit_cluster(house.mate, cluster, region="mine")


def test_a_nodepool_in_use_keeps_its_engine_and_its_room(house: House) -> None:
    pool = services.create_nodepool(house.owner, services.create_cluster(house.owner, "lab"), "one")
    house.version.config = {"inference_compute_info": {"cpu_limit": "1"}}
    house.version.save()
    services.create_deployment(house.owner, "mine", house.model, nodepools=[pool])
    with pytest.raises(ConflictError, match="in use by owner/mine: its engine stays local"):
        services.edit_nodepool(house.owner, pool, engine="remote", addresses=["a:1"])
    tiny = [{"id": "tiny", "compute_info": {"cpu_limit": "100m"}}]
    with pytest.raises(ConflictError, match="mine is on lab/one, and would not fit"):
        services.edit_nodepool(house.owner, pool, instance_types=tiny)
    assert Nodepool.objects.get(pk=pool.pk).instance_types == []
    services.edit_nodepool(house.owner, pool, max_instances=3, description="roomy")
    assert Nodepool.objects.get(pk=pool.pk).max_instances == 3


def test_addresses_change_under_a_deployment(house: House) -> None:
    cluster = services.create_cluster(house.owner, "lab")
    pool = services.create_nodepool(house.owner, cluster, "far", engine="remote", addresses=["a:1"])
    services.create_deployment(house.owner, "mine", house.model, nodepools=[pool])
    services.edit_nodepool(house.owner, pool, addresses=["b:2"])
    assert pool.addresses == [{"address": "b:2", "tls": False}]
    with pytest.raises(InputError, match="needs addresses"):
        services.edit_nodepool(house.owner, pool, addresses=[])
