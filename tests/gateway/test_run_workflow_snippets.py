"""The code that a workflow's tab API shows runs as it is written, in each language."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground.sdk import Client
from playground.sdk.snippets.workflows import WorkflowAsk, write_workflow_snippets
from tests.gateway.asking import new_id
from tests.gateway.live import Live
from tests.media.conftest import picture

ODD = 'Say "hi" to {x} & O\'Brien\n'


@pytest.mark.parametrize("medium", ["text", "image"])
def test_each_runs_as_it_stands(official_gateway: Live, tmp_path: Path, medium: str) -> None:
    address = f"http://{official_gateway.address}"
    token = official_gateway.tokens["owner"]
    slug, method = new_id("code"), {"text": "predict", "image": "picture"}[medium]
    model = {"text": "echo", "image": "wire"}[medium]
    text = f"workflow: {{id: {slug}, nodes: [{{id: say, model: {{model_id: {model}}}, method: {method}}}]}}"
    with Client(address, token) as client:
        client.workflows.create(slug, text)
    (tmp_path / "a cup.png").write_bytes(picture())
    ask = WorkflowAsk("owner", "main", slug, address, medium, text=ODD, file="a cup.png")
    environment = os.environ | {"PLAYGROUND_PAT": token, "CLARIFAI_PAT": token, "HOME": str(tmp_path)}
    for snippet in write_workflow_snippets(ask):
        (tmp_path / "main.py").write_text(snippet.code)
        done = subprocess.run(
            [sys.executable, "main.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{snippet.title}\n{done.stdout}\n{done.stderr}"
        assert "say" in done.stdout, snippet.title
