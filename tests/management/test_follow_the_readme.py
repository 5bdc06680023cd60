"""The README's file for ``compute apply`` does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground.catalog.models import Model
from playground.compute import services
from playground.compute.models import Deployment
from tests.management.conftest import Run

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_its_example_is_applied(run: Run, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"```yaml\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    Model.objects.filter(pk=model.pk).update(slug="hello")
    monkeypatch.setenv("API_KEY", "hush")
    (tmp_path / "home.yaml").write_text(found[1])
    assert run("compute", "apply", str(tmp_path / "home.yaml")).count("created") == 3
    assert services.environment_of(Deployment.objects.get()) == {"GREETING": "Hi", "API_KEY": "hush"}
