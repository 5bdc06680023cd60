"""The deployment picker: what it lists with what one waits for there, finding, pairs, and what is gone."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from playground.catalog.models import PUBLIC, Model, User
from playground.compute import services
from playground.compute.models import Cluster, Deployment, Nodepool, Placement
from playground.compute.usage.histograms import bucket_of, pack
from playground.compute.usage.models import SPANS, Usage
from playground.play.queries.choices import MOST, choose, list_choices, list_pairs
from tests.play.conftest import browser
from tests.play.test_make_deployments import start

State = Deployment.State
PLACES, PLACE = "/olive/main/models/everything/places", "/olive/main/models/everything/place"
HTMX = {"HX-Request": "true"}


def make(owner: User, like: Deployment, slug: str, state: str = State.READY, **fields: object) -> Deployment:
    return Deployment.objects.create(
        **{"owner": owner, "slug": slug, "model": like.model, "nodepool": like.nodepool, "state": state, **fields}
    )


def test_each_says_where_it_is_and_what_one_waits_for(owner: User, model: Model, deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(state=State.ZERO)
    ready = make(owner, deployment, "lab")
    make(owner, deployment, "broken", State.FAILED, reason="no GPU is free: it asks for 1")
    now = int(time.time())
    calls = {"deployment_key": ready.pk, "owner_key": owner.pk, "outcome": "SUCCESS", "calls": 3, "last_at": now}
    times = {"first_outputs": pack({bucket_of(0.084): 3}), "latencies": pack({bucket_of(0.2): 3})}
    for span in SPANS:
        Usage.objects.create(digest=f"{span}", span=span, start=now // span * span, **calls, **times)
    for number in range(3):
        start(deployment, number)
    metas = {choice.label: choice.meta for choice in list_choices(owner, model).choices}
    assert list(metas) == ["Shared (default)", "broken", "lab"]
    assert metas["Shared (default)"] == "local · shared · starts in about 9.0\u00a0s"
    assert metas["broken"] == "local · shared · No GPU is free: it asks for 1"
    assert metas["lab"].startswith("local · shared · first output 8")


def test_failed_ones_are_listed_dimmed(owner: User, deployment: Deployment) -> None:
    make(owner, deployment, "broken", State.FAILED, reason="no wheel")
    shown = browser(owner).get(PLACES, headers=HTMX).content.decode()
    assert shown.count("menu__item--dim") == 1
    assert "No wheel" in shown


def test_a_search_comes_with_seven(owner: User, model: Model, deployment: Deployment) -> None:
    for number in range(5):
        make(owner, deployment, f"d{number}")
    assert "places-search" not in browser(owner).get(PLACES).content.decode()
    make(owner, deployment, "night")
    assert "places-search" in browser(owner).get(PLACES).content.decode()
    found = browser(owner).get(PLACES, {"q": "nig"}).content.decode()
    assert "night" in found
    assert "d1" not in found
    assert "places-search" not in found
    shown = browser(owner).get(PLACES, {"q": "<b>nowhere"}).content.decode()
    assert "&lt;b&gt;nowhere" in shown
    assert "7 without this filter." in shown
    assert [one.label for one in list_choices(owner, model, "local ready d3").choices] == ["d3"]


def test_thousands_are_listed_in_part_and_found_in_whole(owner: User, model: Model, deployment: Deployment) -> None:
    like = {"owner": owner, "model": model, "nodepool": deployment.nodepool, "state": State.READY}
    Deployment.objects.bulk_create(Deployment(slug=f"d{number:04}", **like) for number in range(2000))
    with CaptureQueriesContext(connection) as queries:
        listed = list_choices(owner, model)
    assert len(queries) < 10
    assert (len(listed.choices), listed.found, listed.total) == (MOST, 2001, 2001)
    assert [one.label for one in list_choices(owner, model, "d1999").choices] == ["d1999"]


def test_a_pair_names_any_deployment_there(owner: User, model: Model, deployment: Deployment) -> None:
    cluster = Cluster.objects.create(owner=owner, slug="lab", region="Berlin")
    one, two = (Nodepool.objects.create(cluster=cluster, slug=name) for name in ("a", "b"))
    made = make(owner, deployment, "night", nodepool=one)
    for position, pool in enumerate((one, two)):
        Placement.objects.create(deployment=made, nodepool=pool, position=position)
    assert list_pairs(owner, model) == {"lab": ["a", "b"], "local": ["shared"]}
    for name in ("a", "b"):
        choice = choose(owner, model, {"cluster": "lab", "nodepool": name})
        assert (choice.deployment, choice.label) == (made, f"lab / {name}")
        assert choice.selector == {"compute_cluster_id": "lab", "nodepool_id": name}
    assert choose(owner, model, {"cluster": "lab", "nodepool": "c"}).refusal.startswith("No deployment of this model")
    shown = browser(owner).get(PLACES, {"by": "pair", "cluster": "lab"}).content.decode()
    assert '<option value="b">' in shown
    assert '<option value="shared">' not in shown


def test_choosing_draws_the_button_and_the_state(owner: User, deployment: Deployment) -> None:
    make(owner, deployment, "night", State.STARTING)
    shown = browser(owner).get(PLACE, {"deployment": "night"}, headers=HTMX).content.decode()
    assert 'data-asked="night"' in shown
    assert 'data-query="deployment=night"' in shown
    assert "Starting night" in shown
    assert "Use Shared instead" in shown
    gone = browser(owner).get(PLACE, {"deployment": "none"}, headers=HTMX).content.decode()
    assert "No deployment none for you." in gone
    assert "cannot be used" in gone


@pytest.mark.parametrize(
    "query", [{"deployment": "a\0"}, {"cluster": "\0", "nodepool": "\0"}, {"owner": "\0"}, {"q": "\0"}]
)
def test_no_text_is_too_odd(owner: User, deployment: Deployment, query: dict[str, str]) -> None:
    for address in (PLACES, PLACE, "/olive/main/models/everything"):
        assert browser(owner).get(address, query).status_code == 200
    assert browser(owner).get("/compute/deployments/new", {"model": "olive/main/models/\0"}).status_code == 404


@pytest.mark.parametrize("name", ["mate", "stranger"])
def test_others_see_what_is_shared_with_them(
    name: str, owner: User, mate: User, stranger: User, deployment: Deployment
) -> None:
    make(owner, deployment, "own")
    make(owner, deployment, "for-all", visibility=PUBLIC)
    answer = browser({"mate": mate, "stranger": stranger}[name]).get(PLACES)
    if name == "stranger":
        assert answer.status_code == 404
        return
    shown = answer.content.decode()
    assert "olive / for-all" in shown
    assert "own<" not in shown
    assert "New deployment…" not in shown


def test_one_that_is_gone_says_so_to_the_page_that_polls_it(owner: User, deployment: Deployment) -> None:
    made = make(owner, deployment, "night")
    services.delete_deployments(owner, ["night"])
    answer = browser(owner).get(f"/deployments/{made.pk}/state", {"name": "<night>"}, headers=HTMX)
    assert answer.status_code == 404
    assert "&lt;night&gt; is gone." in answer.content.decode()
    assert "hx-get" not in answer.content.decode()
