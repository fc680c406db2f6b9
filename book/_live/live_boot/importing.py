"""Mend a module right after its import, whoever imports it first."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_mends: dict[str, Callable[[Any], None]] = {}


def after_import(name: str, mend: Callable[[Any], None]) -> None:
    """Call `mend(module)` once the module of that name has been imported."""
    _mends[name] = mend


class _Finder:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        mend = _mends.pop(name, None)
        spec = importlib.util.find_spec(name) if mend else None
        if mend is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            mend(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Finder())
