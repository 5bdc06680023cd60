"""The dialogs about a deployment, which any page opens, and what they change; its log as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from playground.catalog.models import PUBLIC, Membership, User
from playground.compute import services
from playground.compute.models import Cluster, Deployment
from playground.compute.services.environment import environment_of
from tests.compute.using import call, store
from tests.play.conftest import browser

JSON = {"Accept": "application/json"}
EDIT = {
    "description": "For the night.",
    "version": "",
    "visibility": PUBLIC,
    "queue_limit": 9,
    "traffic_history_seconds": 30,
    "scale_up_delay_seconds": 1,
    "scale_down_delay_seconds": 2,
    "scale_to_zero_delay_seconds": 3,
}


@pytest.fixture(autouse=True)
def _logs(settings: Any, tmp_path: Path) -> None:
    settings.LOG_DIR = tmp_path


@pytest.fixture
def mine(owner: User, deployment: Deployment) -> Deployment:
    return Deployment.objects.create(
        owner=owner, slug="mine", model=deployment.model, nodepool=deployment.nodepool, visibility=PUBLIC
    )


def at(row: Deployment, part: str) -> str:
    return f"/compute/deployments/{row.owner.username}/{row.slug}/{part}"


@pytest.mark.parametrize("act", ["scale", "edit", "delete", "log", "usage"])
def test_each_dialog_comes_alone_or_as_a_page(owner: User, mine: Deployment, act: str) -> None:
    store([call(mine, owner, timezone.now())])
    alone = browser(owner).get(at(mine, f"acts/{act}"), headers={"X-Part": "dialog"}).content.decode()
    assert alone.lstrip().startswith("<dialog")
    assert "<html" not in alone
    page = browser(owner).get(at(mine, f"acts/{act}")).content.decode()
    assert "<html" in page
    assert "open>" in page


def test_who_may_not_change_it_sees_its_usage_alone(mate: User, stranger: User, mine: Deployment) -> None:
    for act, expected in (("usage", 200), ("scale", 403), ("edit", 403), ("delete", 403), ("log", 403)):
        assert browser(mate).get(at(mine, f"acts/{act}")).status_code == expected, act
        assert browser(stranger).get(at(mine, f"acts/{act}")).status_code == 404, act
    assert browser(mate).get(at(mine, "log/download")).status_code == 403
    assert "your own calls alone" in browser(mate).get(at(mine, "acts/usage")).content.decode()


def test_no_such_act(owner: User, mine: Deployment) -> None:
    assert browser(owner).get(at(mine, "acts/explode")).status_code == 404


def test_editing_changes_what_is_given(owner: User, mine: Deployment) -> None:
    version = mine.model.latest
    assert version is not None
    assert browser(owner).post(at(mine, "edit"), EDIT | {"version": version.slug}, headers=JSON).status_code == 204
    mine.refresh_from_db()
    assert (mine.description, mine.version, mine.queue_limit) == ("For the night.", version, 9)
    assert (mine.traffic_history_seconds, mine.scale_up_delay_seconds) == (30, 1)
    assert (mine.scale_down_delay_seconds, mine.scale_to_zero_delay_seconds) == (2, 3)
    generation = mine.generation
    answer = browser(owner).post(at(mine, "edit"), EDIT | {"version": version.slug})
    assert answer.status_code == 302
    mine.refresh_from_db()
    assert mine.generation == generation, "the same again restarts nothing"
    browser(owner).post(at(mine, "edit"), EDIT)
    mine.refresh_from_db()
    assert mine.version is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"queue_limit": "many"}, "Queue limit"),
        ({"queue_limit": "100001"}, "queue_limit is 100001"),
        ({"scale_up_delay_seconds": ""}, "Adds a replica after"),
        ({"scale_to_zero_delay_seconds": "99999"}, "99999"),
        ({"version": "nowhere"}, "no version nowhere"),
        ({"visibility": "30"}, "Visibility"),
        ({"description": "x" * 10_001}, "description is longer"),
    ],
)
def test_what_does_not_fit_is_said_by_name(owner: User, mine: Deployment, wrong: dict[str, str], words: str) -> None:
    answer = browser(owner).post(at(mine, "edit"), EDIT | wrong, headers=JSON)
    assert answer.status_code in {400, 404}
    assert words in answer.json()["error"]["message"]
    mine.refresh_from_db()
    assert mine.description == ""


def test_nodepools_are_put_in_order(owner: User, stranger: User, mine: Deployment) -> None:
    cluster = services.create_cluster(owner, "edge")
    first, second = (services.create_nodepool(owner, cluster, slug) for slug in ("one", "two"))
    page = browser(owner).get(at(mine, "acts/edit")).content.decode()
    assert page.count('name="nodepool"') == 2, "the one it has, and room for another"
    order = [second.pk, mine.nodepool_id, ""]
    assert browser(owner).post(at(mine, "edit"), EDIT | {"nodepool": order}, headers=JSON).status_code == 204
    mine.refresh_from_db()
    assert (mine.nodepool_id, list(mine.placements.values_list("nodepool", flat=True))) == (second.pk, order[:2])
    generation = mine.generation
    assert browser(owner).post(at(mine, "edit"), EDIT | {"nodepool": order}, headers=JSON).status_code == 204
    mine.refresh_from_db()
    assert mine.generation == generation
    Cluster.objects.filter(pk=cluster.pk).update(owner=stranger)
    hidden = browser(owner).get(at(mine, "acts/edit")).content.decode()
    assert f'value="{second.pk}" selected' in " ".join(hidden.split())
    Cluster.objects.filter(pk=cluster.pk).update(owner=owner)
    theirs = services.create_nodepool(stranger, services.create_cluster(stranger, "far"), "away")
    answer = browser(owner).post(at(mine, "edit"), EDIT | {"nodepool": [first.pk, theirs.pk]}, headers=JSON)
    assert (answer.status_code, "no longer shared with you" in answer.json()["error"]["message"]) == (400, True)


def test_the_environment_is_as_its_rows_say(owner: User, mine: Deployment) -> None:
    services.edit_deployment(
        owner, mine, environment={"MODE": "calm", "OLD": "1"}, secrets={"KEY": "hush", "TOKEN": "a"}
    )
    page = browser(owner).get(at(mine, "acts/edit")).content.decode()
    assert 'value="calm"' in page
    assert "kept; type to change it" in page
    assert "hush" not in page
    rows = {
        "has_environment": "1",
        "variable_name": ["MODE", "KEY", "TOKEN", "NEW", ""],
        "variable_value": ["loud", "", "b", "2", ""],
        "variable_kind": ["plain", "secret", "secret", "plain", "plain"],
    }
    assert browser(owner).post(at(mine, "edit"), EDIT | rows, headers=JSON).status_code == 204
    assert environment_of(mine) == {"MODE": "loud", "KEY": "hush", "TOKEN": "b", "NEW": "2"}
    twice = rows | {"variable_name": ["KEY", "KEY", "", "", ""], "variable_value": ["", "", "", "", ""]}
    answer = browser(owner).post(at(mine, "edit"), EDIT | twice | {"variable_kind": ["secret"] * 5}, headers=JSON)
    assert (answer.status_code, "KEY: there twice" in answer.json()["error"]["message"]) == (400, True)
    assert browser(owner).post(at(mine, "edit"), EDIT, headers=JSON).status_code == 204
    assert len(environment_of(mine)) == 4, "without its rows it stays as it is"


def test_the_shared_one_keeps_its_visibility(owner: User, deployment: Deployment) -> None:
    assert browser(owner).post(at(deployment, "edit"), EDIT, headers=JSON).status_code == 204
    deployment.refresh_from_db()
    assert deployment.visibility != PUBLIC


@pytest.mark.parametrize(
    ("act", "given"),
    [("scale", {"min": 0, "max": 2}), ("enable", {"enabled": "no"}), ("retry", {}), ("delete", {"name": "mine"})],
)
def test_modules_get_no_page_and_leave_no_message(
    owner: User, mine: Deployment, act: str, given: dict[str, Any]
) -> None:
    client = browser(owner)
    assert client.post(at(mine, act), given, headers=JSON).status_code == 204
    assert 'role="status">' not in client.get("/compute/").content.decode().split("<main")[1].split("</main")[0]


def test_the_log_comes_whole_as_a_file(owner: User, mine: Deployment) -> None:
    services.log_path(mine).write_text("line\n" * 5000)
    services.log_path(mine).with_suffix(".log.1").write_text("first\n")
    answer = browser(owner).get(at(mine, "log/download"))
    assert answer["Content-Disposition"] == 'attachment; filename="mine.log"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith("first\n")
    assert len(text.splitlines()) == 5001


def test_without_a_log_the_last_lines_that_were_kept_come(owner: User, mine: Deployment) -> None:
    Deployment.objects.filter(pk=mine.pk).update(log_tail="the end")
    assert browser(owner).get(at(mine, "log/download")).content == b"the end"


def test_who_left_the_app_gets_no_log(owner: User, mate: User, deployment: Deployment) -> None:
    left = Deployment.objects.create(owner=mate, slug="left", model=deployment.model, nodepool=deployment.nodepool)
    services.log_path(left).write_text("others' calls\n")
    assert browser(mate).get(at(left, "log/download")).content == b"others' calls\n"
    Membership.objects.all().delete()
    assert browser(mate).get(at(left, "log/download")).status_code == 403
