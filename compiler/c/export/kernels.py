"""The kernels of a net as functions of one file."""

from __future__ import annotations

import re

from compiler.compiled import CompiledGraph
from compiler.kernel import Kernel

from .names import fresh
from .net import kernel_text

_DEFINED = re.compile(r"void (\w+)\(")


def kernel_functions(compiled: CompiledGraph) -> tuple[dict[Kernel, str], str]:
    """What each kernel is called, and the text of all."""
    names: dict[Kernel, str] = {}
    texts = []
    for kernel, launches in compiled.kernels.items():
        comment, function = kernel_text(launches[0].readable())
        defined = _DEFINED.match(function)
        assert defined is not None, "a kernel begins with its name"
        names[kernel] = fresh(defined[1], names.values())
        others = "".join(f"    {launch.label}  {launch.location}\n" for launch in launches[1:])
        comment = comment.replace("\n\nLayers\n", f"\n{others}\nLayers\n", 1)
        texts.append(f"{comment}\nstatic void {names[kernel]}({function[defined.end() :]}")
    return names, "\n".join(texts)
