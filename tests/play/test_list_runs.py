"""One's runs: listed, counted, opened by their link; and nobody else's."""

from __future__ import annotations

import html
import io
import re
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from playground.catalog.models import Membership, Model, User
from playground.compute.models import Deployment
from playground.media import services as media
from playground.runs.models import Run, RunMedia
from tests.media.conftest import picture
from tests.play.conftest import browser


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


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


@pytest.mark.parametrize("text", ["none", str(uuid.UUID(int=7))])
def test_a_run_that_is_not_there_opens_nothing(owner: User, run: Run, text: str) -> None:
    assert browser(owner).get(f"{run.model.get_absolute_url()}?run={text}").context["run_facts"] is None


def test_a_team_mate_does_not_see_it(mate: User, run: Run) -> None:
    client = browser(mate)
    assert client.get(run.get_absolute_url()).status_code == 404
    assert client.get(f"{run.model.get_absolute_url()}?run={run.pk}").context["run_facts"] is None
    assert client.get(reverse("play:runs")).context["listing"].total == 0


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
    assert (
        client.get(reverse("play:runs"), {"state": "nonsense", "page": "x", "span": "x", "keep": "x"}).status_code
        == 200
    )


def test_the_topbar_counts_what_is_running(owner: User, run: Run) -> None:
    client = browser(owner)
    assert client.get(reverse("play:running")).content.strip() == b""
    Run.objects.update(state="running")
    assert "1 running" in client.get(reverse("play:running")).content.decode()


def test_recent_runs_mark_the_open_one(owner: User, run: Run) -> None:
    address = reverse("play:recent", args=["olive", "main", "everything"])
    assert 'aria-current="true"' in browser(owner).get(address, {"run": str(run.pk)}).content.decode()


# Searching.


def test_a_run_is_searched_by_what_stands_in_the_address(owner: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(searched="find harbor at dawn", created_at=timezone.now() - timedelta(hours=2))
    client = browser(owner)

    def counts(**query: str) -> list[int]:
        every = (reverse("play:runs"), reverse("play:model_runs", args=["olive", "main", "everything"]))
        return [client.get(address, query).context["page"].paginator.count for address in every]

    for query in ({"q": "HARBOR dawn"}, {"method": "find"}, {"span": "24h"}, {"q": str(run.pk)}, {"state": "finished"}):
        assert counts(**query) == [1, 1], query
    for query in ({"q": "harbor dusk"}, {"method": "predict"}, {"span": "1h"}, {"q": "_"}, {"state": "failed"}):
        assert counts(**query) == [0, 0], query
    assert counts(model="everything") == [1, 1]
    assert counts(model="other")[0] == 0
    page = client.get(reverse("play:runs"), {"q": "<script>alert(1)</script>\0"}).content.decode()
    assert "<script>alert" not in page
    assert "1 run without this filter" in page


def test_states_are_counted_among_what_fits(owner: User, run: Run) -> None:
    page = browser(owner).get(reverse("play:runs"), {"method": "predict"})
    assert page.context["listing"].states["finished"] == 0
    assert page.context["listing"].total == 1


def test_the_table_says_only_what_is_new(owner: User, run: Run) -> None:
    client, address = browser(owner), reverse("play:runs_table")
    first = client.get(address)
    assert client.get(address, {"seen": first.context["seen"]}).status_code == 204
    newer = Run.objects.create(pk=uuid.uuid4(), user=owner, model=run.model, method="find")
    still = client.get(address, {"seen": first.context["seen"], "keep": str(run.pk)})
    assert (still.context["newer"], [row.pk for row in still.context["rows"]]) == (1, [run.pk])
    assert [row.pk for row in client.get(address).context["rows"]] == [newer.pk, run.pk]
    Run.objects.filter(pk=run.pk).update(state="failed")
    assert client.get(address, {"seen": still.context["seen"], "keep": str(run.pk)}).status_code == 200


def test_a_long_list_reads_little(owner: User, run: Run, django_assert_max_num_queries: Any) -> None:
    for number in range(70):
        arguments = {"text": "x" * 10_000}
        made = Run(
            pk=uuid.uuid4(), user=owner, model=run.model, method=f"m{number}", state="finished", arguments=arguments
        )
        made.save()
    client = browser(owner)
    with django_assert_max_num_queries(16):
        page = client.get(reverse("play:runs"))
    assert len(page.context["rows"]) == 50
    assert "xxxx" not in page.content.decode()
    assert len(client.get(reverse("play:runs"), {"page": "2"}).context["rows"]) == 21


# Acts.


def test_runs_are_deleted_and_brought_back(owner: User, mate: User, run: Run) -> None:
    client, given = browser(owner), {"run": [str(run.pk)]}
    assert browser(mate).post(reverse("play:runs_delete"), given).status_code == 404
    assert client.post(reverse("play:runs_delete"), given).json() == {"deleted": [str(run.pk)], "left": 0}
    assert client.get(run.get_absolute_url()).status_code == 404
    assert browser(mate).post(reverse("play:runs_restore"), given).status_code == 404
    assert client.post(reverse("play:runs_restore"), given).json() == {"restored": 1}
    assert client.get(run.get_absolute_url()).status_code == 200
    for wrong in ({}, {"run": "x"}, {"run": [str(uuid.uuid4()) for _ in range(1001)]}):
        assert client.post(reverse("play:runs_delete"), wrong).status_code == 400
    Run.objects.update(state="running")
    answer = client.post(reverse("play:runs_delete"), given, headers={"Accept": "application/json"})
    assert (answer.status_code, "stop it first" in answer.json()["error"]["message"]) == (409, True)


def test_who_reads_it_and_sees_the_model_can_try_the_same(owner: User, mate: User, run: Run) -> None:
    reader = browser(mate)
    browser(owner).post(reverse("play:run_shared", args=[run.pk]), {"shared": "yes"})
    Run.objects.filter(pk=run.pk).update(method="predict", arguments={"text": "as she asked", "mood": "loud"})
    run.refresh_from_db()
    page = reader.get(run.shared_url).content.decode()
    [address] = re.findall(r'href="([^"]+)">Try it yourself', page)
    shown = reader.get(html.unescape(address)).content.decode()
    assert "as she asked" in shown
    assert 'data-like="{&quot;method&quot;:&quot;predict&quot;,&quot;files&quot;:{}}"' in shown
    wrong = reader.get(html.unescape(address).replace("key=", "key=x"))
    assert (wrong.status_code, "as she asked" in wrong.content.decode()) == (200, False)


def test_a_link_is_made_read_and_withdrawn(owner: User, stranger: User, run: Run) -> None:
    client, reader = browser(owner), browser(stranger)
    assert "Create link" in client.get(reverse("play:run_share", args=[run.pk])).content.decode()
    made = client.post(reverse("play:run_shared", args=[run.pk]), {"shared": "yes"}).content.decode()
    run.refresh_from_db()
    assert f"http://testserver{run.shared_url}" in made
    page = reader.get(run.shared_url)
    assert (page.status_code, page.context["sees_subject"]) == (200, False)
    assert "olive" in page.content.decode()
    assert "Try it yourself" not in page.content.decode()
    assert reader.get(run.get_absolute_url()).status_code == 404
    for act in ("run_share", "run_shared"):
        assert reader.get(reverse(f"play:{act}", args=[run.pk])).status_code in {404, 405}
    assert reader.post(reverse("play:run_shared", args=[run.pk]), {"shared": "no"}).status_code == 404
    assert "/sign-in/" in browser().get(run.shared_url)["Location"]
    assert client.get(run.shared_url).context["forms"]  # its owner's own page
    client.post(reverse("play:run_shared", args=[run.pk]), {"shared": "no"})
    assert reader.get(run.shared_url).status_code == 404


def test_what_was_asked_is_shown_as_text(owner: User, stranger: User, run: Run) -> None:
    evil = "<script>alert(1)</script>"
    file = media.store(picture(), owner, f'"{evil}.png', is_kept=True)
    hidden = media.store(b"not of the run", owner, "x.txt", is_kept=True)
    RunMedia.objects.create(run=run, reference=file)
    Run.objects.filter(pk=run.pk).update(
        share_key="k",
        arguments={
            evil: evil,
            "image": {"media": file.pk, "content_type": "image/png", "name": file.name},
            "n": [1, {"a": evil}],
        },
    )
    run.refresh_from_db()
    reader = browser(stranger)
    page = reader.get(run.shared_url)
    assert "<script>alert" not in page.content.decode()
    [shown] = [argument.url for argument in page.context["arguments"] if argument.is_picture]
    answer = reader.get(shown)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert reader.get(shown.replace("key=k", "key=x")).status_code == 404
    assert reader.get(shown.replace(file.pk, hidden.pk)).status_code == 404
    assert reader.get(f"/media/{file.pk}").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_a_run_is_saved_as_files(owner: User, stranger: User, run: Run) -> None:
    client, address = AsyncClient(), reverse("play:run_export", args=[run.pk])
    await client.aforce_login(owner)
    answer = await client.get(address)
    content = b"".join([piece async for piece in answer.streaming_content])
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["run.json"]
    assert f'filename="everything-find-{str(run.pk)[:8]}.zip"' in answer["Content-Disposition"]
    told = (await client.get(address, {"format": "json"})).json()
    assert (told["id"], told["arguments"]) == (str(run.pk), {"threshold": 0.5})
    await client.aforce_login(stranger)
    assert (await client.get(address)).status_code == 404


def test_the_method_of_the_address_goes_before_that_of_the_run(owner: User, run: Run) -> None:
    address = f"{run.model.get_absolute_url()}?run={run.pk}"
    assert browser(owner).get(address).context["current"].name == "find"
    assert browser(owner).get(f"{address}&method=predict").context["current"].name == "predict"
