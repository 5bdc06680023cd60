"""The unmodified official package as our client, in a process of its own with its settings in the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.live import Live

URL = "http://anywhere/owner/main/models/echo"
PROLOGUE = f"""
from clarifai.client import Model
URL = {URL!r}
"""


def run(gateway: Live, *command: str, user: str = "owner", home: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **gateway.environment,
        "CLARIFAI_API_BASE": f"http://{gateway.address}",
        "CLARIFAI_PAT": gateway.tokens[user],
        "CLARIFAI_USER_ID": user,
        "HOME": home,
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)


def script(gateway: Live, code: str, home: str, user: str = "owner") -> str:
    done = run(gateway, sys.executable, "-c", PROLOGUE + code, user=user, home=home)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("home"))


def test_all_three_kinds_and_a_named_method(gateway: Live, home: str) -> None:
    said = script(
        gateway,
        """
model = Model(URL)
print(model.predict(text="a"))
print("".join(model.generate(text="b", count=2)))
print(list(model.stream(text=iter(["c", "d"]))))
print(model.image_size(picture=b"12345"))
print(",".join(list(model.available_methods())[:4]))
""",
        home,
    )
    assert said.splitlines() == ["echo a", "0 b 1 b ", "['echo c', 'echo d']", "5", "predict,generate,stream,fail"]


@pytest.mark.parametrize(
    "selector",
    [
        "deployment_id='shared-echo'",
        "deployment_id='shared-echo', deployment_user_id='owner'",
        "compute_cluster_id='local', nodepool_id='shared'",
    ],
)
def test_selectors_go_where_they_say(gateway: Live, home: str, selector: str) -> None:
    assert script(gateway, f"print(Model(URL, {selector}).predict(text='here'))", home) == "echo here"


def test_an_unknown_deployment_is_told_at_once(gateway: Live, home: str) -> None:
    done = run(
        gateway, sys.executable, "-c", PROLOGUE + "Model(URL, deployment_id='night').predict(text='x')", home=home
    )
    assert done.returncode != 0
    assert "night" in done.stderr


def test_a_refused_stream_raises_at_once(gateway: Live, home: str) -> None:
    said = script(
        gateway,
        """
import time
model = Model(URL)
model.predict(text="x")
model.client.request_template.model_id = "gone"
began = time.monotonic()
for call in (lambda: list(model.generate(text="x")), lambda: list(model.stream(text=iter(["x"])))):
    try:
        call()
    except Exception as error:
        print("No model owner/main/models/gone" in str(error))
print(time.monotonic() - began < 4)
""",
        home,
    )
    assert said.split() == ["True", "True", "True"]


def test_calls_by_bytes_without_a_type_ask_for_it(gateway: Live, home: str) -> None:
    said = script(gateway, "print(Model(URL).predict_by_bytes(b'legacy').outputs[0].data.text.raw)", home)
    assert said == "echo legacy"


def test_a_strangers_client_is_refused(gateway: Live, home: str) -> None:
    done = run(gateway, sys.executable, "-c", PROLOGUE + "Model(URL).predict(text='x')", user="stranger", home=home)
    assert done.returncode != 0
    assert "No model owner/main/models/echo for you" in done.stderr


def test_the_command_line_predicts(gateway: Live, home: str) -> None:
    command = [str(Path(sys.executable).with_name("clarifai")), "model", "predict", "owner/main/models/echo", "Ada"]
    done = run(gateway, *command, "--method", "predict", home=home)
    assert done.returncode == 0, done.stderr
    assert "echo Ada" in done.stdout
    streamed = run(gateway, *command, home=home)
    assert "0 Ada 1 Ada 2 Ada" in streamed.stdout
