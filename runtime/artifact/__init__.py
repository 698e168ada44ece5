"""Exported nets: one file that runs without a parser, a compiler or a framework.

A zip (no pickle) of the manifest, the optimised IR as text, the plan, the kernels' sources and
machine code, and the weights as safetensors.
"""

from .code import Code
from .errors import ArtifactError
from .manifest import Manifest, Tensor
from .net import LoadedNet, load
from .pictures import Pictures
from .reader import Artifact
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
