"""The readable file of a kernel: what it computes, for which layers, how, and why so.

The file runs by itself: it compares its kernel with the reference on random inputs (see
:mod:`roastery.kernel_check`, which reads the sections of the docstring).
"""

from __future__ import annotations

from compiler.kernels.nodes import KernelBody
from compiler.kernels.provenance import function_name, provenance
from compiler.kernels.task import Task

from .function import IMPORTS, function
from .helpers import source_of
from .text import print_body


def readable_file(task: Task, kernel: KernelBody) -> str:
    body = print_body(kernel, readable=True)
    constants = " ".join(f"{name}={value}" for name, value in kernel.config.constants)
    tile = f"{constants}, {kernel.config.num_warps} warps, {kernel.config.num_stages} stages"
    text = provenance(task, kernel, ("Tiles", [tile]))
    text += "\nRun this file to compare the kernel with the reference on random inputs.\n"
    name = function_name(task, kernel)
    return (
        f'"""{_in_docstring(text)}"""\n\n'
        f"{IMPORTS}{source_of(body.helpers)}\n\n{function(kernel, body, name)}\n\n"
        'if __name__ == "__main__":\n'
        "    from roastery.kernel_check import main\n\n"
        "    main(__file__)\n"
    )


def _in_docstring(text: str) -> str:
    """As it stands in a docstring: names of layers must not end it."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
