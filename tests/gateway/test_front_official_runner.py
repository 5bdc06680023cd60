"""The whole gateway before real official runners that it did not start, called by raw V2 and the official client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests import official, tls
from tests.gateway import live
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.live import Live

FAR_ROWS = """
from pathlib import Path
from playground.catalog import services as catalog
from playground.catalog.models import PUBLIC
from playground.compute import services
owner, app = catalog.ensure_owner()
model = catalog.add_model(app, Path(sys.argv[1])).model
type(model).objects.filter(pk=model.pk).update(visibility=PUBLIC)
cluster = services.create_cluster(owner, sys.argv[3], cloud_provider="somebody", region="far")
for name, addresses in json.loads(sys.argv[2]).items():
    nodepool = services.create_nodepool(owner, cluster, name, engine="remote", addresses=addresses)
    services.create_deployment(owner, name, model, nodepools=[nodepool], visibility=PUBLIC)
"""
STATE = """
from playground.compute.models import Deployment
row = Deployment.objects.get(slug=sys.argv[1])
print(json.dumps([row.state, row.reason, row.ready_replicas]))
"""


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[official.OfficialRunner]:
    with official.running(tmp_path_factory.mktemp("weak")) as started:
        yield started


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, runner: official.OfficialRunner) -> Iterator[Live]:
    """A gateway whose only deployments of ``weak`` are ``far``, at the official runner, and ``nowhere``."""
    running = live.make(tmp_path_factory.mktemp("front"))
    places = {"far": [runner.address], "nowhere": [f"127.0.0.1:{free_port()}"]}
    place(running, places)
    running.start()
    live.wait_for(lambda: is_there(running, "far"), "the address to be found")
    yield running
    running.stop()


def place(front: Live, places: dict[str, Any]) -> None:
    """A nodepool and a deployment on it for each name, with these addresses, in a cluster of the first one's name."""
    front.django(FAR_ROWS, str(official.WEAK), json.dumps(places), f"of-{next(iter(places))}")


def is_there(front: Live, deployment: str) -> bool:
    return bool(front.predict(ask("zero", deployment)).status.code == live.OK)


def ask(method: str, deployment: str = "far", **arguments: resources_pb2.Data) -> Any:
    data = resources_pb2.Data(parts=[resources_pb2.Part(id=name, data=value) for name, value in arguments.items()])
    data.metadata.update({"_method_name": method})
    return service_pb2.PostModelOutputsRequest(
        user_app_id=resources_pb2.UserAppIDSet(user_id="owner", app_id="main"),
        model_id="weak",
        inputs=[resources_pb2.Input(data=data)],
        runner_selector=live.by_deployment(deployment, "owner"),
    )


def said(text: str) -> resources_pb2.Data:
    return resources_pb2.Data(string_value=text)


# -- raw calls -------------------------------------------------------------------------------------------------------


def test_answers_come_through_and_name_where_they_are_from(front: Live) -> None:
    reply = front.predict(ask("predict", text=said("hello"), count=resources_pb2.Data(int_value=2)))
    assert live.text_of(reply) == "hello hello"
    assert reply.runner_selector.deployment.id == "far"
    assert reply.runner_selector.nodepool.compute_cluster.id == "of-far"
    assert reply.status.req_id
    assert [live.text_of(one) for one in front.generate(ask("generate", text=said("x")))] == ["0 x ", "1 x ", "2 x "]
    with front.streaming(ask("stream", text=said(one)) for one in "ab") as replies:
        assert [live.text_of(one) for one in replies] == ["weak a", "weak b"]


def test_the_models_methods_are_learned_from_the_runner(front: Live) -> None:
    request = service_pb2.GetModelVersionRequest(
        user_app_id=resources_pb2.UserAppIDSet(user_id="owner", app_id="main"), model_id="weak"
    )

    def names() -> list[str]:
        reply = front.call("GetModelVersion", request)
        return [signature.name for signature in reply.model_version.method_signatures]

    live.wait_for(names, "its methods to be kept")
    assert names()[:4] == ["predict", "generate", "stream", "warm"]


def test_what_was_left_out_and_what_does_not_fit_are_seen_to(front: Live) -> None:
    warm = front.predict(ask("warm", text=said("x")))
    assert warm.outputs[0].data.parts[0].data.float_value == 0.7
    many = front.predict(ask("predict", count=resources_pb2.Data(int_value=9)))
    assert many.status.code == StatusCode.MODEL_INVALID_ARGUMENT
    assert "between 1 and 3" in many.status.description
    assert many.runner_selector.deployment.id == "far"
    (refused,) = front.generate(ask("generate"))
    assert refused.status.description == '"generate" needs the argument "text"'


def test_no_file_of_the_runners_machine_is_read(front: Live) -> None:
    picture = resources_pb2.Data(image=resources_pb2.Image(url="file:///etc/passwd"))
    reply = front.predict(ask("size", picture=picture))
    assert reply.status.code == StatusCode.MODEL_INVALID_ARGUMENT
    assert "only http and https addresses are fetched" in reply.status.description


def test_tracebacks_are_for_the_owner(front: Live) -> None:
    for user in ("owner", "stranger"):
        reply = front.predict(ask("fail", text=said("it")), user=user)
        assert reply.status.description == "no luck with it"
        assert bool(reply.status.stack_trace) is (user == "owner")


def test_a_stream_of_nothing_still_says_something(front: Live) -> None:
    (only,) = front.generate(ask("silent"))
    assert only.status.code == live.OK
    assert not only.outputs


def test_a_bad_item_ends_a_stream_in_band(front: Live) -> None:
    items = [ask("stream", text=said("a")), ask("stream", text=resources_pb2.Data(int_value=1))]
    with front.streaming(items) as replies:
        *_, last = replies
    assert last.status.code == StatusCode.MODEL_INVALID_ARGUMENT


def test_who_stops_reading_stops_the_model(front: Live, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with front.generating(ask("endless", text=said(str(note)))) as replies:
        assert live.text_of(next(replies)) == "again "
        replies.cancel()
    live.wait_for(note.exists, "the model to hear of it")


def test_an_address_where_nobody_is_says_so(front: Live) -> None:
    reply = front.predict(ask("zero", "nowhere"))
    assert reply.status.code in {StatusCode.MODEL_DEPLOYING, StatusCode.MODEL_DEPLOYMENT_FAILED}
    assert "nobody listens there" in reply.status.description


def test_a_runner_that_goes_away_is_followed_back(front: Live, tmp_path_factory: pytest.TempPathFactory) -> None:
    own = official.make(tmp_path_factory.mktemp("brief"))
    try:
        own.start()
        place(front, {"brief": [own.address]})
        live.wait_for(lambda: is_there(front, "brief"), "the address to be found")
        lost = front.predict(ask("leave", "brief"))
        assert lost.status.code == StatusCode.RUNNER_PROCESSING_FAILED
        live.wait_for(lambda: "nobody listens there" in front.django(STATE, "brief")[1], "its end to be noticed")
        own.stop()
        own.start()
        live.wait_for(
            lambda: front.predict(ask("zero", "brief")).status.code == live.OK, "its return to be noticed", 40
        )
        assert front.django(STATE, "brief") == ["ready", "", 1]
    finally:
        own.stop()


async def test_a_runner_behind_tls_is_reached(
    front: Live, runner: official.OfficialRunner, tmp_path_factory: pytest.TempPathFactory
) -> None:
    certificate = tls.make_certificate(tmp_path_factory.mktemp("tls"))
    async with tls.door(certificate, runner.address) as address:
        places = {"secure": [{"address": address, "tls": True, "root_certificate": certificate.pem}]}
        await asyncio.to_thread(place, front, places)
        await asyncio.to_thread(live.wait_for, lambda: is_there(front, "secure"), "the address to be found")


# -- the official client ---------------------------------------------------------------------------------------------


def test_the_official_client_speaks_to_the_official_runner_through_us(front: Live, tmp_path: Path) -> None:
    code = """
from clarifai.client import Model
model = Model("http://anywhere/owner/main/models/weak", deployment_id="far", deployment_user_id="owner")
print(model.predict(text="a", count=2))
print("".join(model.generate(text="b", count=2)))
print(list(model.stream(text=iter(["c", "d"]))))
print(model.warm(), model.warm(text="x"), model.zero(), model.words(text="y"))
try:
    model.predict(text="a", count=9)
except Exception as error:
    print("between 1 and 3" in str(error))
"""
    environment = {
        **front.environment,
        "CLARIFAI_API_BASE": f"http://{front.address}",
        "CLARIFAI_PAT": front.tokens["owner"],
        "CLARIFAI_USER_ID": "owner",
        "HOME": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["a a", "0 b 1 b ", "['weak c', 'weak d']", "0.7 0.7 0 ['end']", "True"]
