"""Kills a replica and changes the version under 50 calls a second, and counts every call that is lost.

    python -m tests.benchmarks.faults
    python -m tests.benchmarks.faults --kills 3 --seconds 10

Calls are plain V2 calls without any second try of the client's, so each status counts as it comes.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import os
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.live import product

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.live import Stack

CALLS_PER_SECOND = 50
REPLICAS = 2
MOST_SECONDS = 90
LOST = StatusCode.RUNNER_PROCESSING_FAILED
CONFIG = "model: {id: steady, user_id: owner, app_id: main, model_type_id: any-to-any}\n"
CODE = '''
import os
import time

from clarifai.runners.models.model_class import ModelClass

VERSION = "{version}"


class Steady(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        """Which process of which version answered, after 50 ms."""
        time.sleep(0.05)
        return f"{{os.getpid()}} {{VERSION}}"
'''
SCALE = """
from playground.compute.models import Deployment
from playground.compute.services import scale
row = Deployment.objects.get(slug="shared-steady")
scale(row.owner, row, {count}, {count})
"""
ADD = """
from pathlib import Path
from playground.catalog.services import add_model, ensure_owner
add_model(ensure_owner()[1], Path({folder!r}))
"""


@dataclass
class Outcome:
    """One call: when it began and ended, the status it ended with, and who answered."""

    began: float
    ended: float
    code: int
    answer: str


@dataclass
class Load:
    """50 calls a second, each on time whatever the others do."""

    stack: Stack
    outcomes: list[Outcome] = field(default_factory=list)

    async def run(
        self, seconds: float, disturb: Callable[[], Coroutine[Any, Any, None]], is_over: Callable[[], bool]
    ) -> None:
        """Calls for a while, a third into which the disturbance begins, and on until it is over."""
        async with grpc.aio.insecure_channel(self.stack.api) as channel:
            ask = channel.unary_unary("/clarifai.api.V2/PostModelOutputs")
            start = time.monotonic()
            calls: list[asyncio.Task[None]] = []
            disturbing: asyncio.Task[None] | None = None
            for number in range(int(MOST_SECONDS * CALLS_PER_SECOND)):
                if number >= seconds * CALLS_PER_SECOND and is_over():
                    break
                await asyncio.sleep(max(0.0, start + number / CALLS_PER_SECOND - time.monotonic()))
                calls.append(asyncio.create_task(self._call(ask)))
                if disturbing is None and number >= seconds * CALLS_PER_SECOND / 3:
                    disturbing = asyncio.create_task(disturb())
            if disturbing is not None:
                await disturbing
            await asyncio.gather(*calls)

    async def _call(self, ask: Any) -> None:
        began = time.monotonic()
        try:
            content = await ask(REQUEST, metadata=[("authorization", f"Key {self.stack.token}")], timeout=30)
            reply = service_pb2.MultiOutputResponse.FromString(content)
            answer = reply.outputs[0].data.parts[0].data.string_value if reply.outputs else reply.status.description
            self.outcomes.append(Outcome(began, time.monotonic(), reply.status.code, answer))
        except grpc.aio.AioRpcError as error:
            self.outcomes.append(Outcome(began, time.monotonic(), 0, f"{error.code().name}: {error.details()}"))


def make_request() -> bytes:
    data = resources_pb2.Data(parts=[resources_pb2.Part(id="text", data=resources_pb2.Data(string_value="x"))])
    data.metadata.update({"_method_name": "predict"})
    request = service_pb2.PostModelOutputsRequest(
        user_app_id=resources_pb2.UserAppIDSet(user_id="owner", app_id="main"),
        model_id="steady",
        inputs=[resources_pb2.Input(data=data)],
    )
    return bytes(request.SerializeToString())


REQUEST = make_request()


def write_model(folder: Path, version: str) -> None:
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "1" / "model.py").write_text(CODE.format(version=version))
    (folder / "config.yaml").write_text(CONFIG)


def wait_replicas(stack: Stack, count: int, patience: float = 60) -> None:
    end = time.monotonic() + patience
    with sqlite3.connect(Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "playground.sqlite3") as database:
        database.isolation_level = None
        query = "SELECT ready_replicas FROM compute_deployment WHERE slug = 'shared-steady'"
        while database.execute(query).fetchone() != (count,):
            if time.monotonic() > end:
                raise TimeoutError(f"there are not {count} replicas after {patience} s")
            time.sleep(0.1)


def kill(load: Load) -> float:
    """Kill one of the replicas that have answered, without a word; when it was dead."""
    pids = sorted({int(outcome.answer.split()[0]) for outcome in load.outcomes if outcome.code == StatusCode.SUCCESS})
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    os.kill(alive[0], signal.SIGKILL)
    stat = Path(f"/proc/{alive[0]}/stat")
    with contextlib.suppress(OSError):  # it is gone
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.0005)
    return time.monotonic()


def try_kill(stack: Stack, seconds: float) -> bool:
    """A replica dies: only calls that were in flight on it may be lost."""
    load, died_at = Load(stack), [0.0]

    async def disturb() -> None:
        died_at[0] = await asyncio.to_thread(kill, load)

    asyncio.run(load.run(seconds, disturb, lambda: died_at[0] > 0))
    lost = [one for one in load.outcomes if one.code != StatusCode.SUCCESS]
    beyond = [one for one in lost if one.code != LOST or one.began > died_at[0]]
    in_flight = sum(1 for one in load.outcomes if one.began <= died_at[0] < one.ended or one in lost)
    say(f"replica killed: {len(load.outcomes)} calls, {in_flight} in flight, {len(lost)} lost with it", beyond, load)
    return not beyond


def try_change(stack: Stack, folder: Path, version: str, seconds: float) -> bool:
    """Another version takes over: no call may fail, and at the end the new one answers."""
    load = Load(stack)

    async def disturb() -> None:
        write_model(folder, version)
        await asyncio.to_thread(stack.manage, "shell", "--no-imports", "-c", ADD.format(folder=str(folder)))

    def has_changed() -> bool:
        return any(one.answer.endswith(f" {version}") for one in load.outcomes)

    asyncio.run(load.run(seconds, disturb, has_changed))
    lost = [one for one in load.outcomes if one.code != StatusCode.SUCCESS]
    versions = collections.Counter(one.answer.split()[-1] for one in load.outcomes if one.code == StatusCode.SUCCESS)
    say(f"version changed: {len(load.outcomes)} calls, {dict(versions)}", lost, load)
    return not lost and has_changed()


def say(what: str, lost: list[Outcome], load: Load) -> None:
    slowest = max(one.ended - one.began for one in load.outcomes)
    kinds = collections.Counter((one.code, one.answer[:100]) for one in lost)
    verdict = "met" if not lost else f"NOT MET: {len(lost)} {dict(kinds)}"
    sys.stdout.write(f"{what}; slowest {slowest * 1000:.0f} ms; none beyond those: {verdict}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0, help="of load around each fault")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, product() as stack:
        folder = Path(made) / "steady"
        write_model(folder, "v1")
        stack.add_model(folder, "steady")
        stack.manage("shell", "--no-imports", "-c", SCALE.format(count=REPLICAS))
        met = []
        for _ in range(options.kills):
            wait_replicas(stack, REPLICAS)
            met.append(try_kill(stack, options.seconds))
        wait_replicas(stack, REPLICAS)
        for number in range(2, 4):
            folder = Path(made) / f"steady-{number}"
            met.append(try_change(stack, folder, f"v{number}", options.seconds))
            wait_replicas(stack, REPLICAS)
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
