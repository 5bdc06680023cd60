"""The ``clarifai`` command against our gateway. Contract 6, its table of commands, and 1 for ``login``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import PIL.Image
import pytest
import yaml

from tests.gateway.asking import new_id
from tests.gateway.test_official_manage import CLUSTER, DEPLOYMENT, NODEPOOL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.client_process import Client

WIRE, ECHO, CHAT = (f"owner/main/models/{name}" for name in ("wire", "echo", "chat"))


def write(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_log_in_and_say_who(official: Client) -> None:
    """1 and 6: login asks GetUser(me), and by HTTP for organizations, whose failure is silent; whoami asks nothing."""
    address, token = f"http://{official.gateway.address}", official.gateway.tokens["owner"]
    official.extra = {"CLARIFAI_API_BASE": "", "CLARIFAI_PAT": "", "CLARIFAI_USER_ID": ""}
    official.says("login", address, "--pat", token, "--user-id", "owner", "--context", "ours")
    config = yaml.safe_load((official.home / ".config/clarifai/config").read_text())
    assert config["current_context"] == "ours"
    assert config["contexts"]["ours"]["CLARIFAI_API_BASE"] == address
    assert "owner" in official.says("whoami")
    assert "said" in official.says("model", "predict", WIRE, "said", "--method", "predict")


def test_a_wrong_token_does_not_log_in(official: Client) -> None:
    address = f"http://{official.gateway.address}"
    official.extra = {"CLARIFAI_API_BASE": "", "CLARIFAI_PAT": "", "CLARIFAI_USER_ID": ""}
    done = official.command("login", address, "--pat", "pg_nobody", "--user-id", "owner", "--context", "ours")
    assert done.returncode != 0 or "CONN_KEY_INVALID" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([ECHO, "Ada"], "0 Ada 1 Ada 2 Ada"),  # the first streaming method
        ([WIRE, "Ada", "--method", "predict"], "Ada"),
        ([WIRE, "--method", "whole", "-i", "number=41"], "41"),
        ([WIRE, "--method", "optional", "-i", "text=x", "-i", "number=3"], "'number': 3"),
        ([WIRE, "--method", "optional", "--inputs", '{"text": "y", "number": 4}'], "'number': 4"),
        ([WIRE, "Ada", "--method", "predict", "--deployment", "shared-wire"], "Ada"),
        ([WIRE, "Ada", "--method", "predict", "-cc_id", "local", "-np_id", "shared"], "Ada"),
        ([WIRE, "Ada", "--method", "predict", "-dpl_id", "shared-wire", "-dpl_usr_id", "owner"], "Ada"),
        (["--model_url", f"https://any.example/{WIRE}", "-i", "text=Ada", "--method", "predict"], "Ada"),
        ([CHAT, "two words"], "<two><words>"),  # openai_stream_transport, where the model has it
        ([CHAT, "--chat", "hello there"], "<hello><there>"),
        ([WIRE, "--method", "picture", "--file", "p.png"], "Image(bytes=<"),
        ([WIRE, "--info"], "predict"),
    ],
)
def test_model_predict(official: Client, arguments: list[str], expected: str) -> None:
    PIL.Image.new("RGB", (3, 2)).save(official.home / "p.png")
    assert expected in official.says("model", "predict", *arguments)


def test_model_predict_as_json_and_from_standard_input(official: Client) -> None:
    told = official.says("model", "predict", WIRE, "Ada", "--method", "predict", "-o", "json")
    assert json.loads(told) == {"result": "Ada"}
    assert (
        "from a pipe" in official.command("model", "predict", WIRE, "--method", "predict", given="from a pipe").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["owner/main/models/absent", "Ada"], "absent"),
        ([WIRE, "Ada", "--method", "predict", "--deployment", "night"], "night"),
        ([WIRE, "Ada", "--method", "fail"], "no luck with Ada"),
        ([WIRE, "--method", "picture", "--url", "http://127.0.0.1:9/x.png"], "fetch"),
        ([WIRE, "--method", "nothing"], "No input provided"),  # the client's: nothing without arguments
    ],
)
def test_what_cannot_be_predicted_fails(official: Client, arguments: list[str], words: str) -> None:
    assert words in official.refused("model", "predict", *arguments)


def test_model_list_and_status(official: Client) -> None:
    listed = official.says("model", "list", "owner")
    for name in ("echo", "wire", "chat"):
        assert f"owner/main/models/{name}" in listed
    status = official.says("model", "status", WIRE)
    assert "shared-wire" in status
    assert "Nodepool" in status
    assert "shared-wire" in official.says("model", "status", "--deployment", "shared-wire")


def test_a_strangers_list_is_empty(official: Client) -> None:
    official.user = "stranger"
    assert "owner/main" not in official.says("model", "list", "owner")
    assert "owner/main" not in official.says("model", "list", "all")


def test_from_cluster_to_deployment_with_yaml(official: Client, tmp_path: Path) -> None:
    """Ids on the command line win over those in the file; what is gone or in use makes the command fail."""
    cc, np, dp = new_id("cc"), new_id("np"), new_id("dp")
    pool, placed = json.loads(json.dumps(NODEPOOL)), json.loads(json.dumps(DEPLOYMENT))
    pool["nodepool"]["compute_cluster"] = {"id": cc}
    pool["nodepool"]["id"] = "another"
    placed["deployment"]["nodepools"] = [{"id": np, "compute_cluster": {"id": cc}}]
    del pool["nodepool"]["compute_cluster"]
    pool["nodepool"]["compute_cluster"] = {"id": cc, "user_id": "owner"}
    official.says("cc", "create", cc, "--config", write(tmp_path, "cc.yaml", CLUSTER))
    assert cc in official.says("computecluster", "list")
    official.says("np", "create", cc, np, "--config", write(tmp_path, "np.yaml", pool))
    assert np in official.says("nodepool", "list", cc)
    assert np in official.says("np", "list")
    official.says("dp", "create", np, dp, "--config", write(tmp_path, "dp.yaml", placed))
    assert dp in official.says("deployment", "list", np)
    assert dp in official.says("dp", "list")
    got = official.says("dp", "get", dp)
    assert ECHO in got
    assert np in got
    assert "echo Ada" in official.says("model", "predict", ECHO, "Ada", "--method", "predict", "--deployment", dp)
    assert np in official.refused("cc", "delete", cc)
    assert dp in official.refused("np", "delete", cc, np)
    official.says("dp", "delete", dp)
    official.says("np", "delete", cc, np)
    official.says("cc", "delete", cc)
    for gone in (("dp", "delete", dp), ("dp", "get", dp), ("np", "delete", cc, np), ("cc", "delete", cc)):
        assert official.command(*gone).returncode == 1
    assert official.gateway.tokens["owner"].encode() not in (official.gateway.data / "gateway.out").read_bytes()


def test_logs_and_events_are_for_who_may_change_it(official: Client) -> None:
    assert "ready" in official.says("deployment", "logs", "shared-wire", "--no-follow", "--log-type", "events")
    official.says("deployment", "logs", "shared-wire", "--no-follow")
    official.user = "viewer"
    seen = official.command("deployment", "logs", "shared-wire", "--no-follow", "--log-type", "events").stdout
    assert "ready" not in seen


def test_instances_are_listed(official: Client) -> None:
    assert "this-machine" in official.says("list-instances")


def test_apps_are_made_listed_and_deleted(official: Client) -> None:
    slug = new_id("app")
    official.says("app", "create", slug)
    assert slug in official.says("app", "list")
    official.says("app", "delete", slug)
    assert slug not in official.says("app", "list")
    assert "CONN_DOES_NOT_EXIST" in official.refused("app", "delete", slug)
