"""Fused groups to C kernels and their launches."""

from __future__ import annotations

import hashlib

from compiler.kernel import Launch
from compiler.kernels.launch import Printed, Ways
from compiler.kernels.nodes import KernelBody
from compiler.kernels.printer import Text
from compiler.kernels.provenance import function_name, provenance
from compiler.kernels.schedule import schedule_task, task_of
from compiler.kernels.task import AsNumber, Task
from compiler.options import CompileOptions
from ir.graph import Node
from ir.size import value_of

from .helpers import HELPERS
from .heuristic import ScalarHeuristic
from .printer import c_comment, c_function


def lower_to_c(
    node: Node, options: CompileOptions, number: AsNumber = value_of, known: Printed | None = None
) -> list[Launch]:
    """The launches that compute a :class:`Fused` node.

    A kernel's source is its function alone: :mod:`.shared_library` puts many into one file.
    """
    task = task_of(node, options, ScalarHeuristic(), number)
    return Ways(task, schedule_task(task), _canonical, _readable).launches(known=known)


def _canonical(body: KernelBody) -> tuple[str, str, Text]:
    source, text = c_function(body, body.name, readable=False)
    entry = f"{body.name}_{hashlib.sha256(source.encode()).hexdigest()[:16]}"  # one for one text
    return entry, source.replace(body.name, entry, 1), text


def _readable(task: Task, body: KernelBody) -> str:
    function, _ = c_function(body, f"{function_name(task, body)}_kernel", readable=True)
    return f"{c_comment(provenance(task, body))}\n\n{HELPERS}\n{function}"
