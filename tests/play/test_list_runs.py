"""One's runs: listed, counted, opened by their link; and nobody else's."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from playground.catalog.models import Membership, Model, User
from playground.compute.models import Deployment
from playground.runs.models import Run
from tests.play.conftest import browser


@pytest.fixture
def run(owner: User, model: Model, deployment: Deployment) -> Run:
    return Run.objects.create(
        pk=uuid.uuid4(),
        user=owner,
        model=model,
        method="find",
        state="finished",
        arguments={"threshold": 0.5},
        total_ms=12,
    )


def test_a_link_opens_the_run(owner: User, run: Run) -> None:
    page = browser(owner).get(run.get_absolute_url())
    assert page.context["current"].name == "find"
    assert str(run.pk) in page.content.decode()
    field = next(entry for entry in page.context["current"].fields if entry.name == "threshold")
    assert field.text == "0.5"


def test_the_model_page_names_its_run(owner: User, run: Run) -> None:
    page = browser(owner).get(f"{run.model.get_absolute_url()}?run={run.pk}")
    assert page.context["run_facts"]["id"] == str(run.pk)


@pytest.mark.parametrize("text", ["none", str(uuid.uuid4())])
def test_a_run_that_is_not_there_opens_nothing(owner: User, run: Run, text: str) -> None:
    assert browser(owner).get(f"{run.model.get_absolute_url()}?run={text}").context["run_facts"] is None


def test_a_team_mate_does_not_see_it(mate: User, run: Run) -> None:
    client = browser(mate)
    assert client.get(run.get_absolute_url()).status_code == 404
    assert client.get(f"{run.model.get_absolute_url()}?run={run.pk}").context["run_facts"] is None
    assert client.get(reverse("play:runs")).context["total"] == 0


def test_a_stranger_does_not_see_it(stranger: User, run: Run) -> None:
    assert browser(stranger).get(run.get_absolute_url()).status_code == 404


def test_a_run_of_a_model_that_is_no_longer_shared_is_gone(mate: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(user=mate)
    assert browser(mate).get(run.get_absolute_url()).status_code == 200
    Membership.objects.all().delete()
    assert browser(mate).get(run.get_absolute_url()).status_code == 404


def test_runs_are_listed_by_state(owner: User, run: Run) -> None:
    client = browser(owner)
    assert client.get(reverse("play:runs"), {"state": "failed"}).context["page"].paginator.count == 0
    assert client.get(reverse("play:runs"), {"state": "finished"}).context["page"].paginator.count == 1
    assert client.get(reverse("play:runs"), {"state": "nonsense", "page": "x"}).status_code == 200


def test_the_topbar_counts_what_is_running(owner: User, run: Run) -> None:
    client = browser(owner)
    assert client.get(reverse("play:running")).content.strip() == b""
    Run.objects.update(state="running")
    assert "1 running" in client.get(reverse("play:running")).content.decode()


def test_recent_runs_mark_the_open_one(owner: User, run: Run) -> None:
    address = reverse("play:recent", args=["olive", "main", "everything"])
    assert 'aria-current="true"' in browser(owner).get(address, {"run": str(run.pk)}).content.decode()
