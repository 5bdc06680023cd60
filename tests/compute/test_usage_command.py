"""``manage.py usage``: a table for people, CSV for programs; also of deployments that are gone."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from playground.catalog.models import User
from playground.compute.models import Deployment
from tests.compute.using import call, make_deployment, store

pytestmark = pytest.mark.django_db


def usage(*arguments: str) -> str:
    output = io.StringIO()
    call_command("usage", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def owner() -> User:
    return User.objects.create(username="owner")


@pytest.fixture
def mine(owner: User) -> Deployment:
    """With 8 calls of 100 ms and 2 that failed a few minutes ago, and one of 5 s long ago."""
    deployment = make_deployment(owner)
    recently = timezone.now() - timedelta(minutes=5)
    store([call(deployment, owner, recently, completion_tokens=5)] * 8)
    store([call(deployment, owner, recently, outcome="MODEL_PREDICTION_FAILED", method="generate")] * 2)
    store([call(deployment, owner, recently - timedelta(days=3), duration_s=5.0)])
    return deployment


def test_a_line_for_each_deployment(mine: Deployment, owner: User) -> None:
    store([call(make_deployment(owner, "[other]"), owner, timezone.now())])
    head, _, first, second = usage().replace("\u00a0", " ").splitlines()
    assert " ".join(head.split()) == (
        "deployment calls errors p50 p95 first queue p95 outputs/s tokens/s tokens last used"
    )
    assert first.split()[:8] == ["owner/mine", "10", "20", "%", first.split()[4], "ms", first.split()[6], "ms"]
    assert 98 <= int(first.split()[4]) <= 102
    assert first.endswith("5 min ago")
    assert second.startswith("owner/[other]")


def test_it_looks_back_as_far_as_told(mine: Deployment) -> None:
    assert "10" in usage("--since", "30m")
    assert "11" in usage("--since", "1w")
    assert usage("--since", "2m") == "No calls in the last 2m.\n"


def test_programs_get_csv(mine: Deployment) -> None:
    (row,) = csv.DictReader(io.StringIO(usage("--csv", "--deployment", "mine")))
    assert (row["deployment"], row["calls"], row["errors"], row["tokens"]) == ("owner/mine", "10", "2", "40")
    assert float(row["p50"]) == pytest.approx(0.1, rel=0.02)
    assert row["first_output_p50"] == ""


def test_lines_may_be_of_other_things(mine: Deployment) -> None:
    rows = {row["method"]: row["calls"] for row in csv.DictReader(io.StringIO(usage("--csv", "--by", "method")))}
    assert rows == {"predict": "8", "generate": "2"}


def test_a_deployment_that_is_gone_is_still_there(mine: Deployment) -> None:
    mine.delete()
    assert "owner/mine" in usage("--deployment", "owner/mine")


def test_others_see_their_own_calls(mine: Deployment) -> None:
    User.objects.create(username="guest")
    assert usage("--user", "guest") == "No calls in the last 24h.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "yesterday"], "--since yesterday: give a number"),
        (["--since", "0h"], "--since 0h: give a number"),
        (["--since", "999999w"], "--since 999999w: give a number"),
        (["--deployment", "theirs"], "No calls to a deployment theirs are known. There are calls to: owner/mine."),
        (["--user", "nobody"], "There is no user nobody"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(mine: Deployment, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        usage(*arguments)
    assert words in str(caught.value)
