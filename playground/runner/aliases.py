"""Lets folders written for the official package run unchanged: three of its modules are ours, here.

``clarifai.runners.models.model_class`` and ``clarifai.runners.utils.{data_types,data_utils}`` always come from us. Any
other part comes from the installed package, if there is one; what our three do not have is looked up in the installed
module of the same name. The packages above them run none of their own code on import (it would load the whole official
runner and ask the network for versions) until somebody asks them for a name.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from playground.protocol import signatures, values
from playground.runner import model

_PACKAGES = ("clarifai", "clarifai.runners", "clarifai.runners.models", "clarifai.runners.utils")
_MODULES: dict[str, dict[str, Any]] = {
    "clarifai.runners.models.model_class": {"ModelClass": model.ModelClass},
    "clarifai.runners.utils.data_types": {name: getattr(values, name) for name in values.__all__},
    "clarifai.runners.utils.data_utils": {"Param": signatures.Param},
}


def install_aliases() -> None:
    """Put our modules in the official ones' places, for the whole process."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    for name in [name for name in sys.modules if name in _MODULES or name in _PACKAGES]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in _PACKAGES:
            installed = _installed(name, path)
            spec = ModuleSpec(name, _Package(installed), is_package=True)
            spec.submodule_search_locations = list(installed.submodule_search_locations or ()) if installed else []
            return spec
        return ModuleSpec(name, _Alias(path)) if name in _MODULES else None


def _installed(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    return PathFinder.find_spec(name, path)


class _Package(Loader):
    """A package whose own ``__init__`` runs only when it is asked for a name that is no module of it."""

    def __init__(self, installed: ModuleSpec | None) -> None:
        self._installed = installed

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "clarifai.runners":
            module.ModelClass = model.ModelClass  # type: ignore[attr-defined]
        if self._installed is not None and self._installed.loader is not None:
            module.__getattr__ = self._missing(module, self._installed)  # type: ignore[method-assign]

    @staticmethod
    def _missing(module: ModuleType, installed: ModuleSpec) -> Callable[[str], Any]:
        def get(name: str) -> Any:
            full_name = f"{module.__name__}.{name}"
            is_module = full_name in _MODULES or _installed(full_name, module.__path__) is not None
            if not is_module and (not name.startswith("__") or name == "__version__"):
                del module.__getattr__
                installed.loader.exec_module(module)  # type: ignore[union-attr]
                if name in vars(module):
                    return vars(module)[name]
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        return get


class _Alias(Loader):
    """One of our three modules; what it lacks comes from the installed module of that name."""

    def __init__(self, path: Sequence[str] | None) -> None:
        self._path = path

    def exec_module(self, module: ModuleType) -> None:
        names = _MODULES[module.__name__]
        vars(module).update(names)
        module.__all__ = list(names)  # type: ignore[attr-defined]
        module.__getattr__ = self._missing(module.__name__)  # type: ignore[method-assign]

    def _missing(self, alias: str) -> Callable[[str], Any]:
        def get(name: str) -> Any:
            if not name.startswith("__"):
                official = self._official(alias)
                if official is not None and hasattr(official, name):
                    return getattr(official, name)
            raise AttributeError(f"module {alias!r} has no attribute {name!r}")

        return get

    def _official(self, alias: str) -> ModuleType | None:
        hidden = f"{alias}_of_the_official_package"
        if hidden in sys.modules:
            return sys.modules[hidden]
        found = _installed(alias, self._path)
        if found is None or found.origin is None:
            return None
        spec = importlib.util.spec_from_file_location(hidden, found.origin)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[hidden] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[hidden]
            raise
        return module
