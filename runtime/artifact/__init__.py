"""Exported nets: one file that runs without a parser, a compiler or a framework.

A zip (no pickle) of the manifest, the optimised IR as text, the launch plan, the memory
plan, the kernels' sources and machine code, and the weights as safetensors.
"""

from .errors import ArtifactError
from .manifest import Manifest, Tensor
from .net import LoadedNet, load
from .plan import (
    ARENA,
    WEIGHT,
    LaunchPlan,
    StoredAllocation,
    StoredCopy,
    StoredKernel,
    StoredLaunch,
)
from .reader import Artifact
from .stored import StoredGraph, store_graph
from .writer import store_launches, write_artifact

__all__ = [
    "ARENA",
    "WEIGHT",
    "Artifact",
    "ArtifactError",
    "LaunchPlan",
    "LoadedNet",
    "Manifest",
    "StoredAllocation",
    "StoredCopy",
    "StoredGraph",
    "StoredKernel",
    "StoredLaunch",
    "Tensor",
    "load",
    "store_graph",
    "store_launches",
    "write_artifact",
]
