"""Runs the file of a generated kernel against the reference, on random inputs.

``python build/kernels/conv1_relu1.py`` ends here. With a CUDA device the kernel runs on it,
without one under Triton's interpreter. The file may have been edited: its own text is what
runs. The files name this module, and users keep them: so it stays where it is.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.plan.from_graph import plan_graph
from compiler.plan.sizes import plan_at
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Graph, Node, Port, Role, Value
from ir.graph_sizes import at_hand, graph_at
from ir.interpret import run_node
from ir.layout_numpy import array_of, memory_of
from ir.ops.fusion import Fused
from ir.text import parse_graph
from ir.types import BOOL, TensorType
from runtime.memory.buffers import Buffer

TOLERANCE = 1e-4  # relative to the largest element of a result


def main(path: str) -> None:
    """Check one file; ends the process with 1 when results differ."""
    if os.environ.get("TRITON_INTERPRET") != "1":
        # Triton was imported to compile; interpreting needs a process of its own.
        command = [sys.executable, "-m", "roastery.kernel_check", path]
        environment = {**os.environ, "TRITON_INTERPRET": "1"}
        raise SystemExit(subprocess.run(command, env=environment).returncode)
    raise SystemExit(0 if check_file(Path(path)) else 1)


def check_file(path: Path) -> bool:
    """Compare; prints one line per result. Raises RoasteryError for other files."""
    from runtime.backends.host_graph import HostGraph
    from runtime.interpret.launcher import InterpretLauncher

    source = path.read_text(encoding="utf-8")
    general, label, options = _node_of(source, path)
    printed = lower_node(general, options)
    launches = [_with_text(x, source) if x.label == label else x for x in printed]
    if not any(x.kernel.source == source for x in launches):
        raise RoasteryError(f"{path} is not one of the kernels that its header describes")
    graph = Graph(
        label,
        tuple(Port(v.name, v, Role.DATA) for v in general.inputs),
        (general,),
        tuple(Port(v.name, v, Role.RESULT) for v in general.outputs),
    )
    values = at_hand(graph)
    plan = plan_at(plan_graph(graph, [launches]), values)
    graph = graph_at(graph, values)
    (node,) = graph.nodes
    inputs, outputs = (
        {p.key: Buffer(TensorType((p.value.type.memory_size,), p.value.type.dtype)) for p in ports}
        for ports in (graph.inputs, graph.outputs)
    )
    arrays = _random_inputs(node)
    for buffer, array, value in zip(inputs.values(), arrays, node.inputs, strict=True):
        buffer.array[...] = memory_of(array, value.type)
    HostGraph(plan, {}, InterpretLauncher(), inputs, outputs).run()
    results = [
        array_of(b.peek(), v.type) for b, v in zip(outputs.values(), node.outputs, strict=True)
    ]
    return _compare(node, results, run_node(node, arrays))


def _node_of(source: str, path: Path) -> tuple[Node, str, CompileOptions]:
    """The group in the docstring, the name of the launch that the file holds, and the options."""
    text = ast.get_docstring(ast.parse(source), clean=False) or ""
    sections = {part.split("\n", 1)[0]: part for part in text.split("\n\n")}
    try:
        body = parse_graph(sections["Computes"].split("\n", 1)[1])
        schedule = sections["Schedule"].split("\n")[1].strip().split(":")[0]
        lines = sections["Options"].strip().splitlines()[1:]
        given = [line.strip().split(": ", 1) for line in lines]
        options = CompileOptions.from_json({name: json.loads(value) for name, value in given})
        label = text.split(": a kernel made by Roastery")[0]
    except (KeyError, IndexError, ValueError) as error:
        raise RoasteryError(f"{path} is no kernel file of Roastery: {error}") from error
    name = label.split(".")[0] if label.endswith((".sum", ".fold")) else label
    op = Fused(name, schedule, body)
    inputs = tuple(Value(p.name, p.value.type) for p in body.inputs)
    outputs = tuple(Value(p.name, p.value.type) for p in body.outputs)
    return Node(op, inputs, outputs), label, options


def _with_text(launch: Launch, source: str) -> Launch:
    """The launch, of the function that the file holds."""
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    kernel = replace(launch.kernel, entry=functions[-1].name, source=source)
    return replace(launch, kernel=kernel)


def _random_inputs(node: Node) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = []
    for value in node.inputs:
        dtype = value.type.dtype
        if dtype.is_float:
            arrays.append(rng.standard_normal(value.shape).astype(dtype.numpy))
        elif dtype is BOOL:
            arrays.append(rng.random(value.shape) < 0.5)
        else:
            arrays.append(rng.integers(0, 4, value.shape).astype(dtype.numpy))
    return arrays


def _compare(node: Node, results: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> bool:
    good = True
    for value, have, want in zip(node.outputs, results, expected, strict=True):
        have, want = have.astype(np.float64), np.asarray(want, np.float64)
        with np.errstate(invalid="ignore"):
            off = np.where(np.isfinite(want), np.abs(have - want), (have != want) & (have == have))
        error = float(off.max(initial=0.0)) / max(
            float(np.abs(want[np.isfinite(want)]).max(initial=0.0)), 1e-12
        )
        fine = error <= TOLERANCE
        good &= fine
        print(f"{value!r}: relative error {error:.1e}{'' if fine else '  DIFFERS'}")
    return good


if __name__ == "__main__":
    main(sys.argv[1])
