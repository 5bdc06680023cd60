"""Comparisons: targets in the address, what is kept, answers, figures and files of them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.test import Client

from inputs.services import add_input
from playground.catalog.models import Model, User
from playground.compute.models import Deployment, Nodepool
from playground.compute.services import ensure_shared_deployment
from playground.compute.setup import ensure_shared_nodepool
from playground.compute.usage.queries import Point
from playground.play.charts import chart
from playground.play.queries.answers import Answer, answer_of, differences
from playground.play.queries.columns import SPANS
from playground.play.queries.compared import waited_of
from playground.play.queries.targets import Target, read_target
from playground.runs import comparisons
from playground.runs.models import Comparison, EventBlock, Run

pytestmark = pytest.mark.django_db

TARGET = "olive/main/models/everything"


@pytest.fixture
def client(owner: User, model: Model) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def body(**changes: Any) -> dict[str, Any]:
    panes = [{"id": "p1", "target": f"{TARGET}?method=predict"}, {"id": "p2", "target": f"{TARGET}?method=generate"}]
    return {"kind": "text", "given": "good morning", "name": " My  name ", "panes": panes} | changes


def keep(client: Client, given: dict[str, Any]) -> Any:
    headers = {"Accept": "application/json"}
    return client.post("/compare/keep", json.dumps(given), content_type="application/json", headers=headers)


def make_run(owner: User, model: Model, text: str, total: float, state: str = "finished") -> uuid.UUID:
    run = Run(id=uuid.uuid4(), user=owner, model=model, method="predict", state=state)
    run.total_ms, run.first_output_ms, run.output_count, run.characters = total, total / 2, 1, len(text)
    Run.objects.bulk_create([run])
    events = [{"n": 1, "kind": "started", "t": 0}, {"n": 2, "kind": "output", "t": total / 2, "i": 0, "value": text}]
    EventBlock.objects.create(run=run, first=1, last=2, events=orjson.dumps(events))
    return run.pk


def compared(client: Client, owner: User, model: Model, repeats: int = 5) -> str:
    """A comparison whose second pane is clearly faster."""
    noted = []
    for pane, text, base in (("p1", "the sky is blue", 100.0), ("p2", "the sky is really blue", 50.0)):
        for turn in range(repeats):
            run = make_run(owner, model, text, base + turn)
            noted.append({"pane": pane, "turn": turn + 1, "run": str(run)})
    answer = keep(client, body(runs=noted))
    assert answer.status_code == 200, answer.content
    return str(answer.json()["url"])


def test_targets_read_back_as_they_were_written() -> None:
    target = Target(TARGET, "predict", "v1", {"deployment": "a b", "owner": "x"}, {"mood": "ä&="}, "own text")
    assert read_target(str(target)) == target
    assert read_target(str(Target(TARGET, prompt=""))).prompt == ""
    assert read_target("x?arguments=[1").arguments == {}


def test_the_address_names_the_targets(client: Client) -> None:
    page = client.get(f"/compare/?t={quote(f'{TARGET}?method=generate')}&t={TARGET}&text=hello").content.decode()
    assert page.count("data-pane=") == 2
    assert "everything · Shared (default)" in page
    assert ">\nhello</textarea>" in page


def test_the_same_target_twice_is_said(client: Client) -> None:
    page = client.get(f"/compare/?t={TARGET}&t={TARGET}").content.decode()
    assert "The same target as A" in page


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("olive/main/models/nothing", "It does not exist, or is not shared with you."),
        ("nonsense", "It does not exist, or is not shared with you."),
        (f"{TARGET}?deployment=gone", "No deployment gone for you."),
        (f"{TARGET}?method=nothing", "has no method nothing"),
        (f"{TARGET}?method=find", "does not take this input"),
        (f"{TARGET}?version=nothing", "has no version nothing"),
    ],
)
def test_a_target_that_cannot_be_run_says_why(client: Client, target: str, words: str) -> None:
    page = client.get("/compare/pane", {"t": target, "kind": "text", "number": "1", "id": "p9"}).content.decode()
    assert words in page


def test_a_model_at_several_places(client: Client, owner: User, model: Model, django_user_model: type[User]) -> None:
    """Those the reader sees; Shared goes by its name."""
    ensure_shared_nodepool(owner)
    ensure_shared_deployment(model)
    shared = Deployment.objects.get(model=model, is_shared=True)
    stranger = django_user_model.objects.create_user("stan")
    hidden = make_deployment(stranger, model, "not-yours")
    mine = make_deployment(owner, model, "mine")
    query = f"model={TARGET}&d={mine.pk}&d={hidden.pk}&d={shared.pk}&d=x"
    page = client.get(f"/compare/?{query}").content.decode()
    assert page.count("data-pane=") == 2
    assert page.index("mine") < page.index("Shared (default)")
    live = client.get(f"/compare/live?{query}&span=24h").content.decode()
    assert live.count("<section") == 2
    assert "not-yours" not in live
    assert "None of these deployments" in client.get(f"/compare/live?model={TARGET}&d={hidden.pk}").content.decode()
    assert client.get("/compare/live?model=x").status_code == 404


def make_deployment(owner: User, model: Model, slug: str) -> Deployment:
    nodepool = Deployment.objects.get(model=model, is_shared=True).nodepool
    return Deployment.objects.create(owner=owner, slug=slug, model=model, nodepool=nodepool)


def test_inputs_are_offered_and_taken(client: Client, owner: User, model: Model) -> None:
    row = add_input(owner, model.app, text="kept before", name="words.txt")
    page = client.get("/compare/").content.decode()
    assert f"/compare/given?input={row.slug}" in page
    assert client.get(f"/compare/given?input={row.slug}").json() == {"given": "kept before", "kind": "text"}
    assert "kept before</textarea>" in client.get(f"/compare/?input={row.slug}").content.decode()
    stranger = Client()
    stranger.force_login(User.objects.create_user("stan"))
    assert stranger.get(f"/compare/given?input={row.slug}").status_code == 404


def test_a_run_brings_its_input_along(client: Client, owner: User, model: Model) -> None:
    arguments = {"text": "what was asked", "count": 5}
    run = Run.objects.create(
        id=uuid.uuid4(), user=owner, model=model, version=model.latest, method="predict", arguments=arguments
    )
    page = client.get(f"/compare/?run={run.pk}").content.decode()
    assert "what was asked</textarea>" in page
    assert "&quot;count&quot;:5" in page


def test_keeping_and_changing_one(client: Client) -> None:
    made = keep(client, body()).json()
    row = Comparison.objects.get(pk=made["id"])
    assert (row.name, row.given, len(row.panes)) == ("My name", "good morning", 2)
    assert keep(client, body(id=made["id"], name="Other")).json()["id"] == made["id"]
    row.refresh_from_db()
    assert row.name == "Other"
    assert "Other" in client.get("/compare/").content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "smell"},
        {"panes": []},
        {"panes": [{"id": f"p{number}", "target": TARGET} for number in range(7)]},
        {"panes": [{"id": "p1", "target": TARGET}] * 2},
        {"panes": [{"id": "../../..", "target": TARGET}]},
        {"panes": ["x"]},
        {"panes": [{"id": "p1", "target": "x" * 200_000}]},
        {"given": 5},
        {"given": "x" * 3_000_000},
        {"name": 5},
        {"round": "x"},
        {"runs": [{"pane": "p1"}]},
        {"runs": [{"pane": "p9", "turn": 1, "run": str(uuid.uuid4())}]},
        {"runs": "x"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_nonsense_is_refused_by_name(client: Client, changes: dict[str, Any]) -> None:
    answer = keep(client, body(**changes))
    assert answer.status_code == 400
    assert Comparison.objects.count() in (0, 1)


def test_figures_medians_and_a_verdict(client: Client, owner: User, model: Model) -> None:
    url = compared(client, owner, model)
    found = client.get(f"{url}figures").json()
    assert "B is faster than A:" in found["verdict"]
    assert "95\u00a0% interval" in found["verdict"]
    assert "Total, median" in found["panes"]["p2"]
    assert "−49\u00a0%" in found["panes"]["p2"]  # noqa: RUF001 - a true minus sign
    assert "best" in found["panes"]["p2"]
    assert 'role="img"' in found["panes"]["p1"]


def test_one_run_each_says_nothing_about_speed(client: Client, owner: User, model: Model) -> None:
    found = client.get(f"{compared(client, owner, model, repeats=1)}figures").json()
    assert "One run each says little about speed." in found["verdict"]
    assert "<svg" not in found["panes"]["p1"]


def test_answers_and_what_differs(client: Client, owner: User, model: Model) -> None:
    url = compared(client, owner, model)
    panes = client.get(f"{url}results").json()["panes"]
    assert panes["p2"]["outputs"] == ["the sky is really blue"]
    found = client.get(f"{url}differences").json()
    assert ["+", " really"] in found["panes"]["p2"]["parts"]
    assert client.get(f"{url}differences?same=2", headers={"Accept": "application/json"}).status_code == 400


def test_a_run_that_was_deleted_leaves_the_rest(client: Client, owner: User, model: Model) -> None:
    url = compared(client, owner, model, repeats=1)
    Run.objects.filter(pk=Comparison.objects.get().runs.get(pane="p1").run_id).delete()
    assert list(client.get(f"{url}results").json()["panes"]) == ["p2"]
    assert client.get(f"{url}figures").status_code == 200
    assert client.get(f"{url}differences").json()["kind"] == ""


@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_it_as_a_file(client: Client, owner: User, model: Model, form: str) -> None:
    answer = client.get(f"{compared(client, owner, model)}export?format={form}")
    assert f'filename="My-name.{form}"' in answer["Content-Disposition"]
    text = answer.content.decode()
    assert "olive/main/models/everything" in text or "everything · Shared (default)" in text
    if form == "json":
        assert json.loads(text)["panes"][1]["outputs"] == ["the sky is really blue"]
    if form == "html":
        assert "<ins> really</ins>" in text
        assert "src=" not in text
        assert "href=" not in text


def test_kinds_of_answers() -> None:
    region = {"region": {"box": [0, 0, 1, 1], "concepts": [{"concept": {"name": "cup", "value": 0.9}}]}}
    concept = {"concept": {"name": "cup", "value": 0.9}}
    told = [
        (["a", "b"], "text"),
        ([{"text": "a"}], "text"),
        ([[region, region]], "regions"),
        ([concept], "concepts"),
        ([{"a": 1}], "values"),
        ([5], "values"),
    ]
    for outputs, kind in told:
        answer = answer_of("p1", outputs)
        assert answer is not None
        assert answer.kind == kind
    assert answer_of("p1", []) is None


def test_answers_of_different_kinds_are_said_to_be() -> None:
    found = differences([Answer("p1", "text", "a"), Answer("p2", "values", 5)], "p1")
    assert found["strange"] == {"p2": "other values"}
    assert found["panes"] == {}


def test_scores_that_are_no_numbers_have_no_value() -> None:
    odd = [{"name": "cup", "value": "nan"}, {"name": "cat", "value": None}, {"name": "dog", "value": 0.5}]
    found = differences([Answer("p1", "concepts", odd), Answer("p2", "concepts", odd[2:])], "p1")
    assert {row["name"]: row["values"]["p1"] for row in found["rows"]} == {"cup": None, "cat": None, "dog": 0.5}
    boxes = [{"box": [0, 0, "x", 1]}, {"box": None}, {"box": [0, 0, 1, 1], "concepts": [{"concept": {"name": "a"}}]}]
    matched = differences([Answer("p1", "regions", boxes), Answer("p2", "regions", boxes)], "p1")
    assert len(matched["panes"]["p2"]["same"]) == 1


def test_what_it_costs_where_a_price_is_known(client: Client, owner: User, model: Model) -> None:
    """An hour's price times the total; the figure is there for none where no place has a price."""
    pool = ensure_shared_nodepool(owner)
    url = compared(client, owner, model)
    assert "Cost" not in client.get(f"{url}figures").json()["panes"]["p1"]
    place = {"compute_cluster_id": pool.cluster.slug, "nodepool_id": pool.slug}
    Run.objects.filter(user=owner).update(served_by=place)
    Nodepool.objects.filter(pk=pool.pk).update(instance_types=[{"id": "a", "compute_info": {}, "price": "3600"}])
    panes = client.get(f"{url}figures").json()["panes"]
    assert "$0.1\n" in panes["p1"]
    assert "$0.052" in panes["p2"]


def test_waiting_is_for_the_start_and_for_a_free_replica(owner: User, model: Model) -> None:
    run = Run.objects.get(pk=make_run(owner, model, "x", 100.0))
    told = [
        {"n": 1, "kind": "started", "t": 0},
        {"n": 2, "kind": "deploying", "t": 40.0},
        {"n": 3, "kind": "routed", "t": 70.0, "queued_ms": 60.0},
        {"n": 4, "kind": "output", "t": 80.0, "i": 0, "value": "x"},
        {"n": 5, "kind": "deploying", "t": 90.0},
    ]
    EventBlock.objects.filter(run=run).update(events=orjson.dumps(told))
    assert waited_of(run) == 60.0


def test_rounds_stay_as_they_were_asked(client: Client, owner: User, model: Model) -> None:
    """An earlier one can be read again, with what was asked then and whom, whatever was changed since."""
    url = compared(client, owner, model, repeats=1)
    pk = url.rstrip("/").rpartition("/")[2]
    later = [{"id": "p1", "target": f"{TARGET}?method=generate"}]
    run = make_run(owner, model, "second answer", 10.0)
    never = str(uuid.uuid4())
    noted = [{"pane": "p1", "turn": turn, "run": run} for turn, run in ((1, str(run)), (2, never))]
    assert keep(client, body(id=pk, given="asked later", panes=later, runs=noted)).json()["round"] == 2

    now = client.get(url).content.decode()
    assert now.count("data-pane=") == 1
    assert "asked later" in now
    assert f"{url}?round=1" in now
    past = client.get(f"{url}?round=1").content.decode()
    assert past.count("data-pane=") == 2
    assert "good morning" in past
    assert "data-own" not in past
    again = client.get(f"{url}?from=1").content.decode()
    assert "data-own" in again
    assert ">\ngood morning</textarea>" in again
    assert client.get(f"{url}results?round=1").json()["panes"]["p2"]["outputs"] == ["the sky is really blue"]
    found = client.get(f"{url}results").json()
    assert found["panes"]["p1"]["outputs"] == ["second answer"]
    assert found["left"] == {"p1": [[2, never]]}
    assert "Round 1" in client.get(f"{url}figures").json()["rounds"]
    assert client.get(f"{url}?round=7").status_code == 404


def test_a_pane_that_calls_something_else_now_has_no_answer_of_before(
    client: Client, owner: User, model: Model
) -> None:
    url = compared(client, owner, model, repeats=1)
    pk = url.rstrip("/").rpartition("/")[2]
    first, second = body()["panes"]
    first["target"] += "&prompt=its+own"  # another text is no other target
    second["target"] = f"{TARGET}?method=predict"
    keep(client, body(id=pk, panes=[first, second]))
    assert list(client.get(f"{url}results").json()["panes"]) == ["p1"]


def test_a_round_is_shared_with_the_rest(client: Client, owner: User, model: Model) -> None:
    url = compared(client, owner, model, repeats=1)
    row = Comparison.objects.get()
    keep(client, body(id=str(row.pk), runs=[{"pane": "p1", "turn": 1, "run": str(uuid.uuid4())}]))
    client.post(f"{url}shared", {"shared": "yes"})
    row.refresh_from_db()
    reader = Client()
    reader.force_login(User.objects.create_user("stan"))
    assert "the sky is blue" in reader.get(f"{url}results?round=1&key={row.share_key}").content.decode()
    page = reader.get(f"{url}?round=1&key={row.share_key}").content.decode()
    assert f"?key={row.share_key}" in page
    assert "Ask this again" not in page
    assert reader.get(f"{url}?round=1").status_code == 404


def test_only_so_many_rounds_are_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "MOST_ROUNDS", 2)
    made = keep(client, body()).json()["id"]
    for _ in range(4):
        keep(client, body(id=made, runs=[{"pane": "p1", "turn": 1, "run": str(uuid.uuid4())}]))
    row = Comparison.objects.get()
    assert [one.number for one in comparisons.list_rounds(row)] == [4, 3]
    assert row.runs.count() == 2


def test_the_timeline_of_a_start_stands_alone(client: Client, owner: User, model: Model) -> None:
    """For each pane that waits."""
    ensure_shared_nodepool(owner)
    ensure_shared_deployment(model)
    cold = Deployment.objects.get(model=model, is_shared=True)
    Deployment.objects.filter(pk=cold.pk).update(state="starting")
    told = client.get(f"/deployments/{cold.pk}/state?plain=1").content.decode()
    assert "<start-timeline" in told
    assert "hx-" not in told
    Deployment.objects.filter(pk=cold.pk).update(state="ready")
    assert client.get(f"/deployments/{cold.pk}/state?plain=1").status_code == 204


def test_a_large_chart_reads_its_figures_to_a_pointer() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    points = [Point(start), Point(start + timedelta(minutes=2), 12, 1, 0.02, 0.4, 0.01)]
    drawing = chart(points, SPANS["1h"], "edge").drawing
    assert "<title>From Mar 1, 12:00 UTC: 0 calls</title>" in drawing
    told = "12 calls, 1 error, p50 20\u00a0ms, p95 400\u00a0ms, first output 10\u00a0ms"
    assert f"<title>From Mar 1, 12:02 UTC: {told}</title>" in drawing
    assert drawing.count("spark__errors") == 1
