"""``deployments``: created, changed, scaled, switched, read and deleted in the terminal."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError

from playground.catalog.models import Model, User
from playground.compute import services
from playground.compute.models import Deployment
from playground.protocol.errors import AccessError, InputError, NotFoundError
from tests.management.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db
CREATE = ("deployments", "create", "mine", "--model", "tiny", "--nodepool", "local/shared")


def test_one_is_created_with_all_that_was_said(run: Run, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "hush")
    said = run(
        *CREATE,
        *("--min", "0", "--max", "3", "--queue-limit", "9", "--scale-to-zero-delay", "7", "--visibility", "public"),
        *("--env", "A=1", "--env", "B=x=y", "--env", "C=", "--secret", "KEY", "--version", "v1"),
    )
    assert said == "mine created on local/shared\n"
    row = Deployment.objects.get()
    assert (row.min_replicas, row.max_replicas, row.queue_limit, row.visibility) == (0, 3, 9, 50)
    assert (row.scale_to_zero_delay_seconds, row.version) == (7, model.latest)
    assert services.environment_of(row) == {"A": "1", "B": "x=y", "C": "", "KEY": "hush"}


@pytest.mark.parametrize(
    "ref", ["tiny", "main/tiny", "owner/main/models/tiny", "http://127.0.0.1:8000/owner/main/models/tiny"]
)
def test_a_model_goes_by_each_of_its_names(run: Run, model: Model, ref: str) -> None:
    run("deployments", "create", "mine", "--model", ref, "--nodepool", "owner/local/shared")
    assert Deployment.objects.get().version is None


def test_a_version_in_the_name_pins_it(run: Run, model: Model) -> None:
    run("deployments", "create", "m", "--model", "owner/main/models/tiny/versions/v1", "--nodepool", "local/shared")
    assert Deployment.objects.get().version == model.latest


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("--model", "huge", "--nodepool", "local/shared"), NotFoundError, "No model owner/main/models/huge"),
        (("--model", "a/b/c", "--nodepool", "local/shared"), InputError, "names no model"),
        (("--model", "tiny", "--nodepool", "shared"), CommandError, "CLUSTER/NODEPOOL"),
        (("--model", "tiny", "--nodepool", "local/gone"), NotFoundError, "There are: local/shared"),
        (("--model", "tiny", "--nodepool", "local/shared", "--version", "v9"), NotFoundError, "There are: v1"),
        (("--model", "tiny", "--nodepool", "local/shared", "--env", "A"), CommandError, "NAME=VALUE"),
        (("--model", "tiny", "--nodepool", "local/shared", "--secret", "A=hush"), CommandError, "give only its name"),
        (("--model", "tiny", "--nodepool", "local/shared", "--min", "2"), InputError, "above max_replicas"),
        (("--model", "tiny", "--nodepool", "local/shared", "--user", "ada"), NotFoundError, "No model"),
        (("--model", "tiny", "--nodepool", "local/shared", "--user", "eve"), CommandError, "no user eve"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    run: Run, model: Model, arguments: tuple[str, ...], error: type[Exception], words: str
) -> None:
    User.objects.create(username="ada")
    with pytest.raises(error, match=words) as refused:
        run("deployments", "create", "mine", *arguments)
    assert "hush" not in str(refused.value)


def test_a_secret_is_asked_for_in_a_terminal(run: Run, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="not in the environment"):
        run(*CREATE, "--secret", "KEY")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"answer to {prompt}")
    run(*CREATE, "--secret", "KEY")
    assert services.environment_of(Deployment.objects.get()) == {"KEY": "answer to KEY: "}


def test_it_is_changed_scaled_and_switched(run: Run, model: Model) -> None:
    run(*CREATE, "--env", "A=1")
    assert run("deployments", "scale", "mine", "--min", "0", "--max", "4") == "mine scaled\n"
    assert run("deployments", "scale", "mine", "--max", "5") == "mine scaled\n"
    run("deployments", "edit", "mine", "--env", "A-", "--env", "B=2", "--version", "v1", "--description", "words")
    row = Deployment.objects.get()
    assert (row.min_replicas, row.max_replicas, row.description, row.version) == (0, 5, "words", model.latest)
    assert services.environment_of(row) == {"B": "2"}
    run("deployments", "edit", "mine", "--version", "latest")
    run("deployments", "disable", "mine")
    row.refresh_from_db()
    assert (row.version, row.is_enabled) == (None, False)
    assert "disabled" in run("deployments", "list")
    run("deployments", "enable", "mine")
    run("deployments", "retry", "mine")
    for act in ("scale", "edit"):
        with pytest.raises(CommandError):
            run("deployments", act, "mine")
    assert run("deployments", "delete", "mine") == "mine deleted\n"
    assert not Deployment.objects.exists()


def test_a_list_shows_states_and_reasons_in_columns(run: Run, model: Model) -> None:
    run(*CREATE)
    services.record_state(Deployment.objects.get().pk, "failed", "no\nwheel", generation=1)
    head, line = run("deployments", "list").splitlines()
    assert head.split() == ["DEPLOYMENT", "MODEL", "NODEPOOL", "READY", "WANTED", "STATE", "REASON"]
    assert line.split() == [
        *("mine", "owner/main/models/tiny", "local/shared", "0", "1", "to", "1", "failed", "no", "wheel")
    ]


def test_logs_show_the_last_lines(run: Run, model: Model) -> None:
    run(*CREATE)
    assert run("deployments", "logs", "mine") == ""
    path = services.log_path(Deployment.objects.get())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("one\ntwo\nthree\n")
    assert run("deployments", "logs", "mine", "--lines", "2") == "two\nthree\n"


def test_others_see_what_is_public_and_change_nothing(run: Run, model: Model) -> None:
    run(*CREATE)
    User.objects.create(username="ada")
    assert "mine" not in run("deployments", "list", "--user", "ada")
    model.visibility = 50
    model.save()
    run("deployments", "edit", "mine", "--visibility", "public")
    assert "owner/mine" in run("deployments", "list", "--user", "ada")
    with pytest.raises(NotFoundError):
        run("deployments", "delete", "mine", "--user", "ada")
    with pytest.raises(AccessError, match="This needs a member"):
        run(
            *("deployments", "create", "x", "--model", "owner/main/models/tiny", "--nodepool", "owner/local/shared"),
            *("--user", "ada"),
        )


def test_a_terminal_gets_one_line_and_exit_status_1() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "deployments", "delete", "none"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
