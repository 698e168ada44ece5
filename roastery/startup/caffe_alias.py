"""``import caffe`` means Roastery: the module and all its submodules under Caffe's names.

Which module that is says who imports both: what runs users' code, which may import ``caffe``, needs
this module, and the pycaffe interface needs what runs users' code.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from types import ModuleType
from typing import Any

from ir.errors import RoasteryError

from .alias_target import stood_for

_ALIAS = "caffe"


class _AliasLoader(Loader):
    """Gives the module that exists already, as it is."""

    def __init__(self) -> None:
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(stood_for() + spec.name.removeprefix(_ALIAS))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the alias's there


class _AliasFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        if find_spec(stood_for() + fullname.removeprefix(_ALIAS)) is None:
            return self._beside(fullname)
        return spec_from_loader(fullname, _AliasLoader())

    def _beside(self, fullname: str) -> ModuleSpec | None:
        """A module that only a fork's ``caffe`` on Python's path has, such as SSD's model_libs."""
        if fullname.count(".") != 1:
            return None
        name = fullname.rpartition(".")[2]
        folders = [os.path.join(entry, _ALIAS) for entry in sys.path if entry]
        having = [f for f in folders if os.path.isfile(os.path.join(f, name + ".py"))]
        for finder in sys.meta_path if having else ():
            spec = None if finder is self else finder.find_spec(fullname, having, None)
            if spec is not None:
                return spec
        return None


_finder = _AliasFinder()


def install() -> None:
    """From now on ``import caffe``, ``from caffe.proto import caffe_pb2`` ... give Roastery's.

    A Caffe that is installed too is not looked at. Doing it twice does no harm.

    Raises RoasteryError if another ``caffe`` has been imported before.
    """
    loaded = sys.modules.get(_ALIAS)
    if loaded is not None and loaded is not importlib.import_module(stood_for()):
        raise RoasteryError(
            f"another caffe has been imported already: {getattr(loaded, '__file__', loaded)}",
            hint="call roastery.caffe.install() before the first `import caffe`",
        )
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def offer() -> None:
    """As :func:`install`, but another ``caffe`` that has been imported stays: for modules of Python
    layers, which begin with ``import caffe``."""
    loaded = sys.modules.get(_ALIAS)
    if loaded is None or loaded is importlib.import_module(stood_for()):
        install()
