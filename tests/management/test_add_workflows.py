"""``manage.py workflows``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from playground.catalog.models import PUBLIC, User, Workflow
from playground.catalog.services import add_model, ensure_owner
from playground.compute.setup import ensure_built_in_workflows
from playground.protocol.errors import NotFoundError
from tests.compute.using import make_deployment
from tests.gateway.live import ECHO

pytestmark = pytest.mark.django_db
TEXT = "workflow:\n  id: chain\n  nodes:\n    - id: say\n      model: {model_id: echo}\n"


@pytest.fixture(autouse=True)
def model() -> None:
    add_model(ensure_owner()[1], ECHO, model_id="echo")


def run(*words: Any) -> str:
    out = io.StringIO()
    call_command("workflows", *map(str, words), stdout=out)
    return out.getvalue()


def test_a_file_is_added_listed_shown_and_deleted(tmp_path: Path) -> None:
    file = tmp_path / "chain.yaml"
    file.write_text(TEXT)
    assert run("add", file, "--public").startswith("owner/main/workflows/chain, version ")
    assert Workflow.objects.get().visibility == PUBLIC
    assert "say" in run("list").splitlines()[1]
    assert run("show", "chain") == TEXT
    run("delete", "owner/main/workflows/chain")
    assert not Workflow.objects.exists()
    with pytest.raises(NotFoundError):
        run("show", "chain")


def test_problems_are_told_by_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "chain.yaml"
    file.write_text(TEXT.replace("echo", "ecco") + "      crop: 3\n")
    with pytest.raises(CommandError) as caught:
        run("add", file)
    assert str(caught.value) == f"{file}:6: crop: `true`, or `margin` and `at_most`, is needed."


def test_deployments_that_are_not_there_are_told_by_line_until_they_are(tmp_path: Path) -> None:
    file, owner = tmp_path / "chain.yaml", User.objects.get(username="owner")
    make_deployment(owner, "of-hello")
    for name, words in {
        "nowhere": "No deployment nowhere for you. It does not exist, or is not shared with you. There is none of echo",
        "ada/none": "No deployment none of ada for you.",
        "of-hello": "The deployment of-hello serves owner/main/models/hello, not owner/main/models/echo.",
    }.items():
        file.write_text(f"{TEXT}      deployment: {name}\n")
        with pytest.raises(CommandError) as caught:
            run("add", file)
        assert str(caught.value).startswith(f"{file}:6: {words}")
    file.write_text(f"{TEXT.replace('echo', 'hello')}      deployment: owner/of-hello\n")
    assert run("add", file).startswith("owner/main/workflows/chain, version ")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["no file", "no text"])
def test_what_is_no_text_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "chain.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match="cannot be read"):
        run("add", file)


def test_ready_made_ones_are_there_from_the_first_start_and_stay_as_they_were_edited() -> None:
    owner, app = ensure_owner()
    for name in ("nanodet", "movenet", "efficientnet", "smollm2"):
        add_model(app, ECHO, model_id=name)
    ensure_built_in_workflows(owner, app)
    assert set(Workflow.objects.values_list("slug", flat=True)) == {"people-pose", "things-named", "picture-described"}
    edited = Workflow.objects.get(slug="people-pose").latest
    assert edited is not None
    ensure_built_in_workflows(owner, app)
    assert Workflow.objects.get(slug="people-pose").latest == edited
