"""The state of a model's deployment, as the page polls it."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment, Transition
from playground.compute.services import record_state
from playground.play.queries.starts import Step, describe_start
from tests.play.conftest import browser

HTMX = {"HX-Request": "true"}


def poll(client: Client, deployment: Deployment, **query: str) -> object:
    return client.get(reverse("play:deployment_state", args=[deployment.pk]), query, headers=HTMX)


def test_a_start_is_shown_step_by_step(owner: User, deployment: Deployment) -> None:
    record_state(deployment.pk, "building", "installing requirements", generation=1)
    page = poll(browser(owner), deployment).content.decode()
    assert "Installing requirements" in page
    assert 'hx-trigger="every 1s, ' in page
    assert 'id="head-state" hx-swap-oob="true"' in page


def test_what_is_not_new_is_not_sent(owner: User, deployment: Deployment) -> None:
    record_state(deployment.pk, "starting", generation=1)
    record_state(deployment.pk, "ready", generation=1)
    first = poll(browser(owner), deployment)
    assert poll(browser(owner), deployment, seen=first.context["seen"]).status_code == 204


def test_the_page_is_drawn_anew_when_its_forms_are_known(owner: User, deployment: Deployment) -> None:
    record_state(deployment.pk, "ready", generation=1)
    assert poll(browser(owner), deployment, forms="0")["HX-Refresh"] == "true"


def test_a_page_keeps_its_forms_while_a_new_version_is_loaded(
    owner: User, model: Model, deployment: Deployment
) -> None:
    ModelVersion.objects.create(model=model, folder="/nowhere")
    assert "forms=1" in poll(browser(owner), deployment, forms="1").content.decode()


def test_a_failure_shows_its_reason_and_log(owner: User, deployment: Deployment) -> None:
    record_state(deployment.pk, "failed", "No such package.", generation=1, log_tail="line one\nline two")
    page = poll(browser(owner), deployment).content.decode()
    assert "No such package." in page
    assert "line two" in page
    assert "Retry" in page


def test_its_owner_retries(owner: User, deployment: Deployment) -> None:
    record_state(deployment.pk, "failed", generation=1)
    response = browser(owner).post(reverse("play:retry", args=[deployment.pk]), headers=HTMX)
    assert response.status_code == 302
    deployment.refresh_from_db()
    assert (deployment.state, deployment.generation) == ("pending", 2)


def test_a_team_mate_sees_but_may_not_retry(mate: User, deployment: Deployment) -> None:
    record_state(deployment.pk, "failed", "No such package.", generation=1, log_tail="line one\nline two")
    page = poll(browser(mate), deployment).content.decode()
    assert "No such package." in page
    assert "line two" not in page
    assert "Retry" not in page
    assert browser(mate).post(reverse("play:retry", args=[deployment.pk])).status_code == 403


def test_a_stranger_finds_no_deployment(stranger: User, deployment: Deployment) -> None:
    assert poll(browser(stranger), deployment).status_code == 404
    assert browser(stranger).post(reverse("play:retry", args=[deployment.pk])).status_code == 404


def test_retry_is_no_link(owner: User, deployment: Deployment) -> None:
    assert browser(owner).get(reverse("play:retry", args=[deployment.pk])).status_code == 405


def test_usual_times_need_three_starts(owner: User, deployment: Deployment) -> None:
    Transition.objects.all().delete()
    begin = timezone.now() - timedelta(hours=1)
    for number in range(4):
        for state, second in (("pending", 0), ("starting", 1), ("ready", 9)):
            entry = Transition.objects.create(deployment=deployment, state=state)
            Transition.objects.filter(pk=entry.pk).update(at=begin + timedelta(seconds=100 * number + second))
        steps = {step.name: step for step in describe_start(owner, deployment).steps}
        assert (steps["Model loaded"].usual == 8) == (number >= 2)


def test_a_bar_never_says_all_is_done() -> None:
    shares = [Step("", "now", took=took, usual=10.0).percent for took in (0, 5, 9, 10, 20, 1000)]
    assert shares == sorted(shares)
    assert shares[-1] <= 95
