"""A kernel's file: the text that is compiled, and the one that people read.

The readable file says what the kernel computes, for which layers, how, and why so. It runs by
itself: it compares its kernel with the reference on random inputs (see
:mod:`roastery.kernel_check`, which reads the sections of the docstring).
"""

from __future__ import annotations

from compiler.kernels.nodes import KernelBody
from compiler.kernels.printer import Text
from compiler.kernels.provenance import function_name, provenance, tiles_of
from compiler.kernels.task import Task

from .helpers import source_of
from .text import print_body

_IMPORTS = "import triton\nimport triton.language as tl\n"
_CHECK = """

if __name__ == "__main__":
    from roastery.kernel_check import main

    main(__file__)
"""


def canonical_file(kernel: KernelBody) -> tuple[str, str, Text]:
    """What is compiled: the function's name, the file, and the function's text."""
    body = print_body(kernel, readable=False)
    return kernel.name, _file(kernel, body, kernel.name), body


def readable_file(task: Task, kernel: KernelBody) -> str:
    text = provenance(task, kernel, ("Tiles", [tiles_of(kernel.config)]))
    text += "\nRun this file to compare the kernel with the reference on random inputs.\n"
    return _told(text, kernel, function_name(task, kernel))


def bundled_file(text: str, kernel: KernelBody) -> str:
    """Of a kernel that does the work of several; ``text`` says of which."""
    return _told(text, kernel, kernel.name)


def _told(text: str, kernel: KernelBody, name: str) -> str:
    # Names of layers must not end the docstring.
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text}"""\n\n{_file(kernel, print_body(kernel, readable=True), name)}{_CHECK}'


def _file(kernel: KernelBody, body: Text, name: str) -> str:
    arguments = [argument for argument, _ in body.arguments]
    arguments += [f"{c}: tl.constexpr" for c, _ in kernel.config.constants]
    head = f"def {name}({', '.join(arguments)}):"
    if len(head) > 100:
        head = f"def {name}(\n    {', '.join(arguments)},\n):"
        if len(head.splitlines()[1]) > 100:
            head = f"def {name}(\n" + "".join(f"    {a},\n" for a in arguments) + "):"
    function = "\n".join(["@triton.jit", head, *body.lines])
    return f"{_IMPORTS}{source_of(body.helpers)}\n\n{function}\n"
