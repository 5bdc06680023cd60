"""Folders, served by the command: those written for the official package too, with it and without."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from playground.protocol import errors
from playground.protocol.errors import StoppedError
from playground.runner import examples
from playground.runner.testing import running
from tests.ports import free_port
from tests.runner.calling import Conversation, calling, request

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = Path(next(iter(examples.__path__))) / "hello"
OFFICIAL = """
from typing import Iterator, List

from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Concept, Image, NamedFields
from clarifai.runners.utils.data_utils import Param
from beside import shout


class Official(ModelClass):
    def load_model(self):
        print("loading, at length " * 10)
        self.loaded = True

    @ModelClass.method
    def predict(self, text: str, times: int = Param(default=2, min_value=1, max_value=3)) -> str:
        assert self.loaded
        print("predicting")
        return shout(text) * times

    @ModelClass.method
    def generate(self, text: str, delay: float = 0.0) -> Iterator[str]:
        import time
        for letter in text:
            time.sleep(delay)
            yield letter

    @ModelClass.method
    def classify(self, image: Image) -> List[Concept]:
        return [Concept("cat", 0.5)]

    @ModelClass.method
    def where(self) -> str:
        import sys
        return str([name for name in sys.modules if name.startswith("clarifai.runners") and "official" not in name])
"""
WITHOUT_PACKAGE = """
import runpy, sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def find_others(cls, name, path=None, target=None):
    return None if name.split(".")[0] == "clarifai" else find(name, path, target)
PathFinder.find_spec = classmethod(find_others)
sys.argv = ["runner", *sys.argv[1:]]
runpy.run_module("playground.runner", run_name="__main__")
"""


@pytest.fixture
def official(tmp_path: Path) -> Path:
    folder = tmp_path / "official"
    (folder / "1").mkdir(parents=True)
    (folder / "config.yaml").write_text("model: {id: official}\nunheard_of: 1\n")
    (folder / "1" / "model.py").write_text(OFFICIAL)
    (folder / "1" / "beside.py").write_text("def shout(text):\n    return text.upper() + '!'\n")
    return folder


@contextlib.contextmanager
def started(*command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, *command], **(pipes | options)) as process:
        try:
            yield process
        finally:
            process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if "--stdin-config" in process.args:  # type: ignore[operator]
        assert line == "loading the model\n"
        line = process.stdout.readline()
    assert line.startswith("listening on "), line
    return line.split()[2]


def test_hello_has_every_kind_of_method() -> None:
    with running(HELLO) as address, calling(address) as hello:
        assert "to you" in hello.predict("predict", text="to you")
        assert "".join(hello.pieces("generate", text=" word by  word\n")) == " word by  word\n"
        assert len(hello.pieces("generate", text="word by word")) == 3
        talk = Conversation(hello, "stream")
        for text in ("one two", "three"):
            talk.say(text)
            assert text in talk.hear()
        talk.end()
        answer = hello.predict("compose", name="Ann", times=2, shout=True, friends=["Bob"], extra={"a": [1]})
        assert answer["greetings"] == ["HELLO, ANN!", "HELLO, BOB!"] * 2
        assert answer["extra"] == {"a": [1]}


def test_hello_loads_nothing_it_does_not_need() -> None:
    code = (
        "import sys, pathlib, playground.runner.__main__\nfrom playground.runner.loader import load_folder\n"
        f"load_folder(pathlib.Path({str(HELLO)!r}))\n"
        "print([name for name in ('numpy', 'PIL', 'httpx', 'django') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("start", [("-m", "playground.runner"), ("-c", WITHOUT_PACKAGE)], ids=["with", "without"])
def test_a_folder_for_the_official_package_runs_unchanged(official: Path, start: tuple[str, str]) -> None:
    with started(*start, str(official)) as process, calling(address_of(process)) as caller:
        assert caller.predict("predict", text="hi") == "HI!HI!"
        assert caller.pieces("generate", text="abc") == ["a", "b", "c"]
        assert "model_runner" not in caller.predict("where")
    assert not list(official.rglob("__pycache__"))


def test_the_installed_package_gives_what_is_not_ours() -> None:
    pytest.importorskip("clarifai", reason="the official package is not installed")
    code = (
        "from playground.runner.aliases import install_aliases\ninstall_aliases()\n"
        "import clarifai, sys\n"
        "from clarifai.runners.utils.data_utils import image_to_bytes, Param\n"
        "from clarifai.runners.utils import data_types\n"
        "from clarifai.runners.models import model_class\n"
        "from clarifai.runners import ModelClass\n"
        "import playground.runner.model, playground.protocol.values\n"
        "assert model_class.ModelClass is ModelClass is playground.runner.model.ModelClass\n"
        "assert data_types.Image is playground.protocol.values.Image\n"
        "assert 'clarifai.runners.models.model_runner' not in sys.modules\n"
        "print(clarifai.__version__)\n"
        "from clarifai.runners.models.openai_class import OpenAIModelClass\n"
        "assert issubclass(OpenAIModelClass, ModelClass)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12.")


def test_what_a_model_prints_is_kept_from_standard_output(official: Path) -> None:
    with started("-m", "playground.runner", str(official)) as process, calling(address_of(process)) as caller:
        caller.predict("predict", text="x")
        process.terminate()
        said, logged = process.communicate(timeout=10)
        assert said == ""
        assert "predicting" in logged
        assert "unheard_of" in logged


def test_the_secret_comes_by_standard_input_and_its_end_is_ours(official: Path) -> None:
    command = ("-m", "playground.runner", str(official), "--stdin-config")
    with started(*command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"secret": "abc", "fetch_allow": [], "threads": None}) + "\n")
        process.stdin.flush()
        address = address_of(process)
        with pytest.raises(grpc.RpcError), calling(address):
            pass
        with calling(address, ("x-playground-secret", "abc")) as caller:
            assert caller.predict("predict", text="x") == "X!X!"
        process.stdin.close()
        assert process.wait(5) == 0


def test_health_says_serving_once_loaded(official: Path) -> None:
    model = official / "1" / "model.py"
    model.write_text(model.read_text().replace("self.loaded = True", "import time; time.sleep(4); self.loaded = True"))
    port = free_port()
    command = ("-m", "playground.runner", str(official), "--port", str(port))
    often = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 200)]
    with started(*command) as process, grpc.insecure_channel(f"127.0.0.1:{port}", often) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        seen = check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=10).status
        assert seen == health_pb2.HealthCheckResponse.NOT_SERVING
        address_of(process)
        assert check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING


def test_sigterm_lets_running_calls_finish(official: Path) -> None:
    with started("-m", "playground.runner", str(official)) as process, calling(address_of(process)) as caller:
        replies = caller.generate(request(caller.arguments("generate", text="abcde", delay=0.1)))
        next(replies)
        process.send_signal(signal.SIGTERM)
        assert [caller.value("generate", reply) for reply in replies] == ["b", "c", "d", "e"]
        assert process.wait(5) == 0


def test_sigterm_ends_what_takes_too_long_in_band(official: Path) -> None:
    command = ("-m", "playground.runner", str(official), "--grace", "0.3")
    with started(*command) as process, calling(address_of(process)) as caller:
        replies = caller.generate(request(caller.arguments("generate", text="a" * 1000, delay=0.05)))
        next(replies)
        process.send_signal(signal.SIGTERM)
        last = list(replies)[-1]
        assert isinstance(errors.from_status(last.status), StoppedError)
        assert process.wait(5) == 0


def test_a_model_that_hangs_while_loading_can_be_stopped(official: Path) -> None:
    model = official / "1" / "model.py"
    model.write_text(model.read_text().replace("self.loaded = True", "import time; time.sleep(60)"))
    with started("-m", "playground.runner", str(official)) as process:
        threading.Timer(1.5, process.terminate).start()
        begin = time.monotonic()
        process.wait(10)
        assert time.monotonic() - begin < 8


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("1/model.py", "x = 1\n", "has no class that derives from ModelClass"),
        ("1/model.py", "def broken(:\n", "SyntaxError"),
        ("config.yaml", "model: {}\n", "must give model.id"),
        ("1/model.py", OFFICIAL.replace("image: Image", "image: set"), '"classify", parameter "image"'),
        ("1/model.py", OFFICIAL.replace("self.loaded = True", "raise OSError('no weights')"), "OSError: no weights"),
    ],
)
def test_a_folder_that_cannot_be_served_says_why_last(official: Path, name: str, content: str, reason: str) -> None:
    (official / name).write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "playground.runner", str(official)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 1
    assert reason in done.stderr.strip().splitlines()[-1]


def test_a_taken_port_is_one_clear_line(official: Path) -> None:
    with running(official) as address:
        port = address.split(":")[-1]
        done = subprocess.run(
            [sys.executable, "-m", "playground.runner", str(official), "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot be listened on" in done.stderr


def test_sigterm_ends_async_methods_too(official: Path) -> None:
    (official / "1" / "model.py").write_text(
        "import asyncio\nfrom typing import AsyncIterator\n"
        "from clarifai.runners.models.model_class import ModelClass\n"
        "class Slow(ModelClass):\n"
        "    @ModelClass.method\n"
        "    async def generate(self) -> AsyncIterator[str]:\n"
        "        yield 'one'\n"
        "        await asyncio.sleep(60)\n"
    )
    command = ("-m", "playground.runner", str(official), "--grace", "0.3")
    with started(*command) as process, calling(address_of(process)) as caller:
        replies = caller.generate(request(caller.arguments("generate")))
        next(replies)
        process.send_signal(signal.SIGTERM)
        assert isinstance(errors.from_status(next(replies).status), StoppedError)
        assert process.wait(5) == 0
