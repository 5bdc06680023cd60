"""A gateway with a deployment of ``worker``: changed as people change it, called and seen from outside."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKER = Path(__file__).parent / "worker"
FIRST = """
from pathlib import Path
from playground.catalog.models import User
from playground.catalog.services import add_model, ensure_owner
from playground.compute import services
from playground.compute.models import Deployment, Nodepool
owner, app = ensure_owner()
"""
MAKE = """
model = add_model(app, Path(sys.argv[1])).model
facts = json.loads(sys.argv[2])
services.create_deployment(owner, "work", model, nodepools=[Nodepool.objects.get(is_shared=True)], **facts)
"""
GET = "row = Deployment.objects.get(slug='work')\n"
EDIT = GET + "services.edit_deployment(owner, row, **json.loads(sys.argv[1]))"
ROW = "SELECT id, state, reason, ready_replicas FROM compute_deployment WHERE slug = 'work'"
HISTORY = "SELECT state, reason FROM compute_transition WHERE deployment_id = ? ORDER BY id"
REPLICAS = """
SELECT replica.slug, replica.state, version.slug FROM compute_replica AS replica
JOIN catalog_modelversion AS version ON version.id = replica.version_id WHERE deployment_id = ? ORDER BY replica.id
"""
ADD_VERSION = "print(json.dumps(add_model(app, Path(sys.argv[1])).slug))"


@dataclass
class Plane:
    """A live gateway, and ``work``: a deployment of one's own."""

    live: live.Live

    def make(self, folder: Path = WORKER, **facts: Any) -> None:
        self.live.django(FIRST + MAKE, str(folder), live.json.dumps(facts))

    def edit(self, **changes: Any) -> None:
        self.live.django(FIRST + EDIT, live.json.dumps(changes))

    def do(self, code: str) -> Any:
        return self.live.django(FIRST + GET + code)

    def add_version(self, folder: Path) -> str:
        return str(self.live.django(FIRST + ADD_VERSION, str(folder)))

    def look(self) -> Any:
        """What its rows say, read beside the product: it is asked often."""
        with contextlib.closing(sqlite3.connect(self.live.data / "playground.sqlite3", timeout=20)) as database:
            pk, state, reason, ready = database.execute(ROW).fetchone()
            history = database.execute(HISTORY, [pk]).fetchall()
            return {
                "state": state,
                "reason": reason,
                "ready": ready,
                "states": [state for state, _ in history],
                "reasons": [reason for _, reason in history],
                "replicas": database.execute(REPLICAS, [pk]).fetchall(),
            }

    def wait_for(self, what: str, seconds: float = 60, **facts: Any) -> Any:
        """Until the row shows these; gives all that it shows."""
        end = time.monotonic() + seconds
        while True:
            seen = self.look()
            if all(seen[name] == value for name, value in facts.items()):
                return seen
            assert time.monotonic() < end, f"waited {seconds} s for {what}: {seen}"
            time.sleep(0.1)

    @contextlib.contextmanager
    def calling(self) -> Iterator[Caller]:
        with grpc.insecure_channel(self.live.address) as channel:
            yield Caller(self.live, channel)


@dataclass
class Caller:
    """Calls over one connection; ``keep_calling`` notes what every call came to."""

    live: live.Live
    channel: grpc.Channel
    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def ask(self, method: str = "predict", text: str = "", *, timeout: float = 30) -> Any:
        call = self.channel.unary_unary(
            live.V2 + "PostModelOutputs",
            service_pb2.PostModelOutputsRequest.SerializeToString,
            service_pb2.MultiOutputResponse.FromString,
        )
        return call(self._request(method, text), metadata=self.live.metadata(), timeout=timeout)

    def answer(self, method: str = "predict", text: str = "") -> str:
        """As a client that polls while it is deploying."""
        end = time.monotonic() + 30
        while (reply := self.ask(method, text)).status.code == StatusCode.MODEL_DEPLOYING:
            assert time.monotonic() < end
            time.sleep(0.05)
        return live.text_of(reply)

    @contextlib.contextmanager
    def hold(self) -> Iterator[Callable[[], None]]:
        """A call that runs until it is released, which tells that it was not cut off."""
        call = self.channel.unary_stream(
            live.V2 + "GenerateModelOutputs",
            service_pb2.PostModelOutputsRequest.SerializeToString,
            service_pb2.MultiOutputResponse.FromString,
        )
        with tempfile.TemporaryDirectory() as folder:
            gate = Path(folder) / "gate"
            pieces = call(self._request("hold", str(gate)), metadata=self.live.metadata(), timeout=120)
            assert live.text_of(next(pieces)) == "held"

            def release() -> None:
                gate.touch()
                assert [live.text_of(piece) for piece in pieces] == ["released"]

            yield release

    @contextlib.contextmanager
    def keep_calling(self, *, each_second: float, method: str = "predict", text: str = "") -> Iterator[None]:
        """In the background, each call at its time whether or not the others are over."""
        stop = threading.Event()
        calls: list[threading.Thread] = []

        def call() -> None:
            reply = self.ask(method, text)
            if reply.status.code == live.OK:
                self.answers.append(live.text_of(reply))
            else:
                self.failures.append(f"{reply.status.code}: {reply.status.description}")

        def run() -> None:
            while not stop.wait(1 / each_second):
                calls.append(threading.Thread(target=call))
                calls[-1].start()

        caller = threading.Thread(target=run)
        caller.start()
        try:
            yield
        finally:
            stop.set()
            for thread in (caller, *calls):
                thread.join(30)

    @staticmethod
    def _request(method: str, text: str) -> Any:
        data = resources_pb2.Data(parts=[resources_pb2.Part(id="text", data=resources_pb2.Data(string_value=text))])
        data.metadata.update({"_method_name": method})
        return service_pb2.PostModelOutputsRequest(
            user_app_id=resources_pb2.UserAppIDSet(user_id="owner", app_id="main"),
            model_id="worker",
            inputs=[resources_pb2.Input(data=data)],
            runner_selector=live.by_deployment("work"),
        )
