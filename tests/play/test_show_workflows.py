"""The pages of workflows: what they show of those that can be run, and of those that cannot; and what they change."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from playground.catalog import workflows
from playground.catalog.models import PUBLIC, App, Model, ModelVersion, User, Workflow
from playground.runs.models import MIXED, Run
from tests.graphs.shelf import SHELF

pytestmark = pytest.mark.django_db
AT = "/ada/main/workflows/people"
TEXT = """\
workflow:
  id: people
  description: People, named.
  nodes:
    - id: detect
      model: {model_id: nanodet}
    - id: name
      model: {model_id: efficientnet}
      crop: true
      node_inputs: [{node_id: detect}]
"""


@pytest.fixture
def ada() -> User:
    ada = User.objects.create_user("ada")
    app = App.objects.create(owner=ada, slug="main")
    for name in ("nanodet", "efficientnet", "smollm2", "new"):
        version = ModelVersion(model=Model.objects.create(app=app, slug=name), folder="-")
        version.signatures = SHELF[name]
        version.save()
    workflows.add_workflow(ada, app, TEXT)
    return ada


@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def page(browser: Client, address: str, **given: Any) -> str:
    answer = browser.get(address, **given)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def run_of(ada: User, **facts: Any) -> Run:
    workflow = Workflow.objects.get()
    facts = {"state": "finished", "asked": "street.jpg"} | facts
    made = Run(
        id=uuid.uuid4(), user=ada, workflow=workflow, workflow_version=workflow.latest, method="predict", **facts
    )
    made.save()
    return made


def test_the_list_says_what_each_does(browser: Client) -> None:
    shown = page(browser, "/workflows/")
    for words in ("people", "image → regions", "detect → name", "People, named."):
        assert words in shown
    assert "Nothing matches <i>zebra</i>" in " ".join(page(browser, "/workflows/?q=zebra").split())


def test_the_list_is_empty_for_who_sees_none(ada: User) -> None:
    client = Client()
    client.force_login(User.objects.create_user("stan"))
    assert "No workflow for you yet" in page(client, "/workflows/")


def test_its_page_draws_the_graph_and_the_form(browser: Client) -> None:
    shown = page(browser, AT)
    assert 'aria-label="The input goes through detect (nanodet), then name (crop · efficientnet)."' in shown
    assert shown.count('data-graph-node="detect"') == 2  # from left to right, and upright for a phone
    assert 'data-workflow="ada/main/workflows/people"' in shown
    assert "Drop or paste a picture" in shown


def test_a_model_that_is_gone_is_told(browser: Client) -> None:
    Model.objects.filter(slug="nanodet").delete()
    shown = page(browser, AT)
    assert "This workflow cannot be run." in shown
    assert "No model ada/main/models/nanodet for you." in shown
    assert "There is nothing to fill in yet" in shown
    assert "Cannot run" in page(browser, "/workflows/")
    assert "No model ada/main/models/nanodet" in page(browser, f"{AT}/api")


def test_a_model_that_was_never_loaded_is_waited_for(browser: Client, ada: User) -> None:
    workflows.add_workflow(ada, ada.apps.get(), TEXT.replace("nanodet", "new"))
    assert "once new has been loaded for the first time" in " ".join(page(browser, AT).split())
    assert "once new has been loaded" in " ".join(page(browser, f"{AT}/api").split())


def test_its_runs_stand_with_it_and_among_all(browser: Client, ada: User) -> None:
    run = run_of(ada)
    run_of(ada, state="failed", error={"code": MIXED, "message": "1 of 2 nodes answered."})
    for address in (f"{AT}/runs", "/runs/", "/runs/?model=people"):
        shown = page(browser, address)
        assert "street.jpg" in shown
        assert "Partly failed" in shown
    assert "street.jpg" not in page(browser, "/runs/?model=nanodet")
    assert str(run.pk) in page(browser, AT)
    opened = page(browser, f"/runs/{run.pk}")
    assert 'data-workflow="ada/main/workflows/people"' in opened
    assert str(run.pk) in page(browser, f"{AT}?run={run.pk}")


def test_a_run_opens_in_the_version_that_it_ran(browser: Client, ada: User) -> None:
    run = run_of(ada)
    workflows.add_workflow(ada, ada.apps.get(), TEXT.replace("id: name", "id: label"))
    for address in (f"/runs/{run.pk}", f"{AT}?run={run.pk}"):
        opened = page(browser, address)
        assert "This is an earlier version" in opened
        assert 'data-graph-node="name"' in opened
    assert 'data-graph-node="label"' in page(browser, AT)


def test_a_run_is_read_by_its_link(ada: User) -> None:
    run = run_of(ada, share_key="k" * 32)
    client = Client()
    client.force_login(User.objects.create_user("stan"))
    shown = page(client, f"/runs/{run.pk}?key={'k' * 32}")
    assert "A run of people" in shown
    assert "<workflow-page" in shown
    assert "Try it yourself" not in shown
    Workflow.objects.update(visibility=PUBLIC)
    assert "Try it yourself" in page(client, f"/runs/{run.pk}?key={'k' * 32}")


def test_its_yaml_is_shown_and_downloaded(browser: Client) -> None:
    assert "node_inputs: [{node_id: detect}]" in page(browser, f"{AT}/yaml")
    answer = browser.get(f"{AT}/yaml?download=1")
    assert answer.content.decode() == TEXT
    assert answer["Content-Disposition"] == 'attachment; filename="people.yaml"'


def test_the_code_holds_what_was_asked_last(browser: Client, ada: User) -> None:
    assert "picture.jpg" in page(browser, f"{AT}/api")
    run_of(ada, arguments={"image": {"media": "0" * 32, "name": "street.jpg", "content_type": "image/jpeg"}})
    for language in ("python", "async", "clarifai"):
        shown = page(browser, f"{AT}/api?code={language}")
        assert "predict_by_filepath(&quot;street.jpg&quot;, &quot;image&quot;)" in shown


def test_a_new_one_is_checked_while_it_is_written(browser: Client) -> None:
    def check(text: str, **more: str) -> str:
        return browser.post("/workflows/check", {"yaml": text, **more}).content.decode()

    assert "line 2: ada/main has a workflow people already" in check(TEXT)
    assert "It fits together" in check(TEXT.replace("id: people", "id: others"))
    assert "It fits together" in check(TEXT, workflow="people")
    assert "line 2: This is people, and its id stays" in check(
        TEXT.replace("id: people", "id: others"), workflow="people"
    )
    assert "line 2: &#x27;a b&#x27; cannot be an id" in check(TEXT.replace("id: people", "id: a b"))
    shown = check(TEXT.replace("crop: true", "method: speak"))
    assert "line 9: efficientnet has no method &#x27;speak&#x27;. It has predict." in shown


def test_the_example_has_an_id_that_is_free(browser: Client) -> None:
    assert "id: my-workflow\n" in page(browser, "/workflows/new")
    browser.post("/workflows/new", {"yaml": TEXT.replace("id: people", "id: my-workflow")})
    assert "id: my-workflow-2\n" in page(browser, "/workflows/new")


def test_what_is_wrong_is_told_and_nothing_is_lost(browser: Client) -> None:
    text = TEXT.replace("id: people", "id: others").replace("nanodet", "nodet")
    answer = browser.post("/workflows/new", {"yaml": text})
    assert answer.status_code == 422
    assert "line 6: No model ada/main/models/nodet" in answer.content.decode()
    assert "model_id: nodet" in answer.content.decode()
    answer = browser.post("/workflows/new", {"yaml": TEXT})
    assert "line 2: ada/main has a workflow people already: edit that one." in answer.content.decode()


def test_a_new_one_opens_once_it_is_made(browser: Client) -> None:
    answer = browser.post("/workflows/new", {"yaml": TEXT.replace("id: people", "id: others"), "public": "yes"})
    assert answer["Location"] == "/ada/main/workflows/others"
    assert Workflow.objects.get(slug="others").visibility == PUBLIC


def test_what_is_edited_is_a_new_version(browser: Client) -> None:
    answer = browser.post(f"{AT}/edit", {"yaml": TEXT.replace("People, named.", "Others.").replace("\n", "\r\n")})
    assert answer["Location"] == AT
    workflow = Workflow.objects.get()
    assert (workflow.description, workflow.versions.count()) == ("Others.", 2)
    assert workflow.latest is not None
    assert "\r" not in workflow.latest.yaml
    assert "Others." in page(browser, f"{AT}/edit")


def test_deleting_needs_the_name(browser: Client) -> None:
    assert "Nothing was deleted" in browser.post(f"{AT}/delete", {"name": "x"}, follow=True).content.decode()
    assert "people is deleted." in browser.post(f"{AT}/delete", {"name": "people"}, follow=True).content.decode()
    assert not Workflow.objects.exists()
