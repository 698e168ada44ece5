"""``roastery compile``: show what a net becomes, and write every stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..baselines import BASELINES
from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..compilation import (
    FUEL_FLAG,
    LAYOUT_FLAG,
    MEMORY_BUDGET_FLAG,
    PASSES_FLAG,
    PRECISION_FLAG,
    requested_compilation,
)
from ..nets import BACKWARD_FLAG, PYTHON_FLAG, STATE_FLAGS, net_alone
from ..say import say
from ..shape_flags import SHAPE_FLAG

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from compiler.architecture import Architecture
    from compiler.kernel import Kernel, Launch
    from compiler.target import Target


def _run(arguments: Arguments) -> None:
    import json
    from time import perf_counter

    from compiler.target import typical

    from ...building import BuildReport, lower_net
    from ...devices.compile_options import device_options, kernel_options
    from ...inspection.compilation import compile_program, summary, write_dump, write_stage
    from ...inspection.predicted import predicted_json, predicted_net

    started = perf_counter()
    request = net_alone(arguments)
    report = BuildReport(_say, _say)
    in_c, targets = _targets(arguments)
    if arguments.json and not targets:
        raise UsageError("--json has predictions for GPUs: name some by --target sm_80,sm_90")
    if in_c or arguments.device == "cpu":
        from ...api.cpu_baselines import baseline_target

        target = baseline_target(arguments.cpu_baseline or None)
        options = device_options(target, requested_compilation(arguments), report.note)
    else:
        options = kernel_options(targets, requested_compilation(arguments), report.note)
    lowered = lower_net(request, report)
    backward = arguments.backward if "backward" in arguments.given else None
    dump = Path(arguments.dump) if arguments.dump else None
    result = compile_program(lowered.program, options, backward=backward, dump=dump)
    print(summary(result, lowered.unrun), end="")
    print(f"compiled in {perf_counter() - started:.2f} s", end="")
    print("" if in_c or targets else ", kernels printed but not compiled")
    found = [
        predicted_net(result.compiled, typical(architecture), options.precision)
        for architecture in targets
    ]
    for one in found:
        print(one, end="")
    if dump is not None:
        write_dump(dump, request.net, result)
        write_stage(dump / "predicted.txt", "".join(map(str, found)))
        say(f"wrote every stage to {dump}/")
    if arguments.json:
        numbers = json.dumps(predicted_json(request.net.name, found), indent=1)
        write_stage(Path(arguments.json), numbers + "\n")
    for architecture in targets:
        _compile_kernels(result.compiled.launches, architecture, dump)
    if in_c:
        _compile_c(result.compiled.plan.kernels, options.target)


def _targets(arguments: Arguments) -> tuple[bool, list[Architecture]]:
    """Whether kernels in C are compiled, and for which GPUs others are."""
    from ...devices.compile_options import architectures

    names = [name.strip() for name in arguments.target.split(",")]
    in_c = not {"c", "cpu"}.isdisjoint(names)
    gpus = architectures(",".join(name for name in names if name not in ("c", "cpu")))
    if in_c and (gpus or ("device" in arguments.given and arguments.device != "cpu")):
        raise UsageError("--target=c is for CPUs: compile for GPUs by themselves")
    if arguments.device == "cpu" and gpus:
        raise UsageError("--target names GPUs: leave it out, or --device=cpu")
    if arguments.cpu_baseline and not in_c and arguments.device != "cpu":
        raise UsageError("--cpu-baseline is for kernels in C: add --target=c, or --device=cpu")
    return in_c, gpus


def _say(remark: str) -> None:
    say(f"note: {remark}")


def _compile_kernels(
    launches: Sequence[Launch], architecture: Architecture, dump: Path | None
) -> None:
    from compiler.triton.compile import compile_jobs, jobs_of

    from ...devices.compiling import COMPILING
    from ...inspection.compilation import write_ptx

    jobs = jobs_of(launches, architecture)
    binaries = compile_jobs(jobs, progress=lambda done, total, _: COMPILING(done, total))
    if dump is not None:
        write_ptx(dump / "ptx", launches, binaries)
    spilled = sum(b.resources.spills for b in binaries)
    most = max((b.resources.registers for b in binaries), default=0)
    print(
        f"{architecture}: {len(binaries)} kernels compiled, at most {most} registers, "
        f"{spilled} with spills"
    )


def _compile_c(kernels: Collection[Kernel], target: Target) -> None:
    from ...api.cpu_code import compile_kernels
    from ...devices.compiling import COMPILING

    compiler = compile_kernels(kernels, target, COMPILING)
    print(f"c ({target.instructions}): {len(kernels)} kernels compiled by {compiler}")


COMMAND = Command(
    name="compile",
    summary="Show what a net becomes: kernels, parameters, memory",
    group="Compiling",
    description=(
        "Lowers the net, runs the passes, prints the kernels and plans memory: for the graph that "
        "`train` runs, which is differentiated, or, in phase TEST and for a net without a loss, "
        "for the one that `test` and `export` run, in which BatchNorm and Scale are part of the "
        "weights (an artifact lacks the sum of the losses). Needs no GPU, and no database, mean "
        "file or Python module: what is not there gets the shapes that the net's fields tell, or "
        "that --shape gives. With --dump every stage is written as text: the graph after each "
        "pass, the generated kernels, the launches and the memory plan, and with --target sm_N the "
        "kernels' PTX. A kernel's file runs by itself: one in Triton by Python, one in C (--device "
        "cpu, --target c) when it is compiled. It compares the kernel with the reference.\n\n"
        "For each GPU among the targets it also shows what each kernel would take on a typical "
        "device of that generation: predicted milliseconds; the roofline, which no kernel beats "
        "(its bytes at the memory's bandwidth, or its products at the highest rate of the "
        "precision); bytes that it reads and writes; operations of its matrix products; and what "
        "binds: matrix units, multiply-adds, instructions, caches, memory, latency, or the launch "
        "itself. Launches that are alike are one line, the longest first. Nothing is measured: "
        "`roastery help performance` says how exact that is."
    ),
    positionals=(Positional("net", "a prototxt"),),
    flags=(
        Flag("dump", "a folder for all stages", default="", metavar="DIR"),
        Flag("phase", "TRAIN or TEST", default="TRAIN", choices=("TRAIN", "TEST")),
        BACKWARD_FLAG,
        SHAPE_FLAG,
        Flag(
            "device",
            "whose kernels: cuda (Triton's), or cpu (C, for this machine's processor)",
            default="cuda",
            choices=("cuda", "cpu"),
        ),
        Flag(
            "target",
            "also compile the kernels: sm_80,sm_90 (Triton's, for GPUs), or c (in C, for CPUs)",
            default="",
            metavar="TARGETS",
        ),
        Flag(
            "cpu_baseline",
            f"for which CPUs C is printed: {BASELINES}; without it for those that have the vectors "
            "of this one",
            default="",
            metavar="NAME",
        ),
        Flag("json", "also write what is predicted to a file, as JSON", default="", metavar="FILE"),
        PRECISION_FLAG,
        PASSES_FLAG,
        FUEL_FLAG,
        LAYOUT_FLAG,
        MEMORY_BUDGET_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example("roastery compile train_val.prototxt", "layers, kernels and memory"),
        Example("roastery compile deploy.prototxt --dump out", "and every stage as text"),
        Example(
            "roastery compile train_val.prototxt --shape data=32,3,227,227 --shape label=32",
            "without its database",
        ),
        Example("roastery compile deploy.prototxt --target c --dump out", "its kernels in C"),
        Example(
            "roastery compile net.prototxt --target sm_90",
            "compile the kernels, too, and predict what each would take on an H100",
        ),
        Example(
            "roastery compile net.prototxt --target sm_90 --precision tf32 --dump out",
            "with matrix units; their instructions are in out/ptx",
        ),
    ),
    run=_run,
)
