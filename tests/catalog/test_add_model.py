"""Model folders become versions; the same folder again is the same version."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.catalog.models import App, Model
from playground.catalog.services import add_model, ensure_owner
from playground.protocol.errors import ConfigError

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> App:
    return ensure_owner()[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.py").write_text("one = 1\n")
    (tmp_path / "config.yaml").write_text("model: {id: tiny, model_type_id: text-to-text}\n")
    (tmp_path / "README.md").write_text("# Tiny\n\nSmall,\nbut honest.\n\nMore words.\n")
    return tmp_path


def test_a_folder_becomes_a_version(app: App, folder: Path) -> None:
    version = add_model(app, folder)
    model = version.model
    assert (model.slug, model.type_id, model.summary) == ("tiny", "text-to-text", "Small, but honest.")
    assert version.folder == str(folder)
    assert add_model(app, folder) == version


def test_a_changed_folder_is_a_new_version(app: App, folder: Path) -> None:
    first = add_model(app, folder)
    (folder / "1" / "model.py").write_text("one = 2\n")
    second = add_model(app, folder)
    assert first != second
    assert Model.objects.get().latest == second


def test_what_python_leaves_behind_is_no_change(app: App, folder: Path) -> None:
    version = add_model(app, folder)
    (folder / "1" / "__pycache__").mkdir()
    (folder / "1" / "__pycache__" / "model.pyc").write_bytes(b"x")
    assert add_model(app, folder) == version


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.yaml", None, "Cannot read"),
        ("config.yaml", "model: [", "no readable YAML"),
        ("config.yaml", "build_info: {}", "model: id"),
        ("1/model.py", None, "has no 1/model.py"),
    ],
)
def test_a_folder_that_is_no_model_is_refused(app: App, folder: Path, name: str, text: str | None, words: str) -> None:
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        add_model(app, folder)
    assert not Model.objects.exists()
