"""Who sees the pages of models, and what stands on them."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from playground.catalog.models import Model, User
from playground.compute.models import Deployment
from playground.compute.services import record_state
from tests.play.conftest import browser


def test_nobody_is_asked_to_sign_in(model: Model) -> None:
    response = browser().get(model.get_absolute_url())
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("signin"))


def test_its_owner_sees_a_model(owner: User, model: Model, deployment: Deployment) -> None:
    page = browser(owner).get(model.get_absolute_url()).content.decode()
    assert 'data-method="generate"' in page
    assert "Does all." in page
    assert "And more." not in page


def test_a_team_mate_sees_it_too(mate: User, model: Model, deployment: Deployment) -> None:
    assert browser(mate).get(model.get_absolute_url()).status_code == 200
    assert "everything" in browser(mate).get(reverse("play:models")).content.decode()


@pytest.mark.parametrize("name", ["play:model", "play:model_runs", "play:recent"])
def test_a_stranger_finds_nothing(stranger: User, model: Model, name: str) -> None:
    address = reverse(name, args=["olive", "main", "everything"])
    assert browser(stranger).get(address).status_code == 404
    assert "everything" not in browser(stranger).get(reverse("play:models")).content.decode()


def test_the_method_stands_in_the_address(owner: User, model: Model, deployment: Deployment) -> None:
    page = browser(owner).get(model.get_absolute_url() + "?method=find")
    assert page.context["current"].name == "find"


def test_one_that_this_version_lacks_is_told_of(owner: User, model: Model, deployment: Deployment) -> None:
    page = browser(owner).get(model.get_absolute_url() + "?method=<gone>").content.decode()
    assert "This version has no method" in page
    assert "&lt;gone&gt;" in page
    assert "has no method" not in browser(owner).get(model.get_absolute_url()).content.decode()


def test_without_one_the_first_that_streams_is_chosen(owner: User, model: Model, deployment: Deployment) -> None:
    assert browser(owner).get(model.get_absolute_url()).context["current"].name == "generate"


def test_a_label_says_the_name_alone(owner: User, model: Model, deployment: Deployment) -> None:
    page = browser(owner).get(model.get_absolute_url() + "?method=predict").content.decode()
    labels = set(re.findall(r'<label class="field__label"[^>]*>(.*?)</label>', page, re.DOTALL))
    assert {"text", "mood", "extra", "count"} <= labels
    assert "str, optional" in page


def test_an_unknown_version_is_not_found(owner: User, model: Model) -> None:
    assert browser(owner).get(model.get_absolute_url() + "/versions/none").status_code == 404


def test_a_pinned_version_is_called(owner: User, model: Model, deployment: Deployment) -> None:
    assert model.latest is not None
    page = browser(owner).get(f"{model.get_absolute_url()}/versions/{model.latest.slug}")
    assert f'data-version="{model.latest.slug}"' in page.content.decode()


def test_without_signatures_the_page_says_so(owner: User, model: Model, deployment: Deployment) -> None:
    model.versions.update(signatures_proto=b"")
    page = browser(owner).get(model.get_absolute_url()).content.decode()
    assert "once the model has been loaded" in page


@pytest.mark.parametrize("query", ["?deployment=none", "?cluster=local", "?cluster=local&nodepool=none"])
def test_a_place_that_is_not_there_is_refused(owner: User, model: Model, deployment: Deployment, query: str) -> None:
    choice = browser(owner).get(model.get_absolute_url() + query).context["choice"]
    assert choice.refusal


def test_a_place_is_chosen_by_the_address(owner: User, model: Model, deployment: Deployment) -> None:
    get = browser(owner).get
    pair = get(model.get_absolute_url() + "?cluster=local&nodepool=shared").context["choice"]
    assert pair.selector == {"compute_cluster_id": "local", "nodepool_id": "shared"}
    assert not pair.refusal
    assert get(model.get_absolute_url()).context["choice"].selector == {}


def test_a_deployment_of_another_is_not_offered(mate: User, model: Model, deployment: Deployment) -> None:
    own = Deployment.objects.create(owner=model.app.owner, slug="mine", model=model, nodepool=deployment.nodepool)
    offered = browser(mate).get(reverse("play:places", args=["olive", "main", "everything"])).content.decode()
    assert "Shared" in offered
    assert own.slug not in offered
    assert browser(mate).get(model.get_absolute_url() + "?deployment=mine").context["choice"].refusal


def test_text_from_an_author_is_only_text(owner: User, model: Model, deployment: Deployment) -> None:
    Model.objects.filter(pk=model.pk).update(description="<script>alert(1)</script>")
    record_state(deployment.pk, "failed", "<b>bad</b>", generation=1, log_tail="<i>log</i>")
    page = browser(owner).get(model.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "<b>bad" not in page
    assert "<i>log" not in page


def test_pictures_named_by_url_may_be_seen_and_nothing_else(owner: User, model: Model, deployment: Deployment) -> None:
    policy = browser(owner).get(model.get_absolute_url())["Content-Security-Policy"]
    assert "img-src 'self' data: blob: http: https:;" in policy
    assert policy.count("https:") == 1
    assert "https:" not in browser(owner).get(reverse("play:models"))["Content-Security-Policy"]
