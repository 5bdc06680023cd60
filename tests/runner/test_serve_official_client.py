"""The official client straight on our runner, as on its own ``model serve``: no gateway, no token."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WEAK = ROOT / "tests" / "gateway" / "weak"
PROLOGUE = """
import sys
from clarifai.client.model_client import ModelClient
model = ModelClient.from_local_grpc(port=int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    command = [sys.executable, "-m", "playground.runner", str(WEAK), "--grace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as runner:
        try:
            assert runner.stdout is not None
            yield runner.stdout.readline().split()[-1].rpartition(":")[2]
        finally:
            runner.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                runner.wait(10)
            runner.kill()


def script(port: str, code: str, home: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + code, port],
        capture_output=True,
        text=True,
        timeout=90,
        env={"HOME": str(home)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_all_three_kinds_and_zeros(port: str, tmp_path: Path) -> None:
    said = script(
        port,
        """
print(model.predict(text="a", count=2))
print("".join(model.generate(text="b", count=2)))
print(list(model.stream(text=iter(["c", "d"]))))
print(model.zero(), model.warm(), model.warm(text="x"), model.words(text="y"), model.pair(text="z"))
print(model.predict([{"text": "one"}, {"text": "two"}]))
""",
        tmp_path,
    )
    assert said == ["a a", "0 b 1 b ", "['weak c', 'weak d']", "0 0.7 0.7 ['end'] (2, 3)", "['one', 'two']"]


def test_answers_to_a_stream_come_before_its_end(port: str, tmp_path: Path) -> None:
    said = script(
        port,
        """
import threading
seen = threading.Event()
def items():
    yield "one"
    print(seen.wait(10))
    yield "two"
for reply in model.stream(text=items()):
    seen.set()
    print(reply)
""",
        tmp_path,
    )
    assert sorted(said) == ["True", "weak one", "weak two"]


def test_refusals_and_failures_are_told_at_once(port: str, tmp_path: Path) -> None:
    said = script(
        port,
        """
import time
began = time.monotonic()
for call in (
    lambda: model.predict(text="a", count=9),
    lambda: model.tone(tone="mid"),
    lambda: model.fail(text="it"),
    lambda: list(model.fail_midway()),
    lambda: model.nothing(),
):
    try:
        call()
    except Exception as error:
        print(str(error).replace(chr(10), " "))
print(time.monotonic() - began < 4)
""",
        tmp_path,
    )
    words = ["between 1 and 3", "one of low, high", "no luck with it", "no luck at two", "must be str, not NoneType"]
    assert len(said) == 6
    assert [word in line for word, line in zip(words, said, strict=False)] == [True] * 5
    assert not any("File " in line for line in said)
    assert said[5] == "True"
