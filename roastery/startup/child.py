"""What a Python that `roastery python` has started begins with: ``import caffe`` is Roastery.

Loaded by its path from ``children/sitecustomize.py``, before the script's folder is on Python's
path. Nothing of ours is imported until somebody imports ``caffe``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ALIAS = "caffe"


class _LaterAlias(MetaPathFinder):
    """At the first ``import caffe`` makes it another name of ``roastery.caffe``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ALIAS:
            return None
        sys.meta_path.remove(self)
        importlib.import_module("roastery.startup.caffe_alias").install()
        return importlib.util.find_spec(_ALIAS)


def begin() -> None:
    """Let imports of this process find Roastery."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "own_names.py")
    spec = importlib.util.spec_from_file_location("_roastery_own_names", path)
    assert spec is not None and spec.loader is not None
    own_names = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = own_names
    spec.loader.exec_module(own_names)
    own_names.tell_apart()
    sys.meta_path.insert(0, _LaterAlias())
    if os.environ.get("ROASTERY_PY2"):
        importlib.import_module("roastery.python2.children").begin_in_child()
