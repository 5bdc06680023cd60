"""States are written once each, with their history; what is out of date is not written; a retry begins again."""

from __future__ import annotations

import pytest

from playground.catalog.models import Change, Model, User
from playground.catalog.services import ensure_owner
from playground.compute.models import Deployment
from playground.compute.services import ensure_shared_deployment, log_path, read_log, record_state, retry
from playground.compute.setup import ensure_shared_nodepool

pytestmark = pytest.mark.django_db
State = Deployment.State


@pytest.fixture
def deployment() -> Deployment:
    owner, app = ensure_owner()
    ensure_shared_nodepool(owner)
    return ensure_shared_deployment(Model.objects.create(app=app, slug="tiny"))


def test_each_state_is_written_once(deployment: Deployment) -> None:
    assert record_state(deployment.pk, State.STARTING, "loading", generation=1)
    assert not record_state(deployment.pk, State.STARTING, "loading", generation=1)
    assert record_state(deployment.pk, State.READY, generation=1, ready_replicas=1)
    deployment.refresh_from_db()
    assert deployment.is_ready
    assert [row.state for row in deployment.transitions.order_by("pk")] == ["pending", "starting", "ready"]
    assert Change.objects.filter(kind="state").count() == 2


def test_an_older_observation_changes_nothing(deployment: Deployment) -> None:
    retry(deployment.owner, deployment)
    assert deployment.generation == 2
    assert not record_state(deployment.pk, State.READY, generation=1)
    assert deployment.state == State.PENDING


def test_a_retry_forgets_the_failure(deployment: Deployment) -> None:
    record_state(deployment.pk, State.FAILED, "no wheel", generation=1, log_tail="last words")
    retry(deployment.owner, deployment)
    assert (deployment.state, deployment.reason, deployment.log_tail) == (State.PENDING, "", "")


def test_the_log_is_read_from_its_end(deployment: Deployment) -> None:
    assert read_log(deployment) == []
    path = log_path(deployment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"line {number}\n" for number in range(500)))
    assert read_log(deployment, 2) == ["line 498", "line 499"]
    path.unlink()


def test_a_stranger_sees_no_deployment_of_a_private_model(deployment: Deployment) -> None:
    stranger = User.objects.create_user("stranger")
    assert not Deployment.objects.visible_to(stranger).exists()
    assert Deployment.objects.visible_to(User.objects.get(username="owner")).get() == deployment
    Model.objects.update(visibility=50)
    assert Deployment.objects.visible_to(stranger).get() == deployment


def test_a_start_keeps_when_each_stage_was_reached(deployment: Deployment) -> None:
    for stage in ("starting the process", "loading the model", "waiting for its first health check"):
        record_state(deployment.pk, State.STARTING, stage, generation=1)
    (start,) = deployment.transitions.filter(state=State.STARTING)
    assert list(start.marks) == ["process", "loading", "check"]
    assert sorted(start.marks.values()) == list(start.marks.values())
    record_state(deployment.pk, State.STARTING, "starting the process", generation=1)
    start.refresh_from_db()
    assert list(start.marks) == ["process"]
