"""Finds the one model class in a folder, and makes a loaded model of it."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from playground.protocol.errors import ConfigError
from playground.runner.aliases import install_aliases
from playground.runner.model import ModelClass

logger = logging.getLogger(__name__)

MODULE_NAME = "model"  # what the official runner calls it too
_KNOWN_KEYS = frozenset(
    {
        "model",
        "build_info",
        "inference_compute_info",
        "compute",
        "checkpoints",
        "concepts",
        "num_threads",
        "secrets",
        "description",
    }
)


@dataclass(frozen=True)
class Source:
    """A model class, where it was found, and what its folder's config.yaml says."""

    model_class: type[ModelClass]
    where: str
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def max_threads(self) -> int | None:
        """How many calls the author allows at once; None where nothing is said."""
        threads = self.config.get("num_threads")
        if threads is None:
            return None
        if not isinstance(threads, int) or threads < 1:
            raise ConfigError(f"{self.where}: num_threads must be a whole number of at least 1, not {threads!r}")
        return threads


def load_folder(folder: Path) -> Source:
    """Read a folder's config and import its model class. Raises ConfigError, or whatever its code raises on import."""
    folder = folder.resolve()
    file = next((path for path in (folder / "model.py", folder / "1" / "model.py") if path.is_file()), None)
    if file is None:
        raise ConfigError(f"{folder} has no 1/model.py: a model folder needs config.yaml and 1/model.py")
    config = _read_config(folder / "config.yaml")
    install_aliases()
    module = _import(file)
    return Source(_find_class(module, file), str(file.relative_to(folder.parent)), config)


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not YAML: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict) or not config["model"].get("id"):
        raise ConfigError(f"{file} must give model.id")
    for key in config.keys() - _KNOWN_KEYS:
        logger.warning("%s: the key %r is not known and is ignored", file.name, key)
    return config


def _import(file: Path) -> ModuleType:
    """Run model.py, with the modules beside it and beside config.yaml importable, leaving no bytecode in the folder."""
    for place in (file.parent.parent, file.parent) if file.parent.name == "1" else (file.parent,):
        sys.path.insert(0, str(place))
    spec = importlib.util.spec_from_file_location(MODULE_NAME, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE_NAME] = module
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return module


def _find_class(module: ModuleType, file: Path) -> type[ModelClass]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ModelClass) and value is not ModelClass
    ]
    own = [cls for cls in found if cls.__module__ == module.__name__] or found
    leaves = [cls for cls in dict.fromkeys(own) if not any(cls in other.__mro__[1:] for other in own)]
    if len(leaves) == 1:
        return leaves[0]
    if not leaves:
        raise ConfigError(f"{file} has no class that derives from ModelClass")
    raise ConfigError(f"{file} must have one model class, not {', '.join(cls.__name__ for cls in leaves)}")
