"""``roastery export``: a net with its weights as one file that runs without this compiler."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.kernel import Config, Kernel
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.target import Target
from compiler.triton.compile import compile_jobs, jobs_of, triton_version
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Graph, Role
from ir.interpret import run_graph
from ir.op import Property
from ir.program import NetProgram
from ir.text import format_graph
from runtime.artifact import Tensor, store_graph, write_artifact
from runtime.memory.store import Store
from runtime.python.permission import python_allowed
from runtime.whole_graphs import WholeGraphs, is_sink

from .._version import __version__
from ..building import NetRequest, lower_net
from ..building.logger import LOGGER, logger_log, logger_report
from ..devices.compile_options import (
    NOTHING_ASKED,
    CompileRequest,
    Passes,
    architectures,
    device_options,
    kernel_options,
)
from ..reading import nets
from ..weights.parameters import load_weights

PORTABLE = "cuda:sm_80"
"""Its PTX goes into every artifact for GPUs: newer ones compile it when it is loaded."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What was written: the targets, what kernels were compiled by, how many they are, the size of
    the file in bytes."""

    targets: tuple[str, ...]
    options: CompileOptions
    kernels: int
    nbytes: int


def export_net(
    net: nets.NetSource,
    weights: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    targets: Sequence[str] = ("cpu",),
    *,
    phase: str = "TEST",
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    precision: str | None = None,
    passes: Passes = None,
    progress: Progress | None = None,
    allow_python: bool | None = None,
) -> Exported:
    """Write an artifact. Needs Triton for CUDA targets, but no GPU.

    Args:
        net: a prototxt or message; data layers become inputs of their shapes.
        shapes: of inputs and of data layers' tops, which are then not read.
        targets: ``cpu``, ``cuda:sm_80``, ``cuda:sm_90`` ...
        precision: as in :func:`roastery.compile`, on the GPUs among the targets.
        passes, allow_python: as in :func:`roastery.compile`.

    Layers without tops (file outputs) are left out, with a warning.

    Raises RoasteryError for mistakes in the files and for nets that need the host (Python layers).
    """
    message = nets.read_net(net)
    request = NetRequest(
        message,
        nets.net_state(message, phase, level, stages),
        shapes or {},
        assume="missing",
        allow_python=python_allowed(allow_python),
    )
    program = lower_net(request, logger_report()).program
    store = Store(program.variables, seed=0)
    if weights is not None:
        load_weights(weights, program, store, logger_log())
    asked = CompileRequest(precision, passes)
    return export_program(program, store, output, targets, asked, progress)


def export_program(
    program: NetProgram,
    store: Store,
    output: str | os.PathLike[str],
    targets: Sequence[str],
    asked: CompileRequest = NOTHING_ASKED,
    progress: Progress | None = None,
) -> Exported:
    """Write an artifact of a lowered net with the parameters that a store holds."""
    cpu, wanted = _targets(targets)
    warn = logger_report().warn
    options = (
        kernel_options(wanted, asked, warn)
        if wanted
        else device_options(Target("cpu", "any CPU"), asked, warn)
    )
    _check_host(program)
    constants, graph = WholeGraphs(program).deployed(options)
    found = run_graph(constants, [store.data[p.name].peek() for p in constants.inputs])
    arrays = {p.name: a for p, a in zip(constants.outputs, found, strict=True)}
    arrays |= {
        p.name: store.data[p.name].peek()
        for p in graph.inputs
        if p.role in (Role.PARAMETER, Role.STATE) and p.name not in arrays
    }
    versions = {"roastery": __version__, "numpy": np.__version__}
    if not wanted:
        write_artifact(
            output,
            name=program.name,
            versions=versions,
            options=options,
            inputs=_tensors(graph, Role.DATA),
            outputs=_tensors(graph, Role.RESULT),
            weights=arrays,
            graph=format_graph(graph),
            cpu=cpu,
        )
        return Exported(("cpu",), options, 0, os.path.getsize(output))
    compiled = compile_graph(graph, lower_node, options)
    kinds = list(dict.fromkeys([*wanted, Architecture.parse(PORTABLE)]))
    jobs = [job for target in kinds for job in jobs_of(compiled.launches, target)]
    if not jobs:
        raise RoasteryError(
            "nothing of this net runs on a GPU: it computes no output",
            hint="name the tops of its last layers, or export for the CPU: --target=cpu",
        )
    binaries = compile_jobs(
        jobs, progress=None if progress is None else lambda done, total, _: progress(done, total)
    )
    code: dict[tuple[Kernel, Config], list[Binary]] = {}
    for job, binary in zip(jobs, binaries, strict=True):
        code.setdefault((job.kernel, job.config), []).append(binary)
    stored = store_graph(compiled, lambda kernel, config: code[kernel, config])
    write_artifact(
        output,
        name=program.name,
        versions={**versions, "triton": triton_version()},
        options=options,
        inputs=stored.inputs,
        outputs=stored.outputs,
        weights=arrays,
        graph=format_graph(graph),
        cpu=cpu,
        plan=stored.plan,
        sources=stored.sources,
        memory=stored.memory,
    )
    names = (["cpu"] if cpu else []) + [str(t) for t in kinds]
    return Exported(tuple(names), options, len(compiled.kernels), os.path.getsize(output))


def _targets(names: Sequence[str]) -> tuple[bool, list[Architecture]]:
    """Whether the CPU is among them, and the GPUs; ``cuda:sm_80,sm_90`` is two."""
    parts = [part.strip() for name in names for part in name.split(",")]
    cpu = "cpu" in parts
    gpus = architectures(",".join(part for part in parts if part != "cpu"))
    if not cpu and not gpus:
        raise RoasteryError("no target is given", hint="--target cpu, --target cuda:sm_80,sm_90")
    return cpu, gpus


def _check_host(program: NetProgram) -> None:
    """Tell of layers that an artifact leaves out, and refuse those that it cannot do without."""
    for node in program.graph.nodes:
        if is_sink(node):
            LOGGER.warning(
                "%s is left out: it has no top, and what it does is not part of an artifact",
                node.location,
            )
        elif node.op.properties & Property.HOST:
            raise RoasteryError(
                f"'{node.op.name}' runs on the host and cannot be exported",
                location=node.location,
                hint="an artifact runs without Python layers: cut the net before it, or compute "
                "the layer's tops yourself and make them inputs",
            )


def _tensors(graph: Graph, role: Role) -> list[Tensor]:
    ports = graph.inputs if role is Role.DATA else graph.outputs
    return [Tensor(p.name, p.value.type) for p in ports if p.role is role]
