"""Every page and every act on one, tried by each person."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from playground.catalog.models import PRIVATE, PUBLIC, AccessToken, Model, ModelVersion, User, Workflow
from playground.catalog.workflows import add_workflow
from playground.compute.models import Deployment
from playground.compute.services import log_path
from playground.media import services as media
from playground.runs.models import ComparedRun, Comparison, Run, RunMedia
from tests.access import world
from tests.access.table import (
    ALL,
    FOR_APP_OWNERS,
    FOR_ITS_OWNER,
    HIDDEN,
    IN_THE_APP,
    MERLES_OWN,
    OK,
    OLIVE_ALONE,
    OLIVES_OWN,
    REFUSED,
    SIGN_IN,
    Row,
    tried,
)
from tests.gateway.live import ECHO
from tests.media.conftest import picture

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db

# Of a model that all see: what is its owners' alone is refused to the others, not hidden.
OWNERS_OF_OPEN = (OK, OK, REFUSED, REFUSED, REFUSED, OK)
WRITERS = (OK, OK, OK, REFUSED, HIDDEN, OK)
WRITERS_OF_OPEN = (OK, OK, OK, REFUSED, REFUSED, OK)
RUN = uuid.UUID("11111111-1111-4111-8111-111111111111")
GIVEN = uuid.UUID("22222222-2222-4222-8222-222222222222")  # olive gave its link away
COMPARED = uuid.UUID("44444444-4444-4444-8444-444444444444")
GIVEN_COMPARED = uuid.UUID("55555555-5555-4555-8555-555555555555")  # olive gave its link away
GONE = uuid.UUID("33333333-3333-4333-8333-333333333333")  # she has just deleted it
OF_WORKFLOW = uuid.UUID("44444444-4444-4444-8444-444444444444")
FOR_ALL, OLIVES, MERLES, SHARED = (
    f"/compute/deployments/{name}" for name in ("olive/for-all", "olive/olives", "merle/merles", "olive/shared-echo")
)
SETTINGS = "/olive/main/settings"
SCALE = {"min": 0, "max": 2}
EDIT = {
    **dict.fromkeys(("traffic_history_seconds", "scale_up_delay_seconds", "scale_down_delay_seconds"), 9),
    **{"scale_to_zero_delay_seconds": 9, "queue_limit": 9, "visibility": PUBLIC},
}

# Act, method, address, what is sent, and what comes of it for owner, co-owner, member, viewer, stranger, administrator.
READS: list[tuple[str, str, Row]] = [
    ("the list of models", "/models/", ALL),
    ("a private model", "/olive/main/models/echo", IN_THE_APP),
    ("a private model's runs", "/olive/main/models/echo/runs", IN_THE_APP),
    ("its recent runs", "/olive/main/models/echo/runs/recent", IN_THE_APP),
    ("its deployments", "/olive/main/models/echo/deployments", IN_THE_APP),
    ("the table of them", "/olive/main/models/echo/deployments/table", IN_THE_APP),
    ("the same as a file", "/olive/main/models/echo/deployments/csv", IN_THE_APP),
    ("a public model", "/olive/main/models/open", ALL),
    ("what a private model is about", "/olive/main/models/echo/about", IN_THE_APP),
    ("a private model's versions", "/olive/main/models/echo/versions", IN_THE_APP),
    ("a public model's versions", "/olive/main/models/open/versions", ALL),
    ("a version of it", "/olive/main/models/echo/versions/{version}", IN_THE_APP),
    ("its build log", "/olive/main/models/echo/versions/{version}/log", FOR_APP_OWNERS),
    ("the build log of a public model", "/olive/main/models/open/versions/{open_version}/log", OWNERS_OF_OPEN),
    ("the list that leads to another model", "/models/switch", ALL),
    ("no such model", "/olive/main/models/nothing", (HIDDEN,) * 6),
    ("the list of runs", "/runs/", ALL),
    ("one's running runs", "/runs/running", ALL),
    ("a run of olive's", f"/runs/{RUN}", OLIVE_ALONE),
    ("the table of runs", "/runs/table", ALL),
    ("a private model's table of runs", "/olive/main/models/echo/runs/table", IN_THE_APP),
    ("whether to share a run", f"/runs/{RUN}/share", OLIVE_ALONE),
    ("a run as a file", f"/runs/{RUN}/export?format=json", OLIVE_ALONE),
    ("a run's file", f"/runs/{RUN}/media/{{file}}", OLIVE_ALONE),
    ("a run by its link", f"/runs/{GIVEN}?key=k", ALL),
    ("a run by its link, as a file", f"/runs/{GIVEN}/export?format=json&key=k", ALL),
    ("a run's file by its link", f"/runs/{GIVEN}/media/{{file}}?key=k", ALL),
    ("a run by another's link", f"/runs/{RUN}?key=k", OLIVE_ALONE),
    ("a run by a wrong link", f"/runs/{GIVEN}?key=x", OLIVE_ALONE),
    ("whether to share a run that is shared", f"/runs/{GIVEN}/share?key=k", OLIVE_ALONE),
    ("a deleted run", f"/runs/{GONE}?key=k", (HIDDEN,) * 6),
    ("a comparison to be made", "/compare/?t=olive/main/models/echo", ALL),
    ("a comparison with a private model", "/compare/?model=olive/main/models/echo", IN_THE_APP),
    ("a comparison with a run", f"/compare/?run={RUN}", OLIVE_ALONE),
    ("a comparison with a run that is shared", f"/compare/?run={GIVEN}&key=k", OLIVE_ALONE),
    ("no such input to compare with", "/compare/given?input=nothing", (HIDDEN,) * 6),
    ("usage side by side", "/compare/live?model=olive/main/models/echo&d={shared}", IN_THE_APP),
    ("the part of it that changes", "/compare/live?model=olive/main/models/echo&d={olives}&part=1", IN_THE_APP),
    ("a pane of a comparison", "/compare/pane?kind=text&number=0&t=olive/main/models/echo", ALL),
    ("the input of a comparison", "/compare/input?kind=image", ALL),
    ("a comparison of olive's", f"/compare/{COMPARED}/", OLIVE_ALONE),
    ("its answers", f"/compare/{COMPARED}/results", OLIVE_ALONE),
    ("its figures", f"/compare/{COMPARED}/figures", OLIVE_ALONE),
    ("its differences", f"/compare/{COMPARED}/differences", OLIVE_ALONE),
    ("it as a file", f"/compare/{COMPARED}/export?format=html", OLIVE_ALONE),
    ("whether to share it", f"/compare/{COMPARED}/share", OLIVE_ALONE),
    ("a file of it", f"/compare/{COMPARED}/media/{{file}}", OLIVE_ALONE),
    ("it by another's link", f"/compare/{COMPARED}/?key=c", OLIVE_ALONE),
    ("a comparison by its link", f"/compare/{GIVEN_COMPARED}/?key=c", ALL),
    ("its answers by its link", f"/compare/{GIVEN_COMPARED}/results?key=c", ALL),
    ("its figures by its link", f"/compare/{GIVEN_COMPARED}/figures?key=c", ALL),
    ("its differences by its link", f"/compare/{GIVEN_COMPARED}/differences?key=c", ALL),
    ("it as a file by its link", f"/compare/{GIVEN_COMPARED}/export?format=csv&key=c", ALL),
    ("a file of it by its link", f"/compare/{GIVEN_COMPARED}/media/{{file}}?key=c", ALL),
    ("it by a wrong link", f"/compare/{GIVEN_COMPARED}/?key=x", OLIVE_ALONE),
    ("whether to share one that is shared", f"/compare/{GIVEN_COMPARED}/share?key=c", OLIVE_ALONE),
    ("a file of olive's", "/media/{file}", OLIVE_ALONE),
    ("an upload of olive's", "/media/uploads/{upload}", OLIVE_ALONE),
    ("the list of apps", "/apps/", ALL),
    ("one's access tokens", "/tokens/", ALL),
    ("the sheet of keys", "/keys/", ALL),
    ("a private model as code", "/olive/main/models/echo/api", IN_THE_APP),
    ("a public model as code", "/olive/main/models/open/api", ALL),
    ("an app's settings", SETTINGS, IN_THE_APP),
    ("compute", "/compute/", ALL),
    ("the table of deployments", "/compute/deployments", ALL),
    ("a shared deployment", SHARED, IN_THE_APP),
    ("the state of a shared deployment", "/deployments/{shared}/state", IN_THE_APP),
    ("its start", "/deployments/{shared}/start", IN_THE_APP),
    ("where a private model's calls may go", "/olive/main/models/echo/places", IN_THE_APP),
    ("a place for them", "/olive/main/models/echo/place?deployment=for-all", IN_THE_APP),
    ("what an input can be asked with", "/choose/?kind=text", ALL),
    ("a private model in that choice", "/olive/main/models/echo/target?kind=text", IN_THE_APP),
    ("a public model in that choice", "/olive/main/models/open/target?kind=text", ALL),
    ("the list of workflows", "/workflows/", ALL),
    ("a new workflow", "/workflows/new", ALL),
    ("a private workflow", "/olive/main/workflows/chain", IN_THE_APP),
    ("a public workflow", "/olive/main/workflows/open", ALL),
    ("no such workflow", "/olive/main/workflows/nothing", (HIDDEN,) * 6),
    ("a private workflow in the choice for an input", "/olive/main/workflows/chain/target?kind=text", IN_THE_APP),
    ("its runs", "/olive/main/workflows/chain/runs", IN_THE_APP),
    ("the table of its runs", "/olive/main/workflows/chain/runs/table", IN_THE_APP),
    ("its newest runs", "/olive/main/workflows/chain/runs/recent", IN_THE_APP),
    ("a private workflow as code", "/olive/main/workflows/chain/api", IN_THE_APP),
    ("a private workflow's YAML", "/olive/main/workflows/chain/yaml", IN_THE_APP),
    ("a public workflow's YAML as a file", "/olive/main/workflows/open/yaml?download=1", ALL),
    ("the form that changes a private workflow", "/olive/main/workflows/chain/edit", WRITERS),
    ("the form that changes a public workflow", "/olive/main/workflows/open/edit", WRITERS_OF_OPEN),
    ("a run of a workflow of olive's", f"/runs/{OF_WORKFLOW}", OLIVE_ALONE),
    ("a new deployment", "/compute/deployments/new", ALL),
    ("a new deployment of a private model", "/compute/deployments/new?model=olive/main/models/echo", IN_THE_APP),
    ("a public deployment of a private model", FOR_ALL, IN_THE_APP),
    ("what changes on its page", f"{FOR_ALL}/live", IN_THE_APP),
    ("its log", f"{FOR_ALL}/log", IN_THE_APP),
    ("its usage", f"{FOR_ALL}/acts/usage", IN_THE_APP),
    ("the question how to scale it", f"{FOR_ALL}/acts/scale", FOR_ITS_OWNER),
    ("the question what to change of it", f"{FOR_ALL}/acts/edit", FOR_ITS_OWNER),
    ("the question whether to delete it", f"{FOR_ALL}/acts/delete", FOR_ITS_OWNER),
    ("its log in a dialog", f"{FOR_ALL}/acts/log", FOR_ITS_OWNER),
    ("its log as a file", f"{FOR_ALL}/log/download", FOR_ITS_OWNER),
    ("the log of the shared one as a file", f"{SHARED}/log/download", FOR_APP_OWNERS),
    ("a private deployment of the owner", OLIVES, OLIVES_OWN),
    ("the state of a private deployment", "/deployments/{olives}/state", OLIVES_OWN),
    ("the start of a private deployment", "/deployments/{olives}/start", OLIVES_OWN),
    ("a private deployment of the member", MERLES, MERLES_OWN),
    ("its log alone", f"{MERLES}/log", MERLES_OWN),
]
ACTS: list[tuple[str, str, dict[str, Any], Row]] = [
    ("retry a shared deployment", f"{SHARED}/retry", {}, FOR_APP_OWNERS),
    ("retry it from the model's page", "/deployments/{shared}/retry", {}, FOR_APP_OWNERS),
    ("scale a shared deployment", f"{SHARED}/scale", SCALE, FOR_APP_OWNERS),
    ("switch a shared deployment off", f"{SHARED}/enable", {"enabled": "no"}, FOR_APP_OWNERS),
    ("retry a public deployment", f"{FOR_ALL}/retry", {}, FOR_ITS_OWNER),
    ("scale a public deployment", f"{FOR_ALL}/scale", SCALE, FOR_ITS_OWNER),
    ("switch a public deployment off", f"{FOR_ALL}/enable", {"enabled": "no"}, FOR_ITS_OWNER),
    ("edit a public deployment", f"{FOR_ALL}/edit", EDIT, FOR_ITS_OWNER),
    ("edit the member's deployment", f"{MERLES}/edit", EDIT, MERLES_OWN),
    ("delete a public deployment", f"{FOR_ALL}/delete", {"name": "for-all"}, FOR_ITS_OWNER),
    ("scale the member's deployment", f"{MERLES}/scale", SCALE, MERLES_OWN),
    ("cancel the member's deployment", f"{MERLES}/cancel", {}, MERLES_OWN),
    ("delete the member's deployment", f"{MERLES}/delete", {"name": "merles"}, MERLES_OWN),
    ("delete the owner's private one", f"{OLIVES}/delete", {"name": "olives"}, OLIVES_OWN),
    ("write a call as code", "/olive/main/models/echo/api/code", {"arguments": "{}"}, IN_THE_APP),
    ("check a workflow's YAML", "/workflows/check", {"yaml": "x"}, ALL),
    ("delete a private workflow", "/olive/main/workflows/chain/delete", {"name": "chain"}, FOR_APP_OWNERS),
    ("delete a public workflow", "/olive/main/workflows/open/delete", {"name": "open"}, OWNERS_OF_OPEN),
    ("revoke a token of olive's", "/tokens/{token}/revoke", {}, OLIVE_ALONE),
    ("have a text formatted", "/markdown", {}, ALL),
    ("delete a run", "/runs/delete", {"run": str(RUN)}, OLIVE_ALONE),
    ("delete a run that is shared", "/runs/delete", {"run": str(GIVEN), "key": "k"}, OLIVE_ALONE),
    ("give a comparison's link away", f"/compare/{COMPARED}/shared", {"shared": "yes"}, OLIVE_ALONE),
    ("withdraw it", f"/compare/{GIVEN_COMPARED}/shared", {"shared": "no", "key": "c"}, OLIVE_ALONE),
    ("delete a comparison", f"/compare/{COMPARED}/delete", {}, OLIVE_ALONE),
    ("delete one that is shared", f"/compare/{GIVEN_COMPARED}/delete", {"key": "c"}, OLIVE_ALONE),
    ("bring a run back", "/runs/restore", {"run": str(GONE)}, OLIVE_ALONE),
    ("give a run's link away", f"/runs/{RUN}/shared", {"shared": "yes"}, OLIVE_ALONE),
    ("withdraw a run's link", f"/runs/{GIVEN}/shared", {"shared": "no", "key": "k"}, OLIVE_ALONE),
    ("add a member", f"{SETTINGS}/members", {"name": "stan", "role": "owner"}, FOR_APP_OWNERS),
    ("change a role", f"{SETTINGS}/members", {"name": "vera", "role": "owner"}, FOR_APP_OWNERS),
    ("remove a member", f"{SETTINGS}/members/remove", {"name": "sam"}, FOR_APP_OWNERS),
    ("make an app public", f"{SETTINGS}/visibility", {"visibility": PUBLIC, "sure": "yes"}, FOR_APP_OWNERS),
    (
        "make a model public",
        f"{SETTINGS}/visibility",
        {"model": "echo", "visibility": PUBLIC, "sure": "yes"},
        FOR_APP_OWNERS,
    ),
]


@pytest.fixture(autouse=True)
def names(settings: Any, tmp_path: Path) -> dict[str, str]:
    """The world, with a run, a file and an upload of olive's: what stands in the addresses."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.LOG_DIR = tmp_path / "logs"
    settings.LOG_DIR.mkdir()
    world.make(ECHO)
    olive = User.objects.get(username=world.OWNER)
    file = media.store(picture(), olive, "cup.png")
    given: dict[uuid.UUID, dict[str, Any]] = {RUN: {}, GIVEN: {"share_key": "k"}, GONE: {"deleted_at": timezone.now()}}
    for run_id, facts in given.items():
        made = Run(id=run_id, user=olive, model=Model.objects.get(slug="echo"), method="predict", state="finished")
        Run.objects.bulk_create([made])
        Run.objects.filter(pk=run_id).update(**facts)
        RunMedia.objects.create(run=made, reference=file)
    panes = [{"id": "p1", "target": "olive/main/models/echo"}]
    for pk, key in ((COMPARED, ""), (GIVEN_COMPARED, "c")):
        compared = Comparison.objects.create(pk=pk, user=olive, kind="text", given="x", panes=panes, share_key=key)
        ComparedRun.objects.create(comparison=compared, run_id=RUN, pane="p1", round=1, turn=1)
    chain = make_workflow(olive, "chain", "echo", PRIVATE)
    make_workflow(olive, "open", "open", PUBLIC)
    Run.objects.create(id=OF_WORKFLOW, user=olive, workflow=chain, method="predict", state="finished")
    token = AccessToken.objects.create(user=olive, name="hers", prefix="pg_hers", digest="hers")
    rows = {row.slug: row.pk for row in Deployment.objects.all()}
    for row in Deployment.objects.all():
        log_path(row).write_text(f"the log of {row.slug}\n")
    return {
        "file": file.pk,
        "upload": media.begin_upload(olive, name="film.mp4", size=10).pk,
        "token": str(token.pk),
        "shared": str(rows["shared-echo"]),
        "version": ModelVersion.objects.get(model__slug="echo").slug,
        "open_version": ModelVersion.objects.get(model__slug="open").slug,
        "olives": str(rows["olives"]),
    }


def make_workflow(olive: User, name: str, model: str, visibility: int) -> Workflow:
    text = f"workflow: {{id: {name}, nodes: [{{id: say, model: {{model_id: {model}}}}}]}}"
    return add_workflow(olive, olive.apps.get(), text, visibility=visibility).workflow


def browser(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def outcome(answer: Any) -> str:
    if answer.status_code == 302 and answer["Location"].startswith("/sign-in/"):
        return SIGN_IN
    return {200: OK, 204: OK, 302: OK, 403: REFUSED, 404: HIDDEN}[answer.status_code]


@pytest.mark.parametrize(("address", "row"), [act[1:] for act in READS], ids=[act[0] for act in READS])
def test_reading(names: dict[str, str], address: str, row: Row) -> None:
    assert tried(lambda name: outcome(browser(name).get(address.format(**names)))) == row


@pytest.mark.parametrize(("address", "given", "row"), [act[1:] for act in ACTS], ids=[act[0] for act in ACTS])
def test_acting(names: dict[str, str], address: str, given: dict[str, Any], row: Row) -> None:
    assert tried(lambda name: outcome(browser(name).post(address.format(**names), given))) == row


def test_deploying_is_for_members() -> None:
    nodepool = Deployment.objects.get(slug="shared-echo").nodepool_id
    given = {"model": "olive/main/models/echo", "name": "new", "nodepool": nodepool, "least": 0, "most": 1}
    row = tried(lambda name: outcome(browser(name).post("/compute/deployments/new", given)))
    assert row == (OK, OK, OK, REFUSED, HIDDEN, OK)
    assert outcome(Client().post("/compute/deployments/new", given)) == SIGN_IN


def test_making_a_workflow_is_for_all_and_changing_one_for_members() -> None:
    text = Workflow.objects.get(slug="open").latest.yaml  # type: ignore[union-attr]  # it has one
    fresh = {"yaml": text.replace("{id: open", "{id: fresh").replace("_id: open", "_id: open, user_id: olive")}
    assert tried(lambda name: outcome(browser(name).post("/workflows/new", fresh))) == (OK, OK, OK, OK, OK, OK)
    for name, row in (("chain", WRITERS), ("open", WRITERS_OF_OPEN)):
        address = f"/olive/main/workflows/{name}/edit"
        given = {"yaml": text.replace("{id: open", f"{{id: {name}")}
        assert tried(lambda who, at=address, yaml=given: outcome(browser(who).post(at, yaml))) == row  # type: ignore[misc]
    for address in ("/workflows/new", "/olive/main/workflows/open/edit"):
        assert outcome(Client().post(address, fresh)) == SIGN_IN


def test_nobody_reads_or_acts_without_signing_in(names: dict[str, str]) -> None:
    for _, address, _ in READS:
        if "/media/" not in address:
            assert outcome(Client().get(address.format(**names))) == SIGN_IN, address
    for _, address, given, _ in ACTS:
        assert outcome(Client().post(address.format(**names), given)) == SIGN_IN, address


def test_keeping_a_comparison_is_for_whose_it_is() -> None:
    """Another's is not changed; and runs of somebody else do not show in one's own."""
    given = {"kind": "text", "given": "x", "panes": [{"id": "p1", "target": "olive/main/models/echo"}]}
    runs = [{"pane": "p1", "turn": 1, "run": str(RUN)}]
    for pk in (COMPARED, GIVEN_COMPARED):
        body = given | {"id": str(pk)}
        row = tried(lambda who, body=body: outcome(post_json(browser(who), body)))  # type: ignore[misc]
        assert row == OLIVE_ALONE
    row = tried(lambda who: outcome(post_json(browser(who), given | {"runs": runs})))
    assert row == ALL
    stranger = browser(world.STRANGER)
    mine = post_json(stranger, given | {"runs": runs}).json()["id"]
    assert stranger.get(f"/compare/{mine}/results").json()["panes"] == {}
    assert outcome(post_json(Client(), given)) == SIGN_IN


def post_json(client: Client, body: dict[str, Any]) -> Any:
    return client.post("/compare/keep", json.dumps(body), content_type="application/json")


def test_a_link_cannot_act(names: dict[str, str]) -> None:
    """Neither by being followed, nor from another site's form."""
    follower, form = browser(world.ADMIN), Client(enforce_csrf_checks=True)
    form.force_login(User.objects.get(username=world.ADMIN))
    for _, address, given, _ in ACTS:
        assert follower.get(address.format(**names)).status_code == 405, address
        assert form.post(address.format(**names), given).status_code == 403, address


def test_files_say_nothing_without_signing_in(names: dict[str, str]) -> None:
    assert Client().get(f"/media/{names['file']}").status_code == 404
    assert Client().get(f"/media/uploads/{names['upload']}").status_code == 403


def test_who_is_shut_out_is_signed_out(names: dict[str, str]) -> None:
    client = browser(world.SHUT_OUT)
    for _, address, _ in READS:
        if "/media/" not in address:
            assert outcome(client.get(address.format(**names))) == SIGN_IN


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        (world.OWNER, {"for-all", "olives", "shared-echo", "shared-open"}),
        (world.CO_OWNER, {"for-all", "shared-echo", "shared-open"}),
        (world.MEMBER, {"for-all", "merles", "shared-echo", "shared-open"}),
        (world.VIEWER, {"for-all", "shared-echo", "shared-open"}),
        (world.STRANGER, {"shared-open"}),
        (world.ADMIN, {"for-all", "merles", "olives", "shared-echo", "shared-open"}),
    ],
)
def test_lists_hold_what_one_may_see(name: str, slugs: set[str]) -> None:
    page = browser(name).get("/compute/").content.decode()
    every = {row.slug for row in Deployment.objects.all()}
    assert {slug for slug in every if f'/{slug}"' in page} == slugs
    models = browser(name).get("/models/").content.decode()
    assert ("/models/echo" in models) == (name != world.STRANGER)
    assert "/models/open" in models


LOGS = [
    (SHARED, "shared-echo", (world.OWNER, world.CO_OWNER, world.ADMIN)),
    (FOR_ALL, "for-all", (world.OWNER, world.ADMIN)),
    (MERLES, "merles", (world.MEMBER, world.ADMIN)),
]


@pytest.mark.parametrize(("address", "slug", "readers"), LOGS, ids=[log[1] for log in LOGS])
def test_logs_are_for_who_may_change_it(address: str, slug: str, readers: tuple[str, ...]) -> None:
    Deployment.objects.filter(slug=slug).update(state="failed", reason="no luck", log_tail=f"the log of {slug}")
    pk = Deployment.objects.get(slug=slug).pk
    for name in (world.OWNER, world.CO_OWNER, world.MEMBER, world.VIEWER, world.STRANGER, world.ADMIN):
        client = browser(name)
        starts = (f"/deployments/{pk}/state", f"/deployments/{pk}/start")
        for page in (address, f"{address}/live", f"{address}/log", *starts):
            shown = f"the log of {slug}" in client.get(page).content.decode()
            assert shown == (name in readers and not page.endswith("/live")), (name, page)


def test_who_left_the_app_keeps_their_deployment_but_not_its_log() -> None:
    row = Deployment.objects.get(slug="merles")
    Deployment.objects.filter(pk=row.pk).update(state="failed", reason="no luck", log_tail="the log of merles")
    browser(world.MEMBER).post(f"{SETTINGS}/members/remove", {"name": "merle"})
    client = browser(world.MEMBER)
    page = client.get(MERLES).content.decode()
    assert outcome(client.get(f"/deployments/{row.pk}/state")) == HIDDEN
    assert "no longer shared with you" in page
    assert "the log of merles" not in page + client.get(f"{MERLES}/log").content.decode()
    for act, given in (("retry", {}), ("scale", {"min": 5, "max": 9}), ("enable", {"enabled": "yes"})):
        assert outcome(client.post(f"{MERLES}/{act}", given)) == REFUSED, act
    for act, given in (("scale", {"min": 0, "max": 1}), ("enable", {"enabled": "no"}), ("delete", {"name": "merles"})):
        assert outcome(client.post(f"{MERLES}/{act}", given)) == OK, act


def test_deleting_needs_the_name() -> None:
    answer = browser(world.OWNER).post(f"{FOR_ALL}/delete", {"name": "forall"})
    assert answer.status_code == 400
    assert "Nothing was deleted" in answer.content.decode()
    assert Deployment.objects.filter(slug="for-all").exists()


@pytest.mark.parametrize("given", [{"min": 3, "max": 2}, {"min": "", "max": 2}, {"min": -1, "max": 2}, {"max": "many"}])
def test_scaling_says_what_does_not_fit(given: dict[str, Any]) -> None:
    answer = browser(world.OWNER).post(f"{FOR_ALL}/scale", given)
    assert answer.status_code == 400
    assert "replicas" in answer.content.decode()


def test_the_admin_is_for_administrators() -> None:
    for name in (world.OWNER, world.CO_OWNER, world.MEMBER, world.VIEWER, world.STRANGER, world.SHUT_OUT):
        for address in ("/admin/", "/admin/catalog/user/", "/admin/compute/deployment/"):
            assert browser(name).get(address).status_code in {302, 403, 404}, (name, address)
    assert browser(world.ADMIN).get("/admin/compute/deployment/").status_code == 200
