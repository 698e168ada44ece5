"""``roastery inspect``: what an exported net holds."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Positional


def _run(arguments: Arguments) -> None:
    from runtime.artifact import Artifact

    from ...inspection.artifact_report import artifact_report

    with Artifact.load(arguments.artifact) as artifact:
        print(artifact_report(artifact), end="")


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
    examples=(Example("roastery inspect net.roast", "what is in it"),),
    run=_run,
)
