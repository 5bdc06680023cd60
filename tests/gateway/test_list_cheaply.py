"""What a page of a listing costs: the same few queries, however many rows it has and whatever the catalog holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.catalog.models import App, Model, ModelVersion, User
from playground.compute.services import create_deployment, create_nodepool
from playground.compute.setup import ensure_shared_nodepool
from playground.gateway.families import deployments, models

if TYPE_CHECKING:
    from collections.abc import Callable

MINE = resources_pb2.UserAppIDSet(user_id="me")


@pytest.fixture
def owner(db: None) -> User:
    user = User.objects.create_user("lister")
    app = App.objects.create(owner=user, slug="main")
    shared = ensure_shared_nodepool(user)
    other = create_nodepool(user, shared.cluster, "other")
    for number in range(12):
        model = Model.objects.create(app=app, slug=f"m{number}")
        for _ in range(3):
            ModelVersion.objects.create(model=model, folder="/nowhere")
        pinned = model.versions.first() if number % 2 else None
        facts: Any = {"environment": {"A": "b"}, "secrets": {"C": "d"}, "min_replicas": 0}
        create_deployment(user, f"d{number}", model, version=pinned, nodepools=[shared, other], **facts)
    return user


@pytest.mark.parametrize(
    ("ask", "request_type", "most"),
    [
        (deployments.list_deployments, service_pb2.ListDeploymentsRequest, 7),
        (models.list_models, service_pb2.ListModelsRequest, 2),
    ],
)
def test_queries_do_not_grow_with_the_page(
    owner: User,
    django_assert_max_num_queries: Any,
    ask: Callable[[User, Any], Any],
    request_type: Any,
    most: int,
) -> None:
    for per_page in (1, 12):
        with django_assert_max_num_queries(most):
            ask(owner, request_type(user_app_id=MINE, per_page=per_page))


def test_each_tells_its_own(owner: User) -> None:
    request = service_pb2.ListDeploymentsRequest(user_app_id=MINE)
    listed = deployments.list_deployments(owner, request).deployments
    assert [one.id for one in listed] == [f"d{number}" for number in range(12)]
    for number, one in enumerate(listed):
        model = Model.objects.get(slug=f"m{number}")
        served = model.versions.order_by("pk").first() if number % 2 else model.latest
        assert served is not None
        assert one.worker.model.model_version.id == served.slug
        assert one.deploy_latest_version is not bool(number % 2)
        assert [pool.id for pool in one.nodepools] == ["shared", "other"]
        assert dict(one.metadata["environment"]) == {"A": "b"}
        assert list(one.metadata["secrets"]) == ["C"]
        assert (
            one
            == deployments.get_deployment(
                owner, service_pb2.GetDeploymentRequest(user_app_id=MINE, deployment_id=one.id)
            ).deployment
        )
