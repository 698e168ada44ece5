"""Runs the file of a generated kernel against the reference, on random inputs.

``python build/kernels/conv1_relu1.py`` ends here. With a CUDA device the kernel runs on it,
without one under Triton's interpreter. The file may have been edited: its own text is what
runs. The files name this module, and users keep them: so it stays where it is.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from compiler.bundles.bundle import HEAD, PART
from compiler.kernel import Launch
from compiler.kernels.placement import read_placement
from compiler.options import CompileOptions
from compiler.plan.from_graph import plan_graph
from compiler.plan.sizes import plan_at
from compiler.precision import kernel_tolerance
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Node, Value
from ir.graph_sizes import at_hand, graph_at
from ir.ops.fusion import Fused
from ir.text import parse_graph

from .bench.bundle_run import BundleRun
from .bench.lone_group import LoneRun, lone_graph

LATER = (".sum", ".fold", ".reduce", ".totals", ".order", ".ends")
"""What labels of kernels that go on with a group's work end with."""


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
    text = ast.get_docstring(ast.parse(source), clean=False) or ""
    if text.startswith(HEAD):
        return _check_bundle(source, text, path)
    general, label, options = _node_of(text, path)
    printed = lower_node(general, options)
    launches = [_with_text(x, source) if x.label == label else x for x in printed]
    if not any(x.kernel.source == source for x in launches):
        raise RoasteryError(f"{path} is not one of the kernels that its header describes")
    graph = lone_graph(general)
    values = at_hand(graph)
    plan = plan_at(plan_graph(graph, {general: launches}), values)
    (node,) = graph_at(graph, values).nodes
    run = LoneRun(node)
    HostGraph(plan, {}, InterpretLauncher(), run.inputs, run.outputs).run()
    fine, tolerance = True, kernel_tolerance(options.precision)
    for value, error in zip(node.outputs, run.errors(), strict=True):
        wrong = not error <= tolerance
        fine &= not wrong
        print(f"{value!r}: relative error {error:.1e}{'  DIFFERS' if wrong else ''}")
    return fine


def _check_bundle(source: str, text: str, path: Path) -> bool:
    """Of kernels that share a launch: against each of them alone."""
    listed, *described = re.split(rf"\n\n{PART} \d+\n\n", text)
    found = re.findall(r"^    (\d+): (\S+)", listed, re.MULTILINE)
    kernels = []
    for part in described:
        general, label, options = _node_of(part, path)
        group = replace(general, op=replace(general.op, bundled=True))  # type: ignore[type-var]
        kernels += [x for x in lower_node(group, options) if x.label == label]
    if not found or {int(number) for number, _ in found} != {*range(1, len(kernels) + 1)}:
        raise RoasteryError(f"{path} is no kernel file of Roastery: it does not tell its parts")
    run = BundleRun([replace(kernels[int(n) - 1], label=name) for n, name in found])
    together = _with_text(run.together, source)
    if len(together.kernel.parameters) + len(together.config.constants) != _taken(source):
        raise RoasteryError(f"{path} is not one of the kernels that its header describes")
    fine = True
    for name, same in run.compared(together.kernel):
        fine &= same
        print(f"{name}: {'the same' if same else 'DIFFERS'}")
    return fine


def _node_of(text: str, path: Path) -> tuple[Node, str, CompileOptions]:
    """The group in the docstring, the name of the launch that the file holds, and the options."""
    sections = {part.split("\n", 1)[0]: part for part in text.split("\n\n")}
    try:
        body = parse_graph(sections["Computes"].split("\n", 1)[1])
        how = [line.strip() for line in sections["Schedule"].split("\n")]
        schedule = how[1].split(":")[0]
        tight, inside = read_placement(how, body)
        lines = sections["Options"].strip().splitlines()[1:]
        given = [line.strip().split(": ", 1) for line in lines]
        options = CompileOptions.from_json({name: json.loads(value) for name, value in given})
        label = text.split(": a kernel made by Roastery")[0]
    except (KeyError, IndexError, ValueError) as error:
        raise RoasteryError(f"{path} is no kernel file of Roastery: {error}") from error
    name = label.split(".")[0] if label.endswith(LATER) else label
    op = Fused(name, schedule, body, tight, inside)
    inputs = tuple(Value(p.name, p.value.type) for p in body.inputs)
    outputs = tuple(Value(p.name, p.value.type) for p in body.outputs)
    return Node(op, inputs, outputs), label, options


def _with_text(launch: Launch, source: str) -> Launch:
    """The launch, of the function that the file holds."""
    kernel = replace(launch.kernel, entry=_function(source).name, source=source)
    return replace(launch, kernel=kernel)


def _function(source: str) -> ast.FunctionDef:
    return [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)][-1]


def _taken(source: str) -> int:
    """How many arguments the function takes."""
    return len(_function(source).args.args)


if __name__ == "__main__":
    main(sys.argv[1])
