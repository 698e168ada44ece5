"""A compiler for Caffe nets: the public interface.

``compile`` makes a net callable, ``load`` an exported artifact; ``layer`` registers a layer of
one's own and ``check_gradient`` checks it. ``roastery.caffe`` is the pycaffe interface.
"""

from __future__ import annotations

import sys

if ("-m", "roastery") in zip(sys.orig_argv, sys.orig_argv[1:], strict=False):
    # Python imports this before __main__.py: signals may arrive from the first moment on, and
    # the working directory is first on its path.
    from .cli.signals import hold_signals
    from .startup.working_folder import take_working_folder_off

    hold_signals()
    take_working_folder_off()

import importlib
from typing import TYPE_CHECKING, Any

from .startup.own_packages import check_own_packages

check_own_packages()

from ._version import __version__  # noqa: E402
from .startup.alias_target import stands_for  # noqa: E402

stands_for("roastery.caffe")

if TYPE_CHECKING:
    from ir.errors import RoasteryError

    from .api.compiling import compile
    from .api.executable import Executable
    from .api.gradient_check import check_gradient
    from .api.layers import Filler, LayerContext, expand, expr, layer

# Loaded on first use: the command line must not wait for what it does not need.
_PLACES = {
    "Executable": "roastery.api.executable",
    "compile": "roastery.api.compiling",
    "RoasteryError": "ir.errors",
    "Filler": "roastery.api.layers",
    "LayerContext": "roastery.api.layers",
    "expand": "roastery.api.layers",
    "expr": "roastery.api.layers",
    "layer": "roastery.api.layers",
    "check_gradient": "roastery.api.gradient_check",
    "load": "runtime.artifact",
}

__all__ = [
    "Executable",
    "Filler",
    "LayerContext",
    "RoasteryError",
    "__version__",
    "check_gradient",
    "compile",
    "expand",
    "expr",
    "layer",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'roastery' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
