"""``roastery export``: a net with its weights as one file that runs without this compiler."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.compiled import CompiledGraph
from compiler.kernel import Config
from compiler.partitions.most_rows import counted_outputs, with_most_rows
from compiler.pipeline import GraphCompiler, run_keeping_ports
from compiler.precision import FLOAT32, ON_CPUS
from compiler.triton.compile import compile_jobs, jobs_of, triton_version
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.graph import Role
from ir.graph_sizes import graph_at
from ir.inner_rows import inner_trims
from ir.printable import printable
from ir.program import NetProgram
from ir.size import value_of
from runtime.artifact import Code, Pictures, write_artifact
from runtime.artifact.container import PLAN
from runtime.artifact.cpu_code import plan_member
from runtime.artifact.pictures import NO_PICTURES
from runtime.memory.store import Store
from runtime.python.permission import python_allowed

from .._version import __version__
from ..building import NetRequest, lower_net
from ..building.logger import logger_log, logger_report
from ..counting import count_net, count_sizes
from ..devices.compile_options import (
    NOTHING_ASKED,
    CompileRequest,
    Passes,
    device_options,
    kernel_options,
)
from ..reading import nets
from ..reading.deploy_form import deploy_form
from ..reading.deployed import picture_layer
from ..tuning.exported import NOT_TUNED, ExportedKernels, TuneRequest
from ..weights.trained import load_trained
from .asked_targets import asked_targets, cpu_compilers, for_c
from .cpu_code import compiled_for_cpu
from .deployed import Exported, check_host, computed_once, deployed, variables_of
from .export_c import export_c
from .export_format import ARTIFACT, ONNX, TORCH, chosen_format, refuse_settings
from .export_onnx import OnnxRequest, export_onnx
from .export_sizes import planned_for, size_conditions
from .export_torch import export_torch
from .onnx_pictures import picture_texts
from .own_places import graph_without_folders
from .picture_use import (
    NO_RULES,
    PictureRules,
    picture_input,
    pictures_of,
    tell_other_classes,
)
from .targets import ANY_CPU, PLANNED_THREADS

PORTABLE = "cuda:sm_80"
"""Its PTX goes into every artifact for GPUs: newer ones compile it when it is loaded."""


Progress = Callable[[int, int], None]


def export_net(
    net: nets.NetSource,
    weights: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    targets: Sequence[str] = (),
    *,
    format: str = "",
    opset: int | None = None,
    dynamic: str = "",
    phase: str = "TEST",
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    precision: str | None = None,
    passes: Passes = None,
    layout: str | None = None,
    progress: Progress | None = None,
    allow_python: bool | None = None,
    dialect: str | None = None,
    cpu_baseline: str | Sequence[str] = (),
    tuned: str | os.PathLike[str] = "",
    tune: float | None = None,
    pictures: PictureRules = NO_RULES,
    plan_for: Sequence[Mapping[str, Sequence[int]]] = (),
    deploy: bool = False,
) -> Exported:
    """Write an artifact, a folder of C or for PyTorch, or an ONNX model.

    Needs Triton for CUDA targets, but no GPU, and the package onnx for ONNX.

    Args:
        net: a prototxt or message; data layers become inputs of their shapes.
        shapes: of inputs and of data layers' tops, which are then not read.
        output: the artifact's file; of target ``c`` the folder, where "" means the net's name.
        targets: ``cpu`` (the default), ``cuda:sm_80``, ``cuda:sm_90`` ..., or ``c`` alone.
        format: "roast" (an artifact), "onnx", or "torch" (a folder with a module for PyTorch); "":
            what ``output`` is named like. Only artifacts have targets, kernels and layouts.
        opset: of ONNX, from 17; 0: the newest that the package onnx knows. Default: 17.
        dynamic: of ONNX: "batch" or "all" for which sizes may change; "": none.
        precision: as in :func:`roastery.compile`, on the GPUs among the targets; of
            ONNX "float16" for weights and arithmetic.
        passes, layout, allow_python, dialect: as in :func:`roastery.compile`.
        cpu_baseline: for which CPUs: "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64". An artifact
            may have machine code for several, or "none"; default: for all that the C compilers
            here compile for. Target ``c`` is printed for one; default: for those like this one.
        tuned: a file that ``roastery tune --output`` wrote: kernels for GPUs are chosen by it, not
            by the cost model, and planned for the GPU that it was measured on.
        tune: measure so many seconds at most on the GPU that is here, and choose by that.
        pictures: how they become the net's input, and what its classes are called; what it does not
            say, the net's data layer says.
        plan_for: other shapes of inputs that it is planned for in advance; each time those of
            inputs that are not named are as they are exported.
        deploy: make of a net for training the one that takes pictures alone:
            :mod:`roastery.reading.deploy_form`.

    Layers without tops (file outputs) are left out, with a warning.

    Raises RoasteryError for mistakes in the files and for nets that need the host (Python layers).
    """
    message = nets.read_net(net, dialect)
    kind = chosen_format(format, output)
    given: dict[str, object] = {
        "--target": targets,
        "--cpu-baseline": cpu_baseline,
        "--tuned": tuned,
        "--tune": tune,
        "--passes": passes,
        "--layout": layout,
        "--plan-for": plan_for,
    }
    wanted = OnnxRequest.asked(opset, dynamic, precision, kind is ONNX)
    if kind is TORCH:
        given["--precision"] = precision
    if kind is not ARTIFACT:
        refuse_settings(given, kind)
    if kind is not ONNX:
        refuse_settings(wanted.settings(), kind)
    trained, shapes = message, shapes or {}
    if deploy:
        message, shapes, note = deploy_form(message, shapes)
        logger_report().warn(note)
    request = NetRequest(
        message,
        nets.net_state(message, phase, level, stages),
        shapes,
        assume="missing",
        allow_python=python_allowed(allow_python),
    )
    if kind is TORCH:
        return _as_torch(request, weights, output, net, trained, pictures)
    program = _lowered(request)
    store = Store(program.variables, seed=0)
    if weights is not None:
        load_trained(weights, program, store, logger_log())
    if pictures.labels and for_c(targets):  # a program has nobody who says it later
        pictures = replace(pictures, usual=True)
    used, takes = _pictures_used(trained, program, pictures)
    if kind is ONNX:
        said = picture_texts(used)
        made = export_onnx(program, store, output, replace(wanted, metadata=said))
    else:
        made = export_program(
            program,
            store,
            output,
            targets or ["cpu"],
            CompileRequest(precision, passes, layout),
            progress,
            cpu_baseline,
            TuneRequest(tuned, tune),
            used,
            plan_for,
        )
    return replace(made, pictures=used, takes_pictures=takes)


def _as_torch(
    request: NetRequest,
    weights: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    net: nets.NetSource,
    trained: Message,
    pictures: PictureRules,
) -> Exported:
    lowered = lower_net(request, logger_report())
    store = Store(lowered.program.variables, seed=0)
    if weights is not None:
        load_trained(weights, lowered.program, store, logger_log())
    source = os.path.basename(net) if isinstance(net, str | os.PathLike) else ""
    program = lowered.program
    used, takes = _pictures_used(trained, program, pictures)
    made = export_torch(program, lowered.message, store, output, source, used)
    return replace(made, pictures=used, takes_pictures=takes)


def _pictures_used(
    message: Message, program: NetProgram, pictures: PictureRules
) -> tuple[Pictures, bool]:
    """What an export is told of pictures, and whether its one input is such as they become.

    Args:
        message: the net, with the data layer that it may begin with.
    """
    inputs = {p.name: p.value.type for p in program.graph.inputs if p.role is Role.DATA}
    used = pictures_of(message, inputs, pictures)
    outputs = {p.name: p.value.type for p in program.graph.outputs if p.role is Role.RESULT}
    tell_other_classes(used.labels, outputs)
    if len(inputs) > 1 and picture_input(inputs) is not None and picture_layer(message) is not None:
        logger_report().warn(
            f"it takes {', '.join(map(printable, inputs))}: pictures alone are taken by what "
            "--deploy makes of a net for training"
        )
    return used, len(inputs) == 1 and picture_input(inputs) is not None


def _lowered(request: NetRequest) -> NetProgram:
    """The program, at as many rows as there could be where it goes on with those it found."""
    report = logger_report()
    program = lower_net(request, report).program
    found = inner_trims(program.graph)
    if not found:
        return program
    # Told of two rows, what has as many says so.
    told = {name: (min(2, value_of(most)),) for name, most in found.items()}
    counted = counted_outputs(lower_net(replace(request, told=told), report).program)
    if counted is None:
        return program
    most = lower_net(replace(request, most_rows=True), report).program
    return with_most_rows(most, counted)


def export_program(
    program: NetProgram,
    store: Store,
    output: str | os.PathLike[str],
    targets: Sequence[str],
    asked: CompileRequest = NOTHING_ASKED,
    progress: Progress | None = None,
    cpu_baseline: str | Sequence[str] = (),
    tuned: TuneRequest = NOT_TUNED,
    pictures: Pictures = NO_PICTURES,
    plan_for: Sequence[Mapping[str, Sequence[int]]] = (),
) -> Exported:
    """Export a lowered net with the parameters that a store holds, as :func:`export_net` does."""
    asked = replace(asked, threads=PLANNED_THREADS)
    asked_for = [cpu_baseline] if isinstance(cpu_baseline, str) else cpu_baseline
    baselines = [name.strip() for text in asked_for for name in text.split(",")]
    if for_c(targets):
        if tuned != NOT_TUNED:
            raise RoasteryError("only kernels for GPUs are tuned, and target c has none")
        if plan_for:
            raise RoasteryError("C runs at one shape, so that --plan-for is not for target c")
        return export_c(program, store, output, baselines, asked, pictures)
    cpu, wanted = asked_targets(targets)
    compilers = cpu_compilers(cpu, baselines)
    warn = logger_report().warn
    plain = replace(asked, layout=None) if compilers else asked  # numpy wants no layout
    any_cpu = replace(ANY_CPU, precisions=ON_CPUS) if compilers else ANY_CPU
    options = (
        kernel_options(wanted, asked, warn) if wanted else device_options(any_cpu, plain, warn)
    )
    chosen = ExportedKernels.of(tuned, options, wanted)
    options = chosen.options
    check_host(program, "a GPU" if wanted else None)
    constants, graph = map(graph_without_folders, deployed(program.general or program, options))
    arrays = variables_of(graph, computed_once(constants, program.values, store), store)
    versions = {"roastery": __version__, "numpy": np.__version__}
    kinds: list[Architecture] = []
    compiled: CompiledGraph | None = None
    code: Code | None = None
    if wanted:
        kinds = list(dict.fromkeys([*wanted, Architecture.parse(PORTABLE)]))
        note = logger_report().note
        lower = chosen.lowering(graph, program.values, progress, note)
        compiled = GraphCompiler(graph, lower, options).at(program.values)
        code = _compiled_code(compiled, kinds, progress)
        versions["triton"] = triton_version()
    codes, onces = [], []
    for baseline, compiler in compilers.items():
        more = compiled_for_cpu(graph, program.values, baseline, compiler, asked, progress)
        if more is None:
            logger_report().note(
                "no machine code is in it, as a layer has no kernel: numpy runs it"
            )
            break
        codes.append(more[0])
        onces.append(more[1])
    if cpu:  # what numpy makes of it
        graph = run_keeping_ports(graph, replace(options, target=ANY_CPU, precision=FLOAT32))
    plan = replace(compiled.general, memory=compiled.plan.memory) if compiled else None
    plans = [*([plan] if plan else ()), *(code.plan for code in codes)]
    conditions = size_conditions(program, [constants, *onces], graph, plans)
    if conditions is None:
        graph, plan = graph_at(graph, program.values), compiled.plan if compiled else None
        codes = [code.at(program.values) for code in codes]
    by_member = {PLAN: plan} if plan else {}
    by_member |= {plan_member(code.instructions): code.plan for code in codes}
    planned = planned_for(program, plan_for, by_member, conditions)
    write_artifact(
        output,
        versions=versions,
        options=options,
        weights=arrays,
        graph=graph,
        cpu=cpu,
        cpu_codes=codes,
        plan=plan,
        code=code,
        sources=[users[0].readable() for users in compiled.kernels.values()] if compiled else [],
        conditions=conditions or (),
        pictures=pictures,
        planned=planned,
        layers=count_net(program) if conditions is None else count_sizes(program),
    )
    names = (["cpu"] if cpu else []) + [str(kind) for kind in kinds]
    kernels = len(compiled.plan.kernels) if compiled else 0
    made = tuple(code.instructions for code in codes)
    return Exported(
        tuple(names), options, kernels, os.path.getsize(output), made, os.fspath(output)
    )


def _compiled_code(
    compiled: CompiledGraph, kinds: Sequence[Architecture], progress: Progress | None
) -> Code:
    """The kernels' machine code for each architecture."""
    jobs = [job for kind in kinds for job in jobs_of(compiled.launches, kind)]
    if not jobs:
        raise RoasteryError(
            "nothing of this net runs on a GPU: it computes no output",
            hint="name the tops of its last layers, or export for the CPU: --target=cpu",
        )
    binaries = compile_jobs(
        jobs, progress=None if progress is None else lambda done, total, _: progress(done, total)
    )
    number = {kernel: number for number, kernel in enumerate(compiled.plan.kernels)}
    code: dict[tuple[int, Config], list[Binary]] = {}
    for job, binary in zip(jobs, binaries, strict=True):
        code.setdefault((number[job.kernel], job.config), []).append(binary)
    return code
