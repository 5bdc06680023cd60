"""The Compute pages: places with their labels, deployments with filter and pages, one deployment with its history."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from playground.catalog.models import PUBLIC, Membership, Model, User
from playground.compute import services
from playground.compute.models import Cluster, Deployment, Nodepool, Replica, Transition
from playground.play.queries import places
from playground.play.views import compute as compute_views
from tests.play.conftest import browser

State = Deployment.State


@pytest.fixture(autouse=True)
def _logs(settings: object, tmp_path: object) -> None:
    settings.LOG_DIR = tmp_path  # type: ignore[attr-defined]


def page(user: User, address: str = "/compute/", **query: str) -> str:
    answer = browser(user).get(address, query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_clusters_show_their_labels_and_say_that_they_are_labels(owner: User, deployment: Deployment) -> None:
    cluster = services.create_cluster(owner, "edge", cloud_provider="on-premises", region="Berlin")
    sizes = [{"id": "small", "compute_info": {"cpu_limit": "1", "cpu_memory": "500Mi"}}]
    services.create_nodepool(owner, cluster, "cpu", instance_types=sizes)
    shown = page(owner)
    for words in ("edge", "on-premises", "Berlin", "cpu", "small: 1 CPU, 500Mi", "processes on this machine"):
        assert words in shown
    assert "Cloud provider and region are labels" in shown


def test_addresses_of_remote_nodepools_are_for_the_clusters_owner(
    owner: User, mate: User, deployment: Deployment
) -> None:
    cluster = Cluster.objects.create(owner=owner, slug="far")
    Nodepool.objects.create(
        cluster=cluster,
        slug="gpu",
        engine="remote",
        visibility=PUBLIC,
        addresses=[{"address": "10.1.2.3:4", "tls": True}],
    )
    assert "10.1.2.3:4 (TLS)" in page(owner)
    assert "gpu" in page(mate)
    assert "10.1.2.3" not in page(mate)


def test_replicas_are_ready_of_desired_within_their_bounds(owner: User, deployment: Deployment) -> None:
    Deployment.objects.update(state=State.READY, ready_replicas=2, min_replicas=1, max_replicas=4)
    for slug, state in (("a", State.READY), ("b", State.READY), ("c", State.STARTING), ("d", State.DRAINING)):
        Replica.objects.create(deployment=deployment, nodepool=deployment.nodepool, slug=slug, state=state)
    assert "2 of 3 ready. 1 to 4, by calls in flight." in page(owner, f"/compute/deployments/olive/{deployment.slug}")


@pytest.mark.parametrize(
    ("least", "live", "is_enabled", "desired"), [(1, 0, True, 1), (0, 0, True, 0), (1, 3, True, 3), (2, 2, False, 0)]
)
def test_desired(least: int, live: int, is_enabled: bool, desired: int) -> None:
    row = Deployment(min_replicas=least, max_replicas=4, is_enabled=is_enabled)
    assert places.desired_of(row, live) == desired


def test_the_history_has_the_newest_first_with_reasons_and_times(owner: User, deployment: Deployment) -> None:
    services.record_state(deployment.pk, State.STARTING, "loading the model", generation=1)
    services.record_state(deployment.pk, State.FAILED, "no memory", generation=1, log_tail="the end")
    detail = places.describe(owner, places.find_deployment(owner, "olive", deployment.slug))
    assert [stay.state for stay in detail.history] == [State.FAILED, State.STARTING, State.PENDING]
    assert [stay.reason for stay in detail.history] == ["no memory", "loading the model", ""]
    assert [stay.took is None for stay in detail.history] == [True, False, False]
    shown = page(owner, f"/compute/deployments/olive/{deployment.slug}")
    assert f"{deployment.slug} failed." in shown
    assert "No memory" in shown
    assert "the end" in shown
    assert "Retry" in shown


def test_a_long_history_is_bounded(owner: User, deployment: Deployment) -> None:
    Transition.objects.bulk_create(Transition(deployment=deployment, state=State.READY) for _ in range(500))
    assert len(places.describe(owner, deployment).history) == places.HISTORY


@pytest.mark.parametrize("part", ["live", "log"])
def test_nothing_new_is_nothing_to_draw(owner: User, deployment: Deployment, part: str) -> None:
    client, address = browser(owner), f"/compute/deployments/olive/{deployment.slug}"
    first = client.get(f"{address}/{part}")
    seen = first.context["seen" if part == "live" else "log_seen"]
    assert client.get(f"{address}/{part}", {"seen": seen}).status_code == 204
    if part == "live":
        services.record_state(deployment.pk, State.READY, generation=1, ready_replicas=1)
    else:
        services.log_path(deployment).write_text("news\n")
    assert client.get(f"{address}/{part}", {"seen": seen}).status_code == 200


def test_buttons_and_the_start_follow_what_happens(owner: User, deployment: Deployment) -> None:
    client, address = browser(owner), f"/compute/deployments/olive/{deployment.slug}"
    services.record_state(deployment.pk, State.STARTING, "loading the model", generation=1)
    shown = client.get(f"{address}/live").content.decode()
    assert "Leaving this page does not stop it." in shown
    assert "Switch off" in shown
    seen = client.get(f"{address}/live").context["seen"]
    services.set_enabled(owner, deployment, False)
    shown = client.get(f"{address}/live", {"seen": seen}).content.decode()
    assert shown.count('hx-swap-oob="true"') == 2
    assert "Switch on" in shown


def test_the_table_is_drawn_again_when_something_changed(owner: User, deployment: Deployment) -> None:
    client = browser(owner)
    seen = client.get("/compute/").context["seen"]
    assert client.get("/compute/deployments", {"seen": seen}).status_code == 204
    services.record_state(deployment.pk, State.BUILDING, "numpy", generation=1)
    answer = client.get("/compute/deployments", {"seen": seen})
    assert "Building" in answer.content.decode()


def test_filter_by_words_and_by_state(owner: User, deployment: Deployment) -> None:
    for name in "abcdefg":
        make(owner, deployment, f"{name}-lab", State.READY)
    assert "a-lab" in page(owner, q="A-LAB")
    assert "b-lab" not in page(owner, q="A-LAB")
    assert deployment.slug in page(owner, state=State.PENDING)
    assert ">a-lab<" not in page(owner, state=State.PENDING)
    assert "Nothing matches <i>nowhere</i>" in page(owner, q="nowhere")
    assert "8 deployments without this filter" in page(owner, q="nowhere")
    assert "a-lab" in page(owner, state="nonsense", page="99")


def test_who_has_none_is_told_how_to_make_one(owner: User, mate: User, stranger: User, deployment: Deployment) -> None:
    assert 'href="/compute/deployments/new"' in page(owner)
    assert "No deployment of your own yet." in page(mate)
    assert "deployments/new" not in page(mate)
    Membership.objects.filter(user=mate).update(role=Membership.Role.MEMBER)
    assert "deployments/new" in page(mate)
    assert "No deployment for you yet" in page(stranger)
    make(owner, deployment, "mine", State.READY)
    assert "No deployment of your own yet." not in page(owner)


def test_another_s_deployment_of_the_same_name_is_told_apart(
    owner: User, mate: User, model: Model, deployment: Deployment
) -> None:
    for user in (owner, mate):
        make(user, deployment, "twin", State.READY, visibility=PUBLIC)
    for query, label in (({}, "Shared (default)"), ({"deployment": "twin"}, "twin")):
        shown = page(mate, "/olive/main/models/everything", **query)
        assert f'data-asked="{label}"' in shown
    shown = page(mate, "/olive/main/models/everything", deployment="twin", owner="olive")
    assert 'data-asked="olive / twin"' in shown
    assert "&quot;deployment_user_id&quot;:&quot;olive&quot;" in shown
    assert "/olive/main/models/everything?deployment=twin&amp;owner=olive" in page(
        mate, "/compute/deployments/olive/twin"
    )


def make(owner: User, like: Deployment, slug: str, state: str, **fields: int) -> Deployment:
    made = Deployment(owner=owner, slug=slug, model=like.model, nodepool=like.nodepool, state=state, **fields)
    made.save()
    return made


def test_a_thousand_deployments_need_no_more_queries_than_a_few(owner: User, deployment: Deployment) -> None:
    like = {"owner": owner, "model": deployment.model, "nodepool": deployment.nodepool, "state": State.READY}
    client, counts = browser(owner), []
    for many in (9, 990):
        Deployment.objects.bulk_create(Deployment(slug=f"d{many}-{number}", **like) for number in range(many))
        with CaptureQueriesContext(connection) as queries:
            answer = client.get("/compute/")
        counts.append(len(queries))
        assert answer.content.count(b'class="table__name"') == min(many + 1, compute_views.PAGE_SIZE)
    assert counts[0] == counts[1] <= 12
