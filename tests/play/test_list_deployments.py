"""Deployments & Usage: what the table holds, in which order, for whom, and the same as a file."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from playground.catalog.models import PUBLIC, Model, User, note_change
from playground.compute import services
from playground.compute.models import Deployment
from playground.play.cells import MISSING
from playground.play.queries import usage
from playground.play.queries.columns import COLUMNS
from playground.play.views.deployments import PAGE_SIZE
from tests.compute.using import call, store
from tests.play.conftest import browser

State = Deployment.State
HERE = "/olive/main/models/everything/deployments"


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Each test begins with the same keys."""
    usage.KEPT.clear()


@pytest.fixture
def others(owner: User, model: Model, deployment: Deployment) -> dict[str, Deployment]:
    """Beside the shared one: alpha, which is called a lot, beta, which is slow and fails, gamma without a call."""
    cluster = services.create_cluster(owner, "edge", cloud_provider="=cmd()", region="Berlin")
    nodepool = services.create_nodepool(owner, cluster, "pi", instance_types=[{"id": "small"}])
    made = {
        name: Deployment.objects.create(
            owner=owner, slug=name, model=model, nodepool=nodepool if name == "beta" else deployment.nodepool
        )
        for name in ("alpha", "beta", "gamma")
    }
    now = timezone.now()
    calls = [call(made["alpha"], owner, now - timedelta(hours=15, minutes=n)) for n in range(10)]
    calls += [call(made["beta"], owner, now - timedelta(minutes=9), duration_s=3, outcome=word) for word in _OUTCOMES]
    store(calls)
    return made


_OUTCOMES = ("SUCCESS", "SUCCESS", "MODEL_PREDICTION_FAILED")


def show(user: User, address: str = HERE, **query: str) -> str:
    answer = browser(user).get(address, query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def order(user: User, address: str = HERE, **query: str) -> list[str]:
    return re.findall(r'data-label="(\S+)" data-replicas', show(user, address, **query))


def test_it_has_the_tab_its_count_and_every_usual_column(owner: User, others: object) -> None:
    page = show(owner)
    assert 'aria-current="page">Deployments <span class="tabs__count">4</span>' in page
    heads = re.findall(r'id="sort-(\w+)"', page)
    assert heads == [key for key, column in COLUMNS.items() if column.is_usual]
    assert "Last 24 hours" in page
    assert "4 of 4" in page


_ORDERS = {
    "": ["beta", "alpha", "gamma", "Shared"],
    "used": ["alpha", "beta", "gamma", "Shared"],
    "deployment": ["alpha", "beta", "gamma", "Shared"],
    "-deployment": ["Shared", "gamma", "beta", "alpha"],
    "-calls": ["alpha", "beta", "gamma", "Shared"],
    "calls": ["beta", "alpha", "gamma", "Shared"],
    "-errors": ["beta", "alpha", "gamma", "Shared"],
    "-p95": ["beta", "alpha", "gamma", "Shared"],
    "region": ["beta", "alpha", "gamma", "Shared"],
    "-trend": ["beta", "alpha", "gamma", "Shared"],
    "nonsense": ["beta", "alpha", "gamma", "Shared"],
}


def test_each_column_sorts_and_what_has_nothing_stands_last(owner: User, others: object) -> None:
    assert {sort: order(owner, f"{HERE}/table", sort=sort) for sort in _ORDERS} == _ORDERS


def test_every_column_is_drawn_and_sorts_both_ways(owner: User, others: object) -> None:
    for key, sort, way in [(key, way[0] * (way[0] == "-") + key, way[1:]) for key in COLUMNS for way in _WAYS]:
        page = show(owner, f"{HERE}/table", sort=sort, columns=key)
        assert len(re.findall(r"data-replicas=", page)) == 4
        assert re.search(rf'usage__col--{key}[^>]*aria-sort="{way}"', page)
        assert page.count("aria-sort=") == 1


_WAYS = ("+ascending", "-descending")


def test_the_head_asks_for_the_first_order_then_the_other(owner: User, others: object) -> None:
    assert 'name="sort" value="-calls"' in show(owner)
    assert 'name="sort" value="cluster"' in show(owner)
    assert 'name="sort" value="calls"' in show(owner, sort="-calls")
    assert 'name="sort" value="-cluster"' in show(owner, sort="cluster")


def test_filter_by_words_and_by_state(owner: User, others: dict[str, Deployment]) -> None:
    assert order(owner, q="BERLIN pi") == ["beta"]
    assert order(owner, q="shared") == ["alpha", "gamma", "Shared"], "the nodepool's name counts, too"
    Deployment.objects.filter(slug="alpha").update(state=State.FAILED, reason="no memory")
    note_change("state", others["alpha"].pk)
    assert order(owner, state="failed") == ["alpha"]
    page = show(owner, q="<b>nowhere")
    assert "Nothing matches <i>&lt;b&gt;nowhere</i>" in page
    assert "4 deployments without this filter" in page


def test_a_failed_one_raises_one_notice_with_cause_and_remedy(owner: User, mate: User, others: object) -> None:
    for number in range(4):
        like = Deployment.objects.get(slug="alpha")
        Deployment.objects.create(
            owner=owner,
            slug=f"f{number}",
            model=like.model,
            nodepool=like.nodepool,
            state=State.FAILED,
            reason="no <b>",
        )
    page = show(owner)
    assert page.count("usage__failed") == 3
    assert "No &lt;b&gt;" in page
    assert 'data-act="retry"' in page
    assert "1 more failed." in page
    Deployment.objects.filter(slug="f0").update(visibility=PUBLIC)
    assert 'data-act="retry"' not in show(mate)
    assert "f0 failed" in show(mate)


def test_others_see_what_is_shared_with_them_and_their_own_calls_alone(
    owner: User, mate: User, stranger: User, others: dict[str, Deployment]
) -> None:
    Deployment.objects.filter(slug="alpha").update(visibility=PUBLIC)
    store([call(others["alpha"], mate, timezone.now() - timedelta(minutes=1))])
    cells = _cells(show(mate, sort="-calls"), "calls")
    assert order(mate, sort="-calls") == ["alpha", "Shared"]
    assert cells == ["1", "0"]
    assert "your own calls alone are counted" in show(mate)
    assert "data-may-change" not in show(mate)
    assert _cells(show(owner, sort="-calls"), "calls") == ["11", "3", "0", "0"]
    assert browser(stranger).get(HERE).status_code == 404


def _cells(page: str, key: str) -> list[str]:
    found = re.findall(rf'<td role="gridcell" class="usage__col usage__col--{key} [^>]*>(.*?)</td>', page)
    return [html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in found]


def test_figures_are_in_their_heads_units(owner: User, others: object) -> None:
    page = show(owner, sort="-calls", columns="calls,errors,p50,used")
    assert _cells(page, "errors")[1] == "33.3 %"
    assert [round(float(cell), 1) for cell in _cells(page, "p50")[:2]] == [0.1, 3.0]
    assert _cells(page, "p50")[2] == _cells(page, "used")[2] == MISSING


def test_replicas_tell_the_autoscale_settings_in_words(owner: User, others: object) -> None:
    Deployment.objects.filter(slug="alpha").update(min_replicas=0, max_replicas=5)
    page = show(owner)
    assert "Between 0 and 5, by the calls of the last 1 min." in page
    assert "None after 15 min without a call" in page
    assert "Always 1, whatever the calls." in page


def test_nothing_new_is_nothing_to_draw(owner: User, others: dict[str, Deployment]) -> None:
    client, address = browser(owner), f"{HERE}/table"
    seen = client.get(address).context["seen"]
    assert client.get(address, {"seen": seen}).status_code == 204
    store([call(others["gamma"], owner, timezone.now())])
    assert client.get(address, {"seen": seen}).status_code == 200
    seen = client.get(address).context["seen"]
    services.record_state(others["gamma"].pk, State.READY, generation=1)
    assert client.get(address, {"seen": seen}).status_code == 200


def test_the_order_stays_as_it_is_kept_and_says_that_another_is_right(
    owner: User, others: dict[str, Deployment]
) -> None:
    keep = ",".join(str(others[name].pk) for name in ("gamma", "alpha"))
    page = show(owner, f"{HERE}/table", keep=keep)
    assert re.findall(r'data-label="(\S+)" data-replicas', page) == ["gamma", "alpha"]
    assert "data-moved>" in page
    right = ",".join(str(pk) for pk in Deployment.objects.order_by("pk").values_list("pk", flat=True))
    assert "data-moved>" in show(owner, f"{HERE}/table", keep=right)
    client = browser(owner)
    shown = ",".join(str(key) for key in client.get(f"{HERE}/table").context["page"].object_list)
    assert "data-moved>" not in show(owner, f"{HERE}/table", keep=shown)
    assert show(owner, f"{HERE}/table", keep="x,-1,99999999999999999999,٣")


def test_kept_rows_are_only_those_one_sees(owner: User, mate: User, others: dict[str, Deployment]) -> None:
    page = show(mate, f"{HERE}/table", keep=str(others["alpha"].pk))
    assert "alpha" not in page


def test_columns_are_chosen_in_the_address(owner: User, others: object) -> None:
    page = show(owner, columns="calls,owner,nonsense")
    assert re.findall(r'id="sort-(\w+)"', page) == ["deployment", "owner", "calls"]
    assert 'name="columns" value="deployment,owner,calls"' in page


def test_the_file_has_all_that_is_shown_and_no_formulas(owner: User, others: object) -> None:
    answer = browser(owner).get(f"{HERE}/csv", {"sort": "-calls", "columns": "cloud,calls,errors,used"})
    assert answer["Content-Disposition"] == 'attachment; filename="everything-deployments-24h.csv"'
    head, *rows = csv.reader(io.StringIO(answer.content.decode()))
    assert head == ["Deployment", "Cloud", "Calls", "Error rate", "Last used"]
    assert [row[0] for row in rows] == ["alpha", "beta", "gamma", "shared-everything"]
    assert rows[1][1:3] == ["'=cmd()", "3"]
    assert float(rows[1][3]) == pytest.approx(1 / 3)
    assert rows[2][2:] == ["0", "", ""]
    every = browser(owner).get(f"{HERE}/csv", {"columns": ",".join(COLUMNS)})
    assert len(next(csv.reader(io.StringIO(every.content.decode())))) == len(COLUMNS)


def test_who_has_none_is_led_to_a_new_one(owner: User, mate: User, deployment: Deployment) -> None:
    assert "No deployment of your own yet." in show(owner)
    assert "data-new-deployment" in show(owner)
    assert "No deployment of your own yet." in show(mate)
    assert "data-new-deployment" not in show(mate)


def test_thousands_come_in_pages_with_no_more_queries(owner: User, deployment: Deployment) -> None:
    client, counts = browser(owner), []
    for many in (5, 2000):
        Deployment.objects.bulk_create(
            Deployment(owner=owner, slug=f"d{many}-{n}", model=deployment.model, nodepool=deployment.nodepool)
            for n in range(many)
        )
        with CaptureQueriesContext(connection) as queries:
            page = client.get(HERE, {"sort": "-p95"}).content.decode()
        counts.append(len(queries))
        assert page.count("data-replicas=") == min(many + 1, PAGE_SIZE)
    assert counts[1] <= counts[0]
    assert "Page 1 of 81" in page
    assert "2,006 of 2,006" in page
