"""``roastery inspect``: what an exported net holds."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..say import say


def _run(arguments: Arguments) -> None:
    from runtime.artifact import Artifact

    from ...inspection.artifact_report import artifact_report, member_table, plan_shown

    with Artifact.load(arguments.artifact) as artifact:
        print(artifact_report(artifact), end="")
        if arguments.members:
            print(f"\n{member_table(artifact)}", end="")
        if arguments.picture:
            from ...inspection.memory_picture import draw_memory

            draw_memory(plan_shown(artifact), artifact.manifest.name, arguments.picture)
            say(f"wrote {arguments.picture}")


COMMAND = Command(
    name="inspect",
    summary="Show what an exported net holds: plan, kernels, memory",
    group="Deploying",
    description=(
        "Checks the file and prints what it takes and gives, what made it, for which CPUs it has "
        "machine code, and the plans: every launch with its grid and configuration, where the "
        "buffers lie, and of GPUs the kernels with the registers and shared memory of their code. "
        "Nothing of it is run, and no GPU is needed. The file is a zip: the sources of kernels for "
        "GPUs are in `kernels/`."
    ),
    positionals=(Positional("artifact", "a file that roastery export wrote"),),
    flags=(
        Flag(
            "picture",
            "draw where buffers lie in memory, step by step: .svg, or .png and .pdf by matplotlib",
            default="",
            metavar="FILE",
        ),
        Flag("members", "the members too, with their sizes and checksums", "bool", False),
    ),
    examples=(
        Example("roastery inspect net.roast", "what is in it"),
        Example("roastery inspect net.roast --picture memory.svg", "its memory, for a browser"),
    ),
    run=_run,
)
