"""What a measured choice is known by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from compiler.kernel import Launch
from compiler.kernels.alike import structure
from compiler.kernels.task import AsNumber
from compiler.options import CompileOptions
from ir.graph import Node


def group_key(node: Node, options: CompileOptions, number: AsNumber) -> str:
    """Of a fused node: of its ops and the types of its values, at the sizes at hand, and of how
    matrices are multiplied. Neither names nor layers count."""
    sizes = [[number(d) for d in v.type.shape] for v in (*node.inputs, *node.outputs)]
    deciding = [structure(node), sizes, options.factors_precision]
    return hashlib.sha256(json.dumps(deciding).encode("utf-8", "surrogatepass")).hexdigest()


def kernels_digest(launches: Iterable[Launch]) -> str:
    """Of the kernels that were measured: of their canonical texts, arguments and configurations.
    With other ones a measurement says nothing."""
    kernels = [[repr(launch.kernel), repr(launch.config)] for launch in launches]
    return hashlib.sha256(json.dumps(kernels).encode("utf-8", "surrogatepass")).hexdigest()
