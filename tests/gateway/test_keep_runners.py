"""Runners that leave, gateways that are ended: what callers hear, and that nobody is left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live
from tests.gateway.live import Live, ask


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_ready(gateway: Live) -> None:
    live.wait_for(lambda: gateway.predict(ask()).status.code == live.OK, "echo to be ready")


def test_a_runner_that_leaves_comes_back(fresh: Live) -> None:
    fresh.start()
    wait_ready(fresh)
    reply = fresh.predict(ask(method="leave"))
    assert reply.status.code == StatusCode.RUNNER_PROCESSING_FAILED
    assert "replica went away" in reply.status.description
    assert reply.runner_selector.deployment.id == "shared-echo"
    wait_ready(fresh)
    replies = fresh.generate(ask(method="leave_midway"))
    assert [live.text_of(reply) for reply in replies[:-1]] == ["one", "two"]
    assert replies[-1].status.code == StatusCode.RUNNER_PROCESSING_FAILED
    states = fresh.django(STATES)
    assert states[:3] == ["pending", "starting", "ready"]


def test_a_killed_runner_comes_back_and_a_waiting_stream_is_held(fresh: Live) -> None:
    fresh.start()
    wait_ready(fresh)
    [runner] = fresh.runners()
    os.kill(runner, signal.SIGKILL)
    live.wait_for(lambda: not Path(f"/proc/{runner}").exists(), "the gateway to have seen its end")
    with fresh.streaming([ask("x", "stream")]) as replies:
        assert live.text_of(next(replies)) == "echo x"


def test_sigterm_ends_all_within_four_seconds(fresh: Live, tmp_path: Path) -> None:
    fresh.start()
    wait_ready(fresh)
    runners = fresh.runners()
    with fresh.generating(ask(str(tmp_path / "note"), "endless")) as replies:
        next(replies)
        assert fresh.stop() < 4
    assert runners
    assert not [pid for pid in runners if is_alive(pid)]


def test_a_killed_gateway_leaves_no_runner_and_heals(fresh: Live) -> None:
    fresh.start()
    wait_ready(fresh)
    runners = fresh.runners()
    assert fresh.process is not None
    fresh.process.kill()
    fresh.process.wait()
    live.wait_for(lambda: not [pid for pid in runners if is_alive(pid)], "the runners to be gone", 5)
    fresh.start()
    wait_ready(fresh)


def test_a_failed_build_says_why_and_is_retried(fresh: Live, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.py").write_text((live.ECHO / "1" / "model.py").read_text())
    (folder / "config.yaml").write_text("model: {id: broken}\n")
    requirements = folder / "requirements.txt"
    requirements.write_text("./no-such-package\n")
    fresh.django(ADD_MODEL, str(folder))
    fresh.start()
    live.wait_for(
        lambda: fresh.predict(ask(model="broken")).status.code == StatusCode.MODEL_DEPLOYMENT_FAILED, "the failure", 30
    )
    reply = fresh.predict(ask(model="broken"))
    assert "uv pip install" in reply.status.description
    row = fresh.django(ROW)
    assert row["state"] == "failed"
    assert "no-such-package" in row["log_tail"]
    (folder / "no-such-package").mkdir()
    (folder / "no-such-package" / "setup.py").write_text("nonsense nonsense")
    assert fresh.django(RETRY) == "pending"
    live.wait_for(lambda: "nonsense" in fresh.django(ROW)["log_tail"], "the second failure", 60)
    wait_ready(fresh)


def test_a_model_that_cannot_load_fails_with_its_reason(fresh: Live, tmp_path: Path) -> None:
    folder = tmp_path / "unloadable"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.py").write_text("raise RuntimeError('no weights here')\n")
    (folder / "config.yaml").write_text("model: {id: unloadable}\n")
    fresh.django(ADD_MODEL, str(folder))
    fresh.start()
    live.wait_for(
        lambda: fresh.predict(ask(model="unloadable")).status.code == StatusCode.MODEL_DEPLOYMENT_FAILED, "failure", 60
    )
    assert "no weights here" in fresh.predict(ask(model="unloadable")).status.description


ADD_MODEL = """
from pathlib import Path
from playground.catalog import services
from playground.compute.services import ensure_shared_deployment
ensure_shared_deployment(services.add_model(services.ensure_owner()[1], Path(sys.argv[1])).model)
"""
STATES = """
from playground.compute.models import Transition
print(json.dumps(list(Transition.objects.order_by("pk").values_list("state", flat=True))))
"""
ROW = """
from playground.compute.models import Deployment
print(json.dumps(Deployment.objects.filter(model__slug="broken").values("state", "reason", "log_tail").get()))
"""
RETRY = """
from playground.compute.models import Deployment
from playground.compute.services import retry
row = Deployment.objects.get(model__slug="broken")
retry(row.owner, row)
print(json.dumps(row.state))
"""
