"""``roastery compile``: show what a net becomes, and write every stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional
from ..nets import PYTHON_FLAG, SHAPE_FLAG, STATE_FLAGS, python_layers, shapes, stages
from ..say import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.kernel import Launch


def _run(arguments: Arguments) -> None:
    from time import perf_counter

    from ... import nets
    from ...building import BuildReport, NetRequest, lower_net
    from ...compilation import compile_program, summary, write_dump

    started = perf_counter()
    message = nets.read_net(arguments.net)
    request = NetRequest(
        message,
        nets.net_state(message, arguments.phase, arguments.level, stages(arguments)),
        shapes(arguments),
        assume="missing",
        allow_python=python_layers(arguments),
    )
    lowered = lower_net(request, BuildReport(_say, _say))
    backward = arguments.backward if "backward" in arguments.given else None
    dump = Path(arguments.dump) if arguments.dump else None
    result = compile_program(lowered.program, backward=backward, dump=dump)
    print(summary(result, lowered.unrun), end="")
    print(f"compiled in {perf_counter() - started:.2f} s", end="")
    print(", kernels printed but not compiled" if not arguments.target else "")
    if dump is not None:
        write_dump(dump, message, result)
        say(f"wrote every stage to {dump}/")
    if arguments.target:
        _compile_kernels(result.compiled.launches, arguments.target)


def _say(remark: str) -> None:
    say(f"note: {remark}")


def _compile_kernels(launches: Sequence[Launch], targets: str) -> None:
    from compiler.binary import Target
    from compiler.triton.compile import compile_jobs, jobs_of

    from ..progress import progress_bar

    for name in targets.split(","):
        jobs = jobs_of(launches, Target.parse(name if ":" in name else f"cuda:{name}"))
        with progress_bar(f"compiling for {name}") as draw:
            binaries = compile_jobs(jobs, progress=lambda done, total, _: draw(done, total))
        spilled = sum(b.resources.spills for b in binaries)
        most = max((b.resources.registers for b in binaries), default=0)
        print(
            f"{name}: {len(binaries)} kernels compiled, at most {most} registers, "
            f"{spilled} with spills"
        )


COMMAND = Command(
    name="compile",
    summary="Show what a net becomes: kernels, parameters, memory",
    group="Compiling",
    description=(
        "Lowers the net, differentiates it where it has a loss, runs the passes, prints the "
        "kernels and plans memory. Needs no GPU, and no database, mean file or Python module: what "
        "is not there gets the shapes that the net's fields tell, or that --shape gives. With "
        "--dump every stage is written as text: the graph after each pass, the generated Triton "
        "kernels, the launches and the memory plan."
    ),
    positionals=(Positional("net", "a prototxt"),),
    flags=(
        Flag("dump", "a folder for all stages", default="", metavar="DIR"),
        Flag("phase", "TRAIN or TEST", default="TRAIN", choices=("TRAIN", "TEST")),
        Flag("backward", "with backward or without, whatever the net says", "bool", None),
        SHAPE_FLAG,
        Flag("target", "also compile the kernels: sm_80,sm_90", default="", metavar="TARGETS"),
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
        Example("roastery compile net.prototxt --target sm_90", "compile the kernels, too"),
    ),
    run=_run,
)
