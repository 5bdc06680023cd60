"""Measures what a large catalog costs: a call beside 1,000 deployments against one beside ten, and listing pages.

    python -m tests.benchmarks.routing
    python -m tests.benchmarks.routing --quick

Two installations run side by side and take turns, so that a noisy moment of the machine meets both.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import httpx
from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.sdk import AsyncClient
from tests.live import product

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live import Stack

MODEL = Path(__file__).resolve().parent / "model"
FEW, MANY = 10, 1000
PAGES = ["/models/", "/compute/", "/runs/"]
FILL = """
from playground.catalog.models import Model, ModelVersion, note_change
from playground.catalog.services import ensure_owner
from playground.compute.models import Cluster, Deployment, Nodepool, Placement
owner, app = ensure_owner()
cluster = Cluster.objects.create(owner=owner, slug="lab")
pools = [Nodepool.objects.create(cluster=cluster, slug=f"pool-{{n}}") for n in range(10)]
models = [Model.objects.create(app=app, slug=f"model-{{n}}") for n in range({count} // 10)]
for model in models:
    ModelVersion.objects.create(model=model, folder="nowhere")
for number in range({count}):
    deployment = Deployment.objects.create(
        owner=owner, slug=f"deployment-{{number}}", model=models[number % len(models)], nodepool=pools[number % 10],
        is_enabled=False,
    )
    Placement.objects.create(deployment=deployment, nodepool=pools[number % 10])
note_change("deployment", 0)
"""


async def call_us(model: Any, times: int) -> float:
    """The median of a short call, in microseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        await model.call("predict", {"text": "x"})
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


def wait_quiet(stack: Stack, patience: float = 120) -> None:
    """Until the controller has said its piece about all the new rows: nothing changes for 3 s."""
    end, seen, since = time.monotonic() + patience, None, time.monotonic()
    with sqlite3.connect(Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "playground.sqlite3") as database:
        database.isolation_level = None
        while time.monotonic() < min(end, since + 3):
            latest = database.execute("SELECT MAX(id) FROM catalog_change").fetchone()
            if latest != seen:
                seen, since = latest, time.monotonic()
            time.sleep(0.2)


async def compare_calls(few: Stack, many: Stack, *, times: int) -> None:
    """A call beside few deployments and one beside many, turn by turn."""
    clients = [AsyncClient(f"http://{stack.api}", stack.token) for stack in (few, many)]
    models = [client.model("owner/main/models/bench") for client in clients]
    taken: list[list[float]] = [[], []]
    for model in models:
        await call_us(model, 100)
    for _ in range(times):
        for place, model in enumerate(models):
            taken[place].append(await call_us(model, 1))
    for client in clients:
        await client.close()
    beside = [statistics.median(figures) for figures in taken]
    say(f"a call beside {FEW} deployments, p50", beside[0], "µs")
    say(f"a call beside {MANY} deployments, p50", beside[1], "µs")
    say("difference", beside[1] - beside[0], "µs", 50)


async def first_call_ms(stack: Stack) -> float:
    """The slowest call of a second in which something in the catalog changes: its rows are read again for it."""
    async with AsyncClient(f"http://{stack.api}", stack.token) as client:
        model = client.model("owner/main/models/bench")
        await call_us(model, 20)
        change = asyncio.create_task(asyncio.to_thread(stack.manage, "shell", "--no-imports", "-c", CHANGE))
        slowest = 0.0
        while not change.done():
            slowest = max(slowest, await call_us(model, 1) / 1000)
        await change
        return slowest


CHANGE = """
import time
from playground.catalog.models import note_change
note_change("deployment", 0)
time.sleep(1)
"""


def median_ms(act: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times + 2):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken[2:])


def listings(stack: Stack, times: int) -> None:
    """Pages over HTTP, and pages of the wire."""
    with httpx.Client(headers={"Cookie": stack.sign_in()}, trust_env=False, timeout=30) as browser:
        for path in PAGES:
            address = stack.web + path
            if browser.get(address).status_code == 200:
                say(f"page {path}", median_ms(lambda address=address: browser.get(address), times), "ms", 50)  # type: ignore[misc]
    owner = resources_pb2.UserAppIDSet(user_id="owner", app_id="main")
    requests = {
        "ListDeployments": service_pb2.ListDeploymentsRequest(user_app_id=owner, page=1, per_page=100),
        "ListModels": service_pb2.ListModelsRequest(user_app_id=owner, page=1, per_page=100),
    }
    with grpc.insecure_channel(stack.api) as channel:
        for name, request in requests.items():
            ask = channel.unary_unary(f"/clarifai.api.V2/{name}")
            metadata = [("authorization", f"Key {stack.token}")]
            content = request.SerializeToString()
            say(f"{name}, 100 rows", median_ms(lambda: ask(content, metadata=metadata), times), "ms", 50)  # noqa: B023


def say(what: str, figure: float, unit: str, goal: float | None = None) -> None:
    verdict = "" if goal is None else f"  ≤ {goal:g}  {'met' if figure <= goal else 'NOT MET'}"
    sys.stdout.write(f"{what:<50} {figure:>9.1f} {unit}{verdict}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.routing", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick
    with product() as few, product() as many:
        for stack, count in ((few, FEW), (many, MANY)):
            stack.add_model(MODEL, "bench")
            stack.manage("shell", "--no-imports", "-c", FILL.format(count=count))
        for stack in (few, many):
            wait_quiet(stack)
        asyncio.run(compare_calls(few, many, times=1000 if quick else 5000))
        for stack, count in ((few, FEW), (many, MANY)):
            say(f"slowest call around a change beside {count}", asyncio.run(first_call_ms(stack)), "ms")
        listings(many, 10 if quick else 30)


if __name__ == "__main__":
    main()
