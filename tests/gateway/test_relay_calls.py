"""Predict, generate and stream through gateway and runner; every reply says where it ran."""

from __future__ import annotations

import queue
import re
import time
from pathlib import Path

import grpc
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live
from tests.gateway.live import Live, ask


def check_where_it_ran(reply: service_pb2.MultiOutputResponse) -> None:
    selector = reply.runner_selector
    assert (selector.deployment.id, selector.deployment.user_id) == ("shared-echo", "owner")
    assert (selector.nodepool.id, selector.nodepool.compute_cluster.id) == ("shared", "local")


def test_predict_answers_and_says_where_it_ran(gateway: Live) -> None:
    reply = gateway.predict(ask("Ada"))
    assert live.text_of(reply) == "echo Ada"
    check_where_it_ran(reply)
    assert re.fullmatch(r"playground-[0-9a-f]{32}", reply.status.req_id)


def test_the_request_id_takes_the_clients_prefix(gateway: Live) -> None:
    with grpc.insecure_channel(gateway.address) as channel:
        call = channel.unary_unary(live.V2 + "PostModelOutputs", None, service_pb2.MultiOutputResponse.FromString)
        metadata = [*gateway.metadata(), ("x-clarifai-request-id-prefix", "sdk-python-12.5.0")]
        reply = call(ask().SerializeToString(), metadata=metadata)
    assert re.fullmatch(r"sdk-python-12\.5\.0-[0-9a-f]{32}", reply.status.req_id)


def test_every_piece_says_where_it_ran(gateway: Live) -> None:
    replies = gateway.generate(ask("hi", "generate"))
    assert [live.text_of(reply) for reply in replies] == ["0 hi ", "1 hi ", "2 hi "]
    for reply in replies:
        check_where_it_ran(reply)


def test_a_stream_answers_before_the_next_input(gateway: Live) -> None:
    inputs: queue.SimpleQueue[service_pb2.PostModelOutputsRequest | None] = queue.SimpleQueue()
    with gateway.streaming(iter(inputs.get, None)) as replies:
        for word in ("one", "two", "three"):
            inputs.put(ask(word, "stream"))
            assert live.text_of(next(replies)) == f"echo {word}"
        inputs.put(None)
        assert list(replies) == []


def test_large_payloads_pass(gateway: Live) -> None:
    request = ask(method="image_size")
    content = b"\x07" * (70 * 2**20)
    request.inputs[0].data.parts[0].CopyFrom(
        resources_pb2.Part(id="picture", data=resources_pb2.Data(bytes_value=content))
    )
    reply = gateway.predict(request)
    assert reply.status.code == live.OK, reply.status
    assert reply.outputs[0].data.parts[0].data.int_value == len(content)


def test_a_cancelled_call_stops_the_model(gateway: Live, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with gateway.generating(ask(str(note), "endless")) as replies:
        assert live.text_of(next(replies)) == "again "
        replies.cancel()
    live.wait_for(note.exists, "the model to be stopped", 5)


def test_a_deadline_stops_the_model(gateway: Live, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with gateway.generating(ask(str(note), "endless"), deadline=1) as replies, pytest.raises(grpc.RpcError):
        list(replies)
    live.wait_for(note.exists, "the model to be stopped", 5)


def test_the_models_own_failure_is_its_own(gateway: Live) -> None:
    reply = gateway.predict(ask("it", "fail"))
    assert reply.status.code == StatusCode.FAILURE
    assert "no luck with it" in reply.status.details
    assert reply.status.req_id
    check_where_it_ran(reply)


def test_a_runner_sees_no_secret_of_ours(gateway: Live) -> None:
    names = live.text_of(gateway.predict(ask(method="environment"))).split()
    assert "PATH" in names
    assert not [name for name in names if "PAT" in name.split("_") or "TOKEN" in name or "SECRET" in name]
    assert not [name for name in names if name.startswith("PLAYGROUND_")]


def test_a_new_model_is_found_at_once(gateway: Live, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.py").write_text((live.ECHO / "1" / "model.py").read_text())
    (folder / "config.yaml").write_text("model: {id: second}\n")
    gateway.django(ADD_MODEL, str(folder))
    began = time.monotonic()
    reply = gateway.predict(ask("now", model="second"))
    assert reply.status.code in {live.OK, StatusCode.MODEL_DEPLOYING}
    assert time.monotonic() - began < 3


ADD_MODEL = """
from pathlib import Path
from playground.catalog import services
from playground.compute.services import ensure_shared_deployment
ensure_shared_deployment(services.add_model(services.ensure_owner()[1], Path(sys.argv[1])).model)
"""
