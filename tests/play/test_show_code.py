"""The tab API: the call that an address, a run or a form gives, as code, for who sees the model."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from playground.catalog.models import Membership, Model, User
from playground.compute.models import Cluster, Deployment, Nodepool, Placement
from playground.media import services as media
from playground.runs.models import Run
from tests.media.conftest import picture
from tests.play.conftest import browser

PAGE = "/olive/main/models/everything/api"
RUN = uuid.UUID("22222222-2222-4222-8222-222222222222")


@pytest.fixture(autouse=True)
def ready(model: Model, deployment: Deployment, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.GATEWAY_PORT = 8123


def codes(client: Client, query: str = "", *, given: dict[str, Any] | None = None, **extra: Any) -> dict[str, str]:
    if given is None:
        answer = client.get(PAGE + query, **extra)
    else:
        answer = client.post(f"{PAGE}/code{query}", {"arguments": json.dumps(given)}, **extra)
    assert answer.status_code == 200, answer.content
    return {snippet.slug: snippet.code for snippet in answer.context["code"].snippets}


def run_of(user: User, model: Model, **facts: Any) -> Run:
    facts = {"method": "predict", "arguments": {"text": "from a run", "count": 7}, "state": "finished"} | facts
    return Run.objects.create(id=RUN, user=user, model=model, version=model.latest, **facts)


def test_it_opens_with_the_method_that_the_model_s_page_opens_with(owner: User) -> None:
    found = codes(browser(owner))
    assert 'with model.generate(text="Hello") as answers:' in found["python"]
    assert 'base_url="http://127.0.0.1:8123"' in found["python"]
    assert set(found) == {"python", "async", "clarifai", "cli", "clarifai-cli"}


def test_what_the_form_holds_is_written(owner: User) -> None:
    found = codes(browser(owner), "?method=predict&code=cli", given={"text": "<b>hi</b>", "count": 5, "mood": "calm"})
    assert 'model.predict(text="<b>hi</b>", count=5)' in found["python"]
    page = browser(owner).post(f"{PAGE}/code?method=predict", {"arguments": '{"text": "<b>hi</b>"}'}).content.decode()
    assert "<b>hi" not in page


def test_a_run_gives_its_arguments_and_its_place(owner: User, model: Model) -> None:
    run_of(owner, model, selector={"deployment_id": "night"})
    Deployment.objects.create(owner=owner, slug="night", model=model, nodepool=Nodepool.objects.get())
    found = codes(browser(owner), f"?run={RUN}")
    assert 'text="from a run"' in found["python"]
    assert 'deployment_id="night"' in found["python"]
    assert 'deployment_user_id="olive"' in found["clarifai"]
    assert "night" not in codes(browser(owner), f"?run={RUN}&deployment=")["python"]
    assert "from a run" not in codes(browser(owner), f"?run={RUN}&method=generate")["python"]


def test_a_run_of_another_is_read_by_its_link_alone(owner: User, mate: User, model: Model) -> None:
    run_of(owner, model, share_key="opensesame")
    assert "from a run" not in codes(browser(mate), f"?run={RUN}")["python"]
    assert "from a run" in codes(browser(mate), f"?run={RUN}&key=opensesame")["python"]


def test_a_place_is_named_by_who_owns_it(owner: User, mate: User, model: Model) -> None:
    pool = Nodepool.objects.create(cluster=Cluster.objects.create(owner=owner, slug="lab"), slug="big", visibility=50)
    row = Deployment.objects.create(owner=owner, slug="hers", model=model, nodepool=pool, visibility=50)
    Placement.objects.create(deployment=row, nodepool=pool)
    found = codes(browser(mate), "?deployment=hers&owner=olive&method=predict")
    assert 'deployment_user_id="olive"' in found["python"]
    assert "--deployment olive/hers" in found["cli"]
    assert 'deployment_user_id="olive"' in codes(browser(mate), "?cluster=lab&nodepool=big")["clarifai"]


def test_what_cannot_be_used_is_no_code(owner: User) -> None:
    page = browser(owner).get(f"{PAGE}?deployment=gone")
    assert page.context["code"] is None
    assert "No deployment gone for you." in page.content.decode()


def test_a_file_is_to_be_put_beside_it_by_who_may_see_it(owner: User, mate: User) -> None:
    stored = media.store(picture(), owner, "a cup.png")
    given = {"arguments": json.dumps({"image": {"media": stored.pk}})}
    page = browser(owner).post(f"{PAGE}/code?method=find", given).content.decode()
    assert f'href="/media/{stored.pk}" download="a-cup.png"' in page
    page = browser(mate).post(f"{PAGE}/code?method=find", given).content.decode()
    assert "a-cup" not in page
    assert stored.pk not in page


@pytest.mark.parametrize("given", ["", "[]", "{", "[" * 100_000, '"x"', "x" * 1_000_001])
def test_arguments_that_are_none_are_refused(owner: User, given: str) -> None:
    assert browser(owner).post(f"{PAGE}/code", {"arguments": given}).status_code == 400


def test_what_does_not_fit_is_told(owner: User) -> None:
    page = browser(owner).post(f"{PAGE}/code?method=predict", {"arguments": '{"text": 3, "count": 99, "odd": 1}'})
    assert "<b>odd, text, count</b> does not fit" in page.content.decode()
    assert 'text="Hello"' in page.context["code"].snippets[0].code


@pytest.mark.parametrize(
    ("host", "seen_as", "address", "is_out_of_reach"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8123", False),
        ("0.0.0.0", "play.example:8000", "http://play.example:8123", False),
        ("::", "[2001:db8::1]:8000", "http://[2001:db8::1]:8123", False),
        ("10.0.0.5", "play.example", "http://10.0.0.5:8123", False),
        ("127.0.0.1", "play.example", "http://127.0.0.1:8123", True),
    ],
)
def test_it_says_where_the_api_is(
    owner: User, settings: Any, host: str, seen_as: str, address: str, is_out_of_reach: bool
) -> None:
    settings.GATEWAY_HOST, settings.ALLOWED_HOSTS = host, ["*"]
    page = browser(owner).get(PAGE, HTTP_HOST=seen_as)
    assert f'base_url="{address}"' in page.context["code"].snippets[0].code
    assert ("--gateway-host" in page.content.decode()) == is_out_of_reach


def test_before_it_was_loaded_once_there_is_none(owner: User, model: Model) -> None:
    model.versions.update(signatures_proto=b"")
    assert "No code yet" in browser(owner).get(PAGE).content.decode()


def test_a_stranger_finds_nothing(stranger: User) -> None:
    assert browser(stranger).get(PAGE).status_code == 404
    assert browser(stranger).post(f"{PAGE}/code", {"arguments": "{}"}).status_code == 404
    assert browser().get(PAGE).status_code == 302


def test_who_left_the_app_finds_nothing(mate: User) -> None:
    assert browser(mate).get(PAGE).status_code == 200
    Membership.objects.all().delete()
    assert browser(mate).get(PAGE).status_code == 404
