"""Reading a model folder without running it: its config, requirements, description, and a digest of all its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from playground.protocol.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

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


def folder_digest(path: Path) -> str:
    """sha256 over the names and contents of all files, so that any edit makes another version."""
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not _IGNORED.intersection(name.parts):
            total.update(f"{name.as_posix()}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


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
