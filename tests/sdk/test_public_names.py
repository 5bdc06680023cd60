from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import playground.sdk
from playground.sdk import (
    AsyncClient,
    AsyncInputs,
    AsyncModel,
    AsyncStream,
    AsyncWorkflow,
    Client,
    Inputs,
    Model,
    Stream,
    Workflow,
)

ONLY_ASYNC = {"load", "aclose"}
ONLY_SYNC = {"close"}


def public(kind: type) -> dict[str, inspect.Signature]:
    members = inspect.getmembers(kind, inspect.isfunction)
    return {name: inspect.signature(function) for name, function in members if not name.startswith("_")}


@pytest.mark.parametrize(
    ("ordinary", "asynchronous"),
    [
        (Client, AsyncClient),
        (Model, AsyncModel),
        (Stream, AsyncStream),
        (Inputs, AsyncInputs),
        (Workflow, AsyncWorkflow),
    ],
)
def test_twins_have_the_same_names_and_parameters(ordinary: type, asynchronous: type) -> None:
    one, other = public(ordinary), public(asynchronous)
    assert set(one) - ONLY_SYNC == set(other) - ONLY_ASYNC - ONLY_SYNC
    for name in set(one) & set(other):
        assert one[name].parameters == other[name].parameters, name
    assert inspect.signature(ordinary).parameters.keys() - {"plan"} == inspect.signature(
        asynchronous
    ).parameters.keys() - {"plan"}


def test_every_public_name_is_there() -> None:
    for name in playground.sdk.__all__:
        assert hasattr(playground.sdk, name)


def test_importing_it_brings_nothing_heavy() -> None:
    heavy = "numpy", "PIL", "httpx", "django", "yaml", "channels"
    code = f"import sys, playground.sdk; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_it_is_quick(tmp_path: Path) -> None:
    """Its own processor time, with bytecode written: what a second start pays on a machine that is busy too."""
    code = "import time; began = time.process_time(); import playground.sdk; print(time.process_time() - began)"
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    run = [sys.executable, "-c", code]
    took = [
        float(subprocess.run(run, capture_output=True, text=True, check=True, env=environ).stdout) for _ in range(4)
    ]
    assert min(took[1:]) < 0.35
