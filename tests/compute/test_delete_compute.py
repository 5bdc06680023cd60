"""What is in use stays, and says who uses it; the built-in things stay; several are deleted together or not at all."""

from __future__ import annotations

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog.models import Change, Model
from playground.compute import services
from playground.compute.models import Cluster, Deployment, EnvironmentVariable, Nodepool, Placement
from playground.protocol.errors import AccessError, ConflictError, NotFoundError
from tests.compute.conftest import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment(house: House) -> Deployment:
    cluster = services.create_cluster(house.mate, "lab")
    pools = [services.create_nodepool(house.mate, cluster, name) for name in ("one", "two")]
    return services.create_deployment(house.mate, "mine", house.model, nodepools=pools, secrets={"KEY": "hush"})


def test_what_is_in_use_is_refused_by_name(house: House, deployment: Deployment) -> None:
    cluster = deployment.nodepool.cluster
    with pytest.raises(ConflictError, match="has the nodepools one, two") as refused:
        services.delete_clusters(house.mate, ["lab"])
    assert refused.value.code == StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST
    for name in ("one", "two"):  # the second is only where it may go
        with pytest.raises(ConflictError, match=f"lab/{name} is in use by the deployments mate/mine") as refused:
            services.delete_nodepools(house.mate, cluster, [name])
        assert refused.value.code == StatusCode.NODEPOOL_INVALID_REQUEST
    with pytest.raises(ConflictError, match="in use by the deployments mate/mine"):
        services.delete_model(house.ada, house.model)


def test_all_goes_from_the_leaves_up(
    house: House, deployment: Deployment, django_capture_on_commit_callbacks: object
) -> None:
    path = services.log_path(deployment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("words")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # a pytest-django fixture
        services.delete_deployments(house.mate, ["mine"])
    assert not path.exists()
    services.delete_nodepools(house.mate, Cluster.objects.get(slug="lab"), ["one", "two"])
    services.delete_clusters(house.mate, ["lab"])
    assert not EnvironmentVariable.objects.exists()
    assert not Placement.objects.exists()
    kinds = list(Change.objects.order_by("-pk").values_list("kind", flat=True)[:4])
    assert kinds == ["cluster", "nodepool", "nodepool", "deployment"]


def test_all_or_none(house: House, deployment: Deployment) -> None:
    services.create_cluster(house.mate, "spare")
    with pytest.raises(ConflictError):
        services.delete_clusters(house.mate, ["spare", "lab"])
    with pytest.raises(NotFoundError, match="No deployment gone for you"):
        services.delete_deployments(house.mate, ["mine", "gone"])
    assert Cluster.objects.filter(slug="spare").exists()
    assert Deployment.objects.filter(slug="mine").exists()


def test_what_is_built_in_stays(house: House) -> None:
    shared = services.ensure_shared_deployment(house.model)
    with pytest.raises(ConflictError, match="the shared one of ada/lab/models/tiny, and stays with it"):
        services.delete_deployments(house.ada, [shared.slug])
    with pytest.raises(ConflictError, match="built in"):
        services.delete_nodepools(house.owner, house.shared.cluster, ["shared"])
    with pytest.raises(ConflictError, match="built in"):
        services.delete_clusters(house.owner, ["local"])


def test_nobody_deletes_another_s(house: House, deployment: Deployment) -> None:
    for user in (house.ada, house.viewer, house.stranger):
        with pytest.raises(NotFoundError):
            services.delete_deployments(user, ["mine"])
        with pytest.raises(NotFoundError):
            services.delete_deployments(user, ["mine"], owner=house.mate)
        with pytest.raises(NotFoundError):
            services.delete_clusters(user, ["lab"], owner=house.mate)
        with pytest.raises(AccessError):
            services.delete_nodepools(user, deployment.nodepool.cluster, ["one"])


def test_what_is_public_is_seen_and_not_deleted(house: House, deployment: Deployment) -> None:
    services.edit_deployment(house.mate, deployment, visibility=50)
    with pytest.raises(AccessError, match="Only its owner changes the deployment mine"):
        services.delete_deployments(house.ada, ["mine"], owner=house.mate)


def test_a_superuser_deletes_for_others(house: House, deployment: Deployment) -> None:
    services.delete_deployments(house.owner, ["mine"], owner=house.mate)
    assert not Deployment.objects.filter(slug="mine").exists()


def test_a_model_goes_with_its_shared_deployment(house: House) -> None:
    services.ensure_shared_deployment(house.model)
    for user in (house.mate, house.viewer, house.stranger):
        with pytest.raises(AccessError, match="owner of the app"):
            services.delete_model(user, house.model)
    services.delete_model(house.ada, house.model)
    assert not Model.objects.exists()
    assert not Deployment.objects.exists()
    assert Nodepool.objects.filter(is_shared=True).exists()
