"""``roastery export --target c``: a net with its weights as a folder of C."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from compiler.c.compile.c_compiler import CCompiler, find_compiler
from compiler.c.export.folder import EXAMPLES, c_folder, net_identifier
from compiler.c.export.net import CNet, compiled_for_c
from compiler.c.export.pictures import CPictures
from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.graph import Graph, Role
from ir.graph_sizes import graph_at
from ir.program import NetProgram
from runtime.artifact import Pictures
from runtime.artifact.pictures import NO_PICTURES
from runtime.cpu.backend import CpuBackend
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store

from .._version import __version__
from ..building.logger import LOGGER, logger_report
from ..devices.compile_options import CompileRequest, device_options
from .cpu_baselines import baseline_target, runs_here
from .deployed import Exported, check_host, computed_once, deployed
from .export_folder import write_folder


def export_c(
    program: NetProgram,
    store: Store,
    folder: str | os.PathLike[str],
    baselines: Sequence[str],
    asked: CompileRequest,
    pictures: Pictures = NO_PICTURES,
) -> Exported:
    """Write a net at its sizes as C. Needs no compiler.

    Args:
        folder: "": named after the net, in the working directory.
        baselines: the instructions of the CPUs that will run it, one or none: as this one has.
        pictures: what its program does with them; nothing: it takes arrays alone.

    Raises RoasteryError for layers that are no kernels, and where it cannot be written.
    """
    check_host(program, "C")
    if len(baselines) > 1:
        raise RoasteryError(
            f"C is printed for one --cpu-baseline, not for {', '.join(baselines)}",
            hint="export once for each, into folders of their own",
        )
    target = baseline_target(baselines[0] if baselines else None)
    options = device_options(target, asked, logger_report().warn)
    constants, graph = deployed(program.general or program, options)
    found = _computed(constants, program.values, store, options)
    compiled = compiled_for_c(graph, options, program.values)
    variables = {
        port.key: found[port.name] if port.name in found else store.data[port.name].peek()
        for port in compiled.plan.inputs
        if port.role is not Role.DATA
    }
    taken = _pictures(compiled, pictures)
    net = CNet(net_identifier(graph.name), compiled, options, variables, __version__, taken)
    files = c_folder(net)
    folder = os.fspath(folder) or net.name
    for name in write_folder(folder, files, EXAMPLES):
        LOGGER.warning(
            "%s was changed since it was exported, and stays as it is", os.path.join(folder, name)
        )
    nbytes = sum(map(len, files.values()))
    plan = compiled.plan
    fixed = {p.name: plan.buffers[p.buffer].type.shape for p in plan.inputs if p.role is Role.DATA}
    kernels = len(plan.kernels)
    return Exported(("c",), options, kernels, nbytes, (target.instructions,), folder, fixed)


def _pictures(compiled: CompiledGraph, pictures: Pictures) -> CPictures | None:
    """As the program takes them."""
    rules = pictures.preprocessing
    if rules is None:
        return None
    plan = compiled.plan
    types = {p.name: plan.buffers[p.buffer].type for p in plan.inputs if p.role is Role.DATA}
    if list(types) != [rules.input]:
        LOGGER.warning(
            "the program will take no pictures, but arrays: the net has %d inputs (%s)",
            len(types),
            ", ".join(types),
        )
        return None
    _, channels, height, width = map(int, types[rules.input].shape)
    return CPictures(
        0,
        (channels, height, width),
        rules.image_size or (height, width),
        tuple(rules.channel_swap) or tuple(range(channels)),
        rules.raw_scale,
        rules.mean,
        rules.mean_image,
        rules.input_scale,
        pictures.labels,
    )


def _computed(
    constants: Graph, values: Mapping[str, int], store: Store, options: CompileOptions
) -> dict[str, np.ndarray]:
    """What follows from parameters alone, by name: as device ``cpu`` computes it, bit for bit,
    where this machine can; else by numpy."""
    compiler = find_compiler()
    if not isinstance(compiler, CCompiler) or not runs_here(options.target.instructions):
        return computed_once(constants, values, store)
    backend = CpuBackend(compiler, target=options.target)
    inputs = {port.key: store.data[port.name] for port in constants.inputs}
    types = graph_at(constants, values).outputs
    outputs = {port.key: Buffer(port.value.type) for port in types}
    backend.bind(constants, inputs, outputs, options, values).run()
    return {key.name: buffer.peek() for key, buffer in outputs.items()}
