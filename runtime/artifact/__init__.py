"""Exported nets: one file that runs without a parser, a compiler or a framework.

A zip (no pickle) of the manifest, the optimised IR as text, the plan, the kernels' sources and
machine code, and the weights as safetensors.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .code import Code
from .errors import ArtifactError
from .manifest import Manifest, Tensor
from .net import LoadedNet, load
from .pictures import Pictures
from .reader import Artifact

if TYPE_CHECKING:
    from .writer import write_artifact

__all__ = [
    "Artifact",
    "ArtifactError",
    "Code",
    "LoadedNet",
    "Manifest",
    "Pictures",
    "Tensor",
    "load",
    "write_artifact",
]


def __getattr__(name: str) -> Any:
    """What writes is loaded on first use: who runs a net must not wait for it."""
    if name != "write_artifact":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(".writer", __name__).write_artifact
