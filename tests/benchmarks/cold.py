"""Measures a cold start: ``hello`` at zero replicas, from the call to its first output, by each client.

    python -m tests.benchmarks.cold
    python -m tests.benchmarks.cold --times 5

A client is a process that has imported its package and made its model; what is timed is the call alone. Beside it
stands the bare limit: a fresh interpreter that imports what a runner imports.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.live import ROOT, product

if TYPE_CHECKING:
    from tests.live import Stack

GOAL = 2.0
HELLO = ROOT / "playground" / "runner" / "examples" / "hello"
IMPORTS = "import playground.runner.server"
SDK = """
from playground.sdk import Client
model = Client({address!r}, {token!r}).model("owner/main/models/hello", deployment_id="cold")
call = lambda: next(iter(model.generate(text="one")))
"""
OFFICIAL = """
from clarifai.client import Model
model = Model(url="https://anywhere.example/owner/main/models/hello", deployment_id="cold", deployment_user_id="owner")
call = lambda: next(iter(model.generate(text="one")))
model.client
"""
# The clock of perf_counter is the same for all processes of a machine.
LOOP = """
import sys, time
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    call()
    print("took", time.perf_counter() - began, flush=True)
"""


def client(stack: Stack, code: str) -> subprocess.Popen[str]:
    """Ready to call: says what it took for each line it reads."""
    environment = stack.environment | {"CLARIFAI_API_BASE": f"http://{stack.api}", "CLARIFAI_PAT": stack.token}
    process = subprocess.Popen(
        [sys.executable, "-c", code.format(address=f"http://{stack.api}", token=stack.token) + LOOP],
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL},
        text=True,
        env=environment,
        cwd=ROOT,
    )
    answer_of(process, "ready")
    return process


def answer_of(process: subprocess.Popen[str], word: str) -> str:
    """What follows ``word`` on its line; the package may say other things before."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise RuntimeError("the client has ended: try it by hand to see why")


def call(process: subprocess.Popen[str]) -> float:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return float(answer_of(process, "took"))


def wait_cold(stack: Stack, patience: float = 60) -> None:
    """Until the deployment is at zero, and no process of it is left."""
    end = time.monotonic() + patience
    with sqlite3.connect(Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "playground.sqlite3") as database:
        database.isolation_level = None
        while time.monotonic() < end:
            if database.execute("SELECT state FROM compute_deployment WHERE slug = 'cold'").fetchone() == (
                "scaled to zero",
            ):
                return
            time.sleep(0.1)
    raise TimeoutError(f"the deployment did not scale to zero within {patience} s")


def bare_seconds(times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS], check=True, cwd=ROOT)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def report(name: str, taken: list[float], bare: float) -> None:
    middle = statistics.median(taken)
    verdict = "met" if max(taken) <= GOAL else f"{sum(one > GOAL for one in taken)} of {len(taken)} over"
    sys.stdout.write(
        f"{name:<24} {middle:.2f} s, {min(taken):.2f} to {max(taken):.2f} s; {middle / bare:.1f} of bare"
        f"  ≤ {GOAL:g} s  {verdict}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cold", description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=7, help="cold starts for each client (7)")
    times = parser.parse_args().times
    bare = bare_seconds(3)
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}; bare: a runner's imports {bare:.2f} s\n")
    with product() as stack:
        stack.add_model(HELLO, "hello")
        place = ["--model", "hello", "--nodepool", "local/shared", "--min", "0", "--max", "1"]
        stack.manage("deployments", "create", "cold", *place, "--scale-to-zero-delay", "1")
        for name, code in (("our SDK", SDK), ("the official SDK", OFFICIAL)):
            process = client(stack, code)
            try:
                wait_cold(stack)
                call(process)  # the first knows no methods yet
                taken = []
                for _ in range(times):
                    wait_cold(stack)
                    taken.append(call(process))
                report(name, taken, bare)
            finally:
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
