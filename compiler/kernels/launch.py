"""A printed kernel with what it is called with."""

from __future__ import annotations

from collections.abc import Callable

from compiler.kernel import Argument as Given
from compiler.kernel import Kernel, Launch, Parameter

from .expressions import KernelArgument
from .monomial import Monomial
from .nodes import KernelBody
from .printer import Text
from .task import Task


def bound_launch(
    task: Task,
    body: KernelBody,
    text: Text,
    entry: str,
    source: str,
    readable: Callable[[], str],
) -> Launch:
    """The one launch of a kernel. ``source`` has a function ``entry``, whose lines ``text`` is."""
    kernel = Kernel(
        entry=entry,
        source=source,
        parameters=tuple(_parameter(name, a, body.wide) for name, a in text.arguments),
    )
    return Launch(
        kernel,
        body.config,
        tuple(_given(a) for _, a in text.arguments),
        body.grid,
        task.label + body.suffix,
        task.node.location,
        body.writes,
        readable,
    )


def _parameter(name: str, argument: KernelArgument, wide: bool) -> Parameter:
    if argument.kind == "pointer":
        return Parameter(name, "pointer", argument.dtype, argument.divisible)
    if argument.kind == "size":
        return Parameter(name, "i64" if wide else "i32", None, argument.divisible)
    return Parameter(name, "f32" if argument.dtype.is_float else "i32")


def _given(argument: KernelArgument) -> Given:
    given = argument.given
    return given.size if isinstance(given, Monomial) else given
