"""The first start makes what design promises; the second changes nothing, but for what the examples changed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from playground.catalog.models import App, Change, Model, User
from playground.compute import setup
from playground.compute.models import Deployment, Nodepool

pytestmark = pytest.mark.django_db


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("zebra", "hello", "smollm2"):
        (tmp_path / name / "1").mkdir(parents=True)
        (tmp_path / name / "1" / "model.py").write_text("one = 1\n")
        (tmp_path / name / "config.yaml").write_text(f"model: {{id: {name}}}\n")
    monkeypatch.setattr(setup, "EXAMPLES", tmp_path)
    return tmp_path


def test_the_first_start_makes_owner_app_pool_and_models(examples: Path) -> None:
    setup.ensure(demo=True)
    owner = User.objects.get()
    assert owner.username == "owner"
    assert owner.is_superuser
    assert not owner.has_usable_password()
    assert str(App.objects.get()) == "owner/main"
    assert str(Nodepool.objects.get()) == "local/shared"
    names = list(Deployment.objects.order_by("pk").values_list("slug", flat=True))
    assert names == ["shared-hello", "shared-smollm2", "shared-zebra"]
    assert all(row.is_shared for row in Deployment.objects.all())


def test_a_second_start_changes_nothing(examples: Path) -> None:
    setup.ensure(demo=True)
    before = Change.objects.count()
    began = time.monotonic()
    setup.ensure(demo=True)
    assert time.monotonic() - began < 0.5
    assert Change.objects.count() == before


def test_a_changed_example_is_a_new_version(examples: Path) -> None:
    setup.ensure(demo=True)
    (examples / "hello" / "1" / "model.py").write_text("one = 2\n")
    setup.ensure(demo=True)
    model = Model.objects.get(slug="hello")
    assert model.versions.count() == 2
    assert Deployment.objects.get(model=model).served_version == model.latest


def test_without_demo_there_is_hello_alone(examples: Path) -> None:
    setup.ensure(demo=False)
    assert [model.slug for model in Model.objects.all()] == ["hello"]


def test_two_apps_with_one_model_id_have_two_deployments(examples: Path) -> None:
    setup.ensure(demo=False)
    lab = App.objects.create(owner=User.objects.get(), slug="lab")
    setup.ensure_built_in_model(lab, examples / "hello")
    assert set(Deployment.objects.values_list("slug", flat=True)) == {"shared-hello", "shared-lab-hello"}
