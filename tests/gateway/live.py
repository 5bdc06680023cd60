"""A real gateway process with real runners, in a data folder of its own; and raw V2 calls to it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from google.protobuf import message_factory
from grpc_health.v1 import health_pb2

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
ECHO, WIRE, CHAT = (Path(__file__).parent / name for name in ("echo", "wire", "chat"))
OK = 10000
V2 = "/clarifai.api.V2/"
PREPARE = """
import os, django, json, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "playground.settings"
django.setup()
"""
FIRST_ROWS = """
from pathlib import Path
from django.core.management import call_command
from playground.catalog import services, tokens
from playground.catalog.models import AccessToken, User
from playground.compute.services import ensure_shared_deployment
from playground.compute.setup import ensure_shared_nodepool
call_command("migrate", verbosity=0, interactive=False)
owner, app = services.ensure_owner()
ensure_shared_nodepool(owner)
for folder in sys.argv[1:]:
    ensure_shared_deployment(services.add_model(app, Path(folder)).model)
stranger = User.objects.create_user("stranger")
print(json.dumps({user.username: tokens.create_token(user, "test") for user in (owner, stranger)}))
"""


@dataclass
class Live:
    """A data folder, and the gateway process on it while it runs."""

    data: Path
    port: int
    tokens: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLAYGROUND_", "CLARIFAI_"))}
        return {**kept, "PLAYGROUND_DATA_DIR": str(self.data), "PLAYGROUND_GATEWAY_PORT": str(self.port)}

    def django(self, code: str, *arguments: str) -> Any:
        """What ``code`` prints, as JSON, run in a process of its own on the same data."""
        command = [sys.executable, "-c", PREPARE + code, *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def start(self) -> None:
        command = [sys.executable, "manage.py", "gateway"]
        with (self.data / "gateway.out").open("a") as output:
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=output, stderr=output, text=True
            )
        wait_for(lambda: is_serving(self.address), "the gateway to serve")

    def stop(self) -> float:
        """SIGTERM, and how long it took to end."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(10)
        return time.monotonic() - began

    def call(self, name: str, request: Any, *, user: str = "owner", token: str | None = None) -> Any:
        """A unary V2 call as ``user``, or with any other token; the reply, whatever its status."""
        method = service_pb2.DESCRIPTOR.services_by_name["V2"].methods_by_name[name]
        reply = message_factory.GetMessageClass(method.output_type)
        with grpc.insecure_channel(self.address, options=[("grpc.max_send_message_length", -1)]) as channel:
            ask = channel.unary_unary(V2 + name, type(request).SerializeToString, reply.FromString)
            return ask(request, metadata=self.metadata(user, token), timeout=30)

    def metadata(self, user: str = "owner", token: str | None = None) -> list[tuple[str, str]]:
        token = self.tokens[user] if token is None else token
        return [("authorization", f"Key {token}")] if token else []

    def predict(self, request: Any, *, user: str = "owner", token: str | None = None) -> Any:
        return self.call("PostModelOutputs", request, user=user, token=token)

    def generate(self, request: Any, *, user: str = "owner", token: str | None = None) -> list[Any]:
        with self.generating(request, user=user, token=token) as replies:
            return list(replies)

    @contextlib.contextmanager
    def generating(
        self, request: Any, *, user: str = "owner", token: str | None = None, deadline: float = 30
    ) -> Iterator[Any]:
        with grpc.insecure_channel(self.address) as channel:
            ask = channel.unary_stream(
                V2 + "GenerateModelOutputs",
                service_pb2.PostModelOutputsRequest.SerializeToString,
                service_pb2.MultiOutputResponse.FromString,
            )
            yield ask(request, metadata=self.metadata(user, token), timeout=deadline)

    @contextlib.contextmanager
    def streaming(
        self, requests: Iterable[Any], *, user: str = "owner", token: str | None = None, deadline: float = 30
    ) -> Iterator[Any]:
        with grpc.insecure_channel(self.address) as channel:
            ask = channel.stream_stream(
                V2 + "StreamModelOutputs",
                service_pb2.PostModelOutputsRequest.SerializeToString,
                service_pb2.MultiOutputResponse.FromString,
            )
            yield ask(iter(requests), metadata=self.metadata(user, token), timeout=deadline)

    def runners(self) -> list[int]:
        """Process ids of the gateway's runners."""
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for children in listed for pid in children.read_text().split()]


def make(data: Path, *folders: Path) -> Live:
    """A data folder with owner, stranger and the models in ``folders``; not started yet."""
    live = Live(data, free_port())
    live.tokens = live.django(FIRST_ROWS, *map(str, folders))
    return live


def is_serving(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )
        try:
            reply = check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def wait_for(is_so: Any, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def ask(text: str = "you", method: str = "predict", *, model: str = "echo", user: str = "owner", **fields: Any) -> Any:
    """A request to ``user``/main/models/``model`` with one argument ``text``."""
    data = resources_pb2.Data(parts=[resources_pb2.Part(id="text", data=resources_pb2.Data(string_value=text))])
    data.metadata.update({"_method_name": method})
    return service_pb2.PostModelOutputsRequest(
        user_app_id=resources_pb2.UserAppIDSet(user_id=user, app_id="main"),
        model_id=model,
        inputs=[resources_pb2.Input(data=data)],
        **fields,
    )


def by_deployment(deployment_id: str, user_id: str = "") -> resources_pb2.RunnerSelector:
    return resources_pb2.RunnerSelector(deployment=resources_pb2.Deployment(id=deployment_id, user_id=user_id))


def text_of(reply: Any) -> str:
    assert reply.status.code == OK, reply.status
    return str(reply.outputs[0].data.parts[0].data.string_value)
