"""Reading a model folder without running it: its config, requirements, description, and a digest of all its files."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from playground.protocol.errors import ConfigError

_IGNORED = {"__pycache__", ".git", ".DS_Store"}


@dataclass(frozen=True)
class ModelFolder:
    """What a model folder says about itself. ``config`` is config.yaml as it stands, unknown keys included."""

    path: Path
    config: dict[str, Any]
    requirements: str
    description: str
    digest: str

    @property
    def model_id(self) -> str:
        return str(self.config["model"]["id"])

    @property
    def type_id(self) -> str:
        return str(self.config["model"].get("model_type_id") or "any-to-any")


def read_folder(path: Path) -> ModelFolder:
    """Raises ConfigError in words when ``path`` is no model folder."""
    config = _read_config(path / "config.yaml")
    if not any((path / name).is_file() for name in ("1/model.py", "model.py")):
        raise ConfigError(f"{path} has no 1/model.py: a model folder needs config.yaml and 1/model.py.")
    return ModelFolder(
        path=path,
        config=config,
        requirements=_read_text(path / "requirements.txt"),
        description=_without_title(_read_text(path / "README.md")),
        digest=folder_digest(path),
    )


def keep_folder(folder: ModelFolder, root: Path) -> ModelFolder:
    """A copy of it below ``root``, named by its digest: what is edited in the original later changes no version.

    Raises ConfigError in words when it cannot be copied, or changed meanwhile.
    """
    place = root / folder.digest
    if place.is_relative_to(folder.path.resolve()):
        raise ConfigError(f"{folder.path} holds the data folder too: a model needs a folder of its own.")
    if not place.is_dir():
        try:
            _copy(folder, place)
        except OSError as error:
            raise ConfigError(f"Cannot copy {folder.path} into {root}: {error.strerror or error}.") from None
    return replace(folder, path=place)


def _copy(folder: ModelFolder, place: Path) -> None:
    """Whole or not at all: it gets its name at the end."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".copying-") as made:
        copy = Path(made) / "folder"
        for name in file_names(folder.path):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder.path / name, target)
        if folder_digest(copy) != folder.digest:
            raise ConfigError(f"{folder.path} was changed while it was copied: try again.")
        with contextlib.suppress(FileExistsError):  # somebody else was quicker
            copy.rename(place)


def folder_digest(path: Path) -> str:
    """sha256 over the names and contents of all files, so that any edit makes another version."""
    total = hashlib.sha256()
    for name in file_names(path):
        total.update(f"{name.as_posix()}\0".encode())
        with (path / name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def file_names(path: Path) -> list[Path]:
    """The files that make the folder what it is, in order, without what tools leave behind."""
    names = (file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file())
    return [name for name in names if not _IGNORED.intersection(name.parts)]


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ConfigError(f"Cannot read {file}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no readable YAML: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict) or not config["model"].get("id"):
        raise ConfigError(f"{file} does not say what the model is called: it needs model: id.")
    return config


def _read_text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


def _without_title(markdown: str) -> str:
    first, _, rest = markdown.lstrip().partition("\n")
    return rest.strip() if first.startswith("# ") else markdown.strip()
