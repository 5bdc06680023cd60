"""New deployment, as a page and inside a dialog: what it offers, what it refuses beside its field, and the start."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from playground.catalog.models import Membership, Model, ModelVersion, User
from playground.compute import services
from playground.compute.models import Deployment, Nodepool, Transition
from playground.play.queries import nodepools
from tests.play.conftest import browser

NEW = "/compute/deployments/new"
HTMX = {"HX-Request": "true"}
MODEL = "olive/main/models/everything"


@pytest.fixture(autouse=True)
def _logs(settings: Any, tmp_path: Any) -> None:
    settings.LOG_DIR = tmp_path


def given(deployment: Deployment, **more: Any) -> dict[str, Any]:
    values = {"name": "night", "nodepool": deployment.nodepool_id, "least": 0, "most": 3, "idle_minutes": "10"}
    return {"model": MODEL, **values, **more}


def page_of(user: User, headers: dict[str, str] | None = None, **query: Any) -> str:
    answer = browser(user).get(NEW, query, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def start(deployment: Deployment, number: int, *, loading: float = 6.0) -> None:
    begin = timezone.now() - timedelta(hours=1) + timedelta(seconds=100 * number)
    entries = (("pending", 0.0, {}), ("starting", 1.0, {"process": 0.0, "loading": 1.5, "check": 1.5 + loading}))
    for state, second, marks in (*entries, ("ready", 3.0 + loading, {})):
        entry = Transition.objects.create(deployment=deployment, state=state, marks=marks)
        Transition.objects.filter(pk=entry.pk).update(at=begin + timedelta(seconds=second))


def test_it_offers_what_fits_with_what_is_free(owner: User, model: Model, deployment: Deployment) -> None:
    cluster = services.create_cluster(owner, "lab", cloud_provider="on-premises", region="Frankfurt")
    services.create_nodepool(
        owner, cluster, "tiny", instance_types=[{"id": "s", "compute_info": {"cpu_memory": "1Mi"}}]
    )
    ModelVersion.objects.update(config={"inference_compute_info": {"cpu_memory": "10Mi"}})
    shown = page_of(owner, model=MODEL)
    assert "local / shared" in shown
    assert "fits " in shown
    assert "too small" in shown
    assert "It needs more: on s 10Mi of memory, where there are 1Mi." in shown
    assert "The first start of everything on local / shared" in shown
    assert 'value="everything-1"' in shown


def test_full_for_now_can_still_be_chosen(
    owner: User, model: Model, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodepools, "free_memory", lambda: 1000)
    (offer,) = nodepools.list_offers(owner, model, model.latest)
    assert (offer.verdict, offer.tone, offer.refusal) == ("full now", "wait", "")
    assert "it takes about 64Mi" in offer.meta


def test_the_forecast_comes_from_earlier_starts_there(owner: User, deployment: Deployment) -> None:
    for number in range(3):
        assert "Usually ready in" not in page_of(owner, model=MODEL)
        start(deployment, number)
    shown = page_of(owner, model=MODEL)
    assert "Usually ready in 9.0 s on local / shared, from 3 starts." in shown
    for words in ("usually 1.0", "usually 1.5", "usually 6.0", "usually 0.5"):
        assert words in shown


def test_what_it_costs_and_saves_is_said(owner: User, deployment: Deployment) -> None:
    assert "Costs nothing while idle: 20 min after the last call" in page_of(owner, model=MODEL, idle_minutes="20")
    assert "2 replicas are always ready" in page_of(owner, model=MODEL, least="2")
    assert "always ready" in page_of(owner, model=MODEL, least="many")


def test_a_dialog_deploys_and_shows_the_start(owner: User, deployment: Deployment) -> None:
    answer = browser(owner).post(NEW, given(deployment, dialog="1"), headers=HTMX)
    made = Deployment.objects.get(slug="night")
    assert (made.min_replicas, made.max_replicas, made.scale_to_zero_delay_seconds) == (0, 3, 600)
    news = json.loads(answer["HX-Trigger"])["deployment-created"]
    assert news == {"model": MODEL, "label": "night", "query": "deployment=night"}
    shown = " ".join(answer.content.decode().split())
    assert "Closing this window does not stop it." in shown
    assert "Waiting for a place on local / shared" in shown
    assert 'value="night"' in shown
    services.record_state(made.pk, "starting", "starting the process", generation=1)
    services.record_state(made.pk, "starting", "loading the model", generation=1)
    polled = browser(owner).get(f"/deployments/{made.pk}/start", headers=HTMX).content.decode()
    assert "Process started" in polled
    assert "there already" in polled
    assert 'hx-trigger="every 1s"' in polled
    services.record_state(made.pk, "ready", generation=1, ready_replicas=1)
    polled = browser(owner).get(f"/deployments/{made.pk}/start", headers=HTMX).content.decode()
    assert "every 1s" not in polled
    assert f"/{MODEL}?deployment=night" in polled


def test_a_page_without_scripts_deploys_too(owner: User, deployment: Deployment) -> None:
    answer = browser(owner).post(NEW, given(deployment), follow=True)
    assert answer.redirect_chain[-1][0] == "/compute/deployments/olive/night"
    assert "night is on its way." in answer.content.decode()


VARIABLES = {
    "variable_name": ["MODE", "KEY", ""],
    "variable_value": ["fast", "s3cret", ""],
    "variable_kind": ["plain", "secret", "plain"],
}


def test_variables_are_kept_and_secrets_never_shown(owner: User, deployment: Deployment) -> None:
    answer = browser(owner).post(NEW, given(deployment, **VARIABLES), headers=HTMX)
    made = Deployment.objects.get(slug="night")
    assert services.environment_of(made) == {"MODE": "fast", "KEY": "s3cret"}
    assert [row.is_secret for row in made.environment.order_by("name")] == [True, False]
    assert "s3cret" not in answer.content.decode()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Give it a name."),
        ({"name": "a b"}, "cannot be an id"),
        ({"name": "shared-everything"}, "has a deployment shared-everything already"),
        ({"nodepool": "9999"}, "This nodepool is gone"),
        ({"nodepool": "x"}, "Choose a nodepool."),
        ({"least": "4"}, "The fewest, 4, are more than the most, 3."),
        ({"variable_name": ["K"], "variable_value": [""], "variable_kind": ["secret"]}, "K: type the secret"),
        ({"most": "many"}, "Give a whole number."),
        ({"most": "9999"}, "it can be 1 to 1000"),
        ({"idle_minutes": "99999"}, "Give 0 to 1440 minutes."),
        ({"idle_minutes": "nan"}, "Give"),
        ({"up_seconds": "-1"}, "it can be 0 to 86400"),
        ({"queue_limit": "0"}, "it can be 1 to 100000"),
        ({"version": "nothing"}, "has no version nothing"),
        (
            {"variable_name": ["A", "A"], "variable_value": ["1", "2"], "variable_kind": ["plain"] * 2},
            "A: there twice.",
        ),
        ({"variable_name": [""], "variable_value": ["1"], "variable_kind": ["plain"]}, "a value and no name"),
        ({"variable_name": ["1A"], "variable_value": ["1"], "variable_kind": ["secret"]}, "cannot be a variable"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(
    owner: User, deployment: Deployment, wrong: dict[str, Any], words: str
) -> None:
    answer = browser(owner).post(NEW, given(deployment) | wrong, headers=HTMX)
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert words in shown
    assert 'class="field__error"' in shown
    assert not Deployment.objects.filter(slug="night").exists()
    assert browser(owner).post(NEW, given(deployment) | wrong).status_code == 422


def test_a_viewer_is_told_what_it_needs(mate: User, deployment: Deployment) -> None:
    shown = page_of(mate, model=MODEL)
    assert "Deploying everything needs a member of olive/main" in shown
    assert "You are a viewer there." in shown
    assert browser(mate).post(NEW, given(deployment)).status_code == 403
    assert "No model that you may deploy" in page_of(mate)
    Membership.objects.filter(user=mate).update(role=Membership.Role.MEMBER)
    assert browser(mate).post(NEW, given(deployment)).status_code == 302
    assert Deployment.objects.get(slug="night").owner == mate


def test_a_hidden_model_or_nodepool_is_not_there(owner: User, stranger: User, deployment: Deployment) -> None:
    cluster = services.create_cluster(stranger, "den")
    hidden = services.create_nodepool(stranger, cluster, "own")
    for address in (MODEL, "olive/main/models/none", "nonsense"):
        assert browser(stranger).get(NEW, {"model": address}).status_code == 404
    assert "den / own" not in page_of(owner, model=MODEL)
    answer = browser(owner).post(NEW, given(deployment, nodepool=hidden.pk), headers=HTMX)
    assert "This nodepool is gone, or no longer shared with you." in answer.content.decode()


def test_cancelling_takes_it_back_until_it_is_ready(owner: User, mate: User, deployment: Deployment) -> None:
    browser(owner).post(NEW, given(deployment))
    address = "/compute/deployments/olive/night/cancel"
    assert browser(mate).post(address).status_code == 404
    answer = browser(owner).post(address, given(deployment, **VARIABLES), headers=HTMX)
    shown = answer.content.decode()
    assert "night is cancelled." in shown
    assert 'value="MODE"' in shown
    assert not Deployment.objects.filter(slug="night").exists()
    browser(owner).post(NEW, given(deployment))
    services.record_state(Deployment.objects.get(slug="night").pk, "ready", generation=1, ready_replicas=1)
    assert browser(owner).post(address).status_code == 409
    assert Deployment.objects.filter(slug="night").exists()


def test_remote_places_are_found_not_started(owner: User, model: Model, deployment: Deployment) -> None:
    pool = Nodepool.objects.create(
        cluster=deployment.nodepool.cluster, slug="far", engine="remote", addresses=[{"address": "a:1"}]
    )
    shown = page_of(owner, model=MODEL, nodepool=pool.pk)
    assert "1 address" in shown
    assert "Its addresses answer" in shown
    assert "found, not started" in shown
    assert "a:1" not in shown
