"""From one model to another: the list of models with its filters, the switcher in the head, and what an author says."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from playground.catalog.models import App, Model, User
from playground.compute.models import Deployment
from playground.compute.services import ensure_shared_deployment
from playground.runs.models import Run
from tests.play.conftest import browser

if TYPE_CHECKING:
    from django.test import Client

MODELS = reverse("play:models")
SWITCH = reverse("play:model_switch")


@pytest.fixture
def others(model: Model, deployment: Deployment) -> list[Model]:
    """Seven more, of another type each time; the third is at zero."""
    made = []
    for number in range(7):
        facts = {"type_id": ("text-to-text", "visual-detector")[number % 2], "description": f"Number {number}."}
        made.append(Model.objects.create(app=model.app, slug=f"model-{number}", **facts))
        ensure_shared_deployment(made[-1])
    Deployment.objects.filter(model=made[2]).update(state="scaled to zero")
    return made


def use(user: User, model: Model) -> None:
    Run.objects.create(id=uuid.uuid4(), user=user, model=model, method="predict", state="finished")


def listed(client: Client, query: str) -> list[str]:
    return [row.model.slug for row in client.get(f"{MODELS}?{query}").context["rows"]]


def offered(client: Client, query: str) -> list[str]:
    return [row.model.slug for row, _ in client.get(f"{SWITCH}?{query}").context["entries"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=number+3", ["model-3"]),
        ("type=visual-detector", ["model-1", "model-3", "model-5"]),
        ("type=visual-detector&q=5", ["model-5"]),
        ("state=scaled+to+zero", ["model-2"]),
        ("state=scaled+to+zero&type=visual-detector", []),
        ("type=none", []),
        ("q=%25", []),
    ],
)
def test_the_list_is_filtered_by_its_address(owner: User, others: list[Model], query: str, names: list[str]) -> None:
    assert listed(browser(owner), query) == names
    if not names:
        page = browser(owner).get(f"{MODELS}?{query}").content.decode()
        assert "Nothing matches" in page
        assert "8 models without this filter" in page


def test_it_goes_by_name_or_by_last_use(owner: User, others: list[Model]) -> None:
    use(owner, others[4])
    use(owner, others[1])
    assert listed(browser(owner), "")[:2] == ["everything", "model-0"]
    assert listed(browser(owner), "sort=used")[:3] == ["model-1", "model-4", "everything"]


def test_filters_offer_what_there_is(owner: User, others: list[Model]) -> None:
    tally = browser(owner).get(MODELS).context["tally"]
    assert tally.types == {"any-to-any": 1, "text-to-text": 4, "visual-detector": 3}
    assert (tally.total, tally.states["scaled to zero"], tally.states["pending"]) == (8, 1, 7)


def test_the_table_asks_anew_for_its_rows_alone(owner: User, others: list[Model]) -> None:
    page = browser(owner).get(f"{MODELS}?type=visual-detector", headers={"HX-Request": "true"})
    assert page.context["tally"] is None
    assert page.content.decode().count("table__name") == 3


def test_nobody_is_told_of_what_others_have(stranger: User, others: list[Model]) -> None:
    assert listed(browser(stranger), "") == []
    assert browser(stranger).get(MODELS).context["tally"].total == 0
    assert offered(browser(stranger), "q=model") == []


def test_the_switcher_offers_what_was_used_last(owner: User, mate: User, others: list[Model]) -> None:
    use(owner, others[4])
    assert offered(browser(owner), "")[:2] == ["model-4", "everything"]
    assert offered(browser(mate), "")[0] == "everything", "by one's own runs"


def test_names_come_before_descriptions(owner: User, model: Model, others: list[Model]) -> None:
    Model.objects.filter(pk=model.pk).update(description="Unlike model-6.")
    use(owner, model)
    assert offered(browser(owner), "q=model-6") == ["model-6", "everything"]


def test_whoever_switches_stays_at_the_tab(owner: User, others: list[Model]) -> None:
    for tab, end in (("overview", "model-3"), ("versions", "model-3/versions"), ("runs", "model-3/runs"), ("x", "3")):
        page = browser(owner).get(f"{SWITCH}?q=model-3&tab={tab}")
        ((_, address),) = page.context["entries"]
        assert address.endswith(end)


def test_it_marks_the_one_that_is_open_and_shows_text_as_text(owner: User, others: list[Model]) -> None:
    page = browser(owner).get(f"{SWITCH}?model={others[0].pk}&q=<b>").content.decode()
    assert "Nothing matches <i>&lt;b&gt;</i>" in page
    page = browser(owner).get(f"{SWITCH}?model={others[0].pk}").content.decode()
    assert page.count('aria-current="true"') == 1


def test_many_models_lead_to_the_list(owner: User, model: Model) -> None:
    Model.objects.bulk_create(Model(app=model.app, slug=f"m{number:03}") for number in range(50))
    page = browser(owner).get(f"{SWITCH}?q=m0").content.decode()
    assert "All 50 models that match" in page
    assert 'href="/models/?q=m0"' in page


def test_what_its_author_says_is_formatted(owner: User, model: Model) -> None:
    words = "# Title\n\nOne line\nand *more*. <script>alert(1)</script>\n\n| a |\n|---|\n| b |\n"
    Model.objects.filter(pk=model.pk).update(description=words)
    page = browser(owner).get(f"{model.get_absolute_url()}/about").content.decode()
    assert "One line\nand <em>more</em>." in page
    assert "<td>b</td>" in page
    assert "<script>" not in page


def test_another_owners_model_says_whose_it_is(mate: User, model: Model) -> None:
    App.objects.create(owner=mate, slug="main")
    page = browser(mate).get(SWITCH).content.decode()
    assert "olive / main /" in page
