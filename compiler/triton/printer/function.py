"""A kernel's function around its lines."""

from __future__ import annotations

from compiler.kernels.nodes import KernelBody
from compiler.kernels.printer import Text

from .helpers import source_of
from .text import print_body

IMPORTS = "import triton\nimport triton.language as tl\n"


def canonical_file(kernel: KernelBody) -> tuple[str, Text]:
    """The text that is compiled, and what was found on the way."""
    body = print_body(kernel, readable=False)
    return f"{IMPORTS}{source_of(body.helpers)}\n\n{function(kernel, body, kernel.name)}", body


def function(kernel: KernelBody, body: Text, name: str) -> str:
    arguments = [argument for argument, _ in body.arguments]
    arguments += [f"{c}: tl.constexpr" for c, _ in kernel.config.constants]
    head = f"def {name}({', '.join(arguments)}):"
    if len(head) > 100:
        head = f"def {name}(\n    {', '.join(arguments)},\n):"
        if len(head.splitlines()[1]) > 100:
            head = f"def {name}(\n" + "".join(f"    {a},\n" for a in arguments) + "):"
    return "@triton.jit\n" + "\n".join([head, *body.lines]) + "\n"
