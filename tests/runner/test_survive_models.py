"""Models that raise, lie, hang, exit or are too busy."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import errors
from playground.protocol.errors import ConfigError, ModelError, OverloadedError
from playground.protocol.signatures import Param
from playground.runner.model import ModelClass
from playground.runner.server import Limits
from playground.runner.testing import running
from tests.runner.calling import Caller, calling, request
from tests.runner.kinds import GATE, Kinds


def test_an_exception_is_the_models_own_error(kinds: Caller) -> None:
    status = kinds.status("fail", text="apples")
    error = errors.from_status(status)
    assert isinstance(error, ModelError)
    assert status.code == StatusCode.FAILURE
    assert status.description == "The model failed: KeyError: 'apples'"
    assert not status.stack_trace
    assert "kinds.py" not in str(status)


def test_an_exit_is_only_a_failure(kinds: Caller) -> None:
    assert kinds.status("quit").description == "The model failed: SystemExit: 3"
    assert kinds.predict("predict", text="still here") == "STILL HERE"


def test_a_failure_in_mid_answer_keeps_what_came(kinds: Caller) -> None:
    first, last = kinds.generate(request(kinds.arguments("fail_midway")))
    assert kinds.value("fail_midway", first) == "one"
    assert last.status.description == "The model failed: RuntimeError: out of words"


def test_a_result_that_its_signature_forbids_is_named(kinds: Caller) -> None:
    error = errors.from_status(kinds.status("lie"))
    assert isinstance(error, ModelError)
    assert "must be int, not str" in error.message


def test_a_hanging_model_ends_by_the_callers_deadline(kinds: Caller) -> None:
    GATE.clear()
    with pytest.raises(grpc.RpcError) as failed:
        kinds.post(request(kinds.arguments("wait")), timeout=0.3)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert kinds.predict("predict", text="others run on") == "OTHERS RUN ON"
    GATE.set()


def test_a_full_queue_asks_to_come_again() -> None:
    GATE.clear()
    with running(Kinds, limits=Limits(threads=1, queue=1, grace=0.1)) as address, calling(address) as caller:
        send = caller._channel.unary_unary("/clarifai.api.V2/PostModelOutputs")
        message = request(caller.arguments("wait")).SerializeToString()
        waiting = [send.future(message) for _ in range(2)]
        time.sleep(0.3)
        status = caller.status("predict", text="x")
        assert status.code == StatusCode.MODEL_BUSY_PLEASE_RETRY
        assert isinstance(errors.from_status(status), OverloadedError)
        streamed = next(caller.generate(request(caller.arguments("generate", text="x"))))
        assert streamed.status.code == StatusCode.MODEL_BUSY_PLEASE_RETRY
        GATE.set()
        assert all(call.result() for call in waiting)


def test_only_the_owner_sees_a_traceback_and_only_with_the_secret() -> None:
    owner, secret = ("x-playground-owner", "1"), ("x-playground-secret", "s3cret")
    with running(Kinds, limits=Limits(secret="s3cret")) as address:
        with calling(address, secret, owner) as caller:
            trace = "\n".join(caller.status("fail", text="x").stack_trace)
            assert "kinds.py" in trace
            assert "answering.py" not in trace
        with calling(address, secret) as caller:
            assert not caller.status("fail", text="x").stack_trace
        with pytest.raises(grpc.RpcError) as failed, calling(address, owner):
            pass
        assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_without_a_secret_nobody_is_the_owner(kinds_address: str) -> None:
    with calling(kinds_address, ("x-playground-owner", "1")) as caller:
        assert not caller.status("fail", text="x").stack_trace


class Broken(ModelClass):
    @ModelClass.method
    def predict(self, text: set) -> str:
        return ""


class Failing(ModelClass):
    def load_model(self) -> None:
        raise FileNotFoundError("weights.bin")

    @ModelClass.method
    def predict(self, text: str = Param(default="")) -> str:
        return text


def test_a_wrong_annotation_names_method_and_parameter() -> None:
    with pytest.raises(ConfigError, match=r'test_survive_models\.py.*"predict".*"text".*supported'), running(Broken):
        pass


def test_a_failure_while_loading_ends_the_runner() -> None:
    with pytest.raises(FileNotFoundError), running(Failing):
        pass


def test_a_model_that_exits_takes_its_runner_and_says_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "config.yaml").write_text("model: {id: exit}")
    (tmp_path / "1" / "model.py").write_text(
        "import os\nfrom clarifai.runners.models.model_class import ModelClass\n"
        "class Exit(ModelClass):\n"
        "    @ModelClass.method\n"
        "    def predict(self) -> str:\n"
        "        os._exit(7)\n"
    )
    command = [sys.executable, "-m", "playground.runner", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with calling(process.stdout.readline().split()[-1]) as caller, pytest.raises(grpc.RpcError) as failed:
            caller.predict("predict")
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
        assert process.wait(10) == 7
