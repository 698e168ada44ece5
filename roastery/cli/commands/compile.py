"""``roastery compile``: show what a net becomes, and write every stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..devices import PRECISION_FLAG
from ..nets import PYTHON_FLAG, SHAPE_FLAG, STATE_FLAGS, python_layers, shapes, stages
from ..passes import FUEL_FLAG, LAYOUT_FLAG, PASSES_FLAG, requested_compilation
from ..say import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.architecture import Architecture
    from compiler.kernel import Launch


def _run(arguments: Arguments) -> None:
    from time import perf_counter

    from compiler.c.lanes import with_layout
    from runtime.machine.processor import cpu_target

    from ...building import BuildReport, NetRequest, lower_net
    from ...devices.compile_options import architectures, kernel_options
    from ...inspection.compilation import compile_program, summary, write_dump
    from ...reading import nets

    started = perf_counter()
    message = nets.read_net(arguments.net)
    request = NetRequest(
        message,
        nets.net_state(message, arguments.phase, arguments.level, stages(arguments)),
        shapes(arguments),
        assume="missing",
        allow_python=python_layers(arguments),
    )
    report = BuildReport(_say, _say)
    targets = architectures(arguments.target)
    if arguments.device == "cpu":
        if targets:
            raise UsageError("--target names GPUs: leave it out, or --device=cpu")
        options = requested_compilation(arguments).options(with_layout(cpu_target()))
    else:
        options = kernel_options(targets, requested_compilation(arguments), report.note)
    lowered = lower_net(request, report)
    backward = arguments.backward if "backward" in arguments.given else None
    dump = Path(arguments.dump) if arguments.dump else None
    result = compile_program(lowered.program, options, backward=backward, dump=dump)
    print(summary(result, lowered.unrun), end="")
    print(f"compiled in {perf_counter() - started:.2f} s", end="")
    print(", kernels printed but not compiled" if not targets else "")
    if dump is not None:
        write_dump(dump, message, result)
        say(f"wrote every stage to {dump}/")
    for target in targets:
        _compile_kernels(result.compiled.launches, target, dump)


def _say(remark: str) -> None:
    say(f"note: {remark}")


def _compile_kernels(
    launches: Sequence[Launch], architecture: Architecture, dump: Path | None
) -> None:
    from compiler.triton.compile import compile_jobs, jobs_of

    from ...inspection.compilation import write_ptx
    from ..progress import progress_bar

    with progress_bar(f"compiling for {architecture}") as draw:
        binaries = compile_jobs(
            jobs_of(launches, architecture), progress=lambda done, total, _: draw(done, total)
        )
    if dump is not None:
        write_ptx(dump / "ptx", launches, binaries)
    spilled = sum(b.resources.spills for b in binaries)
    most = max((b.resources.registers for b in binaries), default=0)
    print(
        f"{architecture}: {len(binaries)} kernels compiled, at most {most} registers, "
        f"{spilled} with spills"
    )


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
        "pass, the generated kernels, the launches and the memory plan, and with --target the "
        "kernels' PTX. A kernel's file runs by itself: one in Triton by Python, one in C (--device "
        "cpu) when it is compiled. It compares the kernel with the reference."
    ),
    positionals=(Positional("net", "a prototxt"),),
    flags=(
        Flag("dump", "a folder for all stages", default="", metavar="DIR"),
        Flag("phase", "TRAIN or TEST", default="TRAIN", choices=("TRAIN", "TEST")),
        Flag(
            "backward",
            "with backward or without, whatever the phase and the net say",
            "bool",
            None,
        ),
        SHAPE_FLAG,
        Flag(
            "device",
            "whose kernels: cuda (Triton's), or cpu (C, for this machine's processor)",
            default="cuda",
            choices=("cuda", "cpu"),
        ),
        Flag("target", "also compile the kernels: sm_80,sm_90", default="", metavar="TARGETS"),
        PRECISION_FLAG,
        PASSES_FLAG,
        FUEL_FLAG,
        LAYOUT_FLAG,
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
        Example("roastery compile deploy.prototxt --device cpu --dump out", "its kernels in C"),
        Example("roastery compile net.prototxt --target sm_90", "compile the kernels, too"),
        Example(
            "roastery compile net.prototxt --target sm_90 --precision tf32 --dump out",
            "with matrix units; their instructions are in out/ptx",
        ),
    ),
    run=_run,
)
