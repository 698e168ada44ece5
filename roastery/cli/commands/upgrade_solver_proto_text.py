"""``roastery upgrade_solver_proto_text``. Caffe: tools/upgrade_solver_proto_text.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Positional
from ..upgrades import report


def _run(arguments: Arguments) -> int:
    from ...tools.upgrade_files import upgrade_solver_text

    return report(upgrade_solver_text(arguments.input, arguments.output), arguments.output)


COMMAND = Command(
    name="upgrade_solver_proto_text",
    summary="Bring an old solver file up to date",
    group="Models",
    description="""
        `solver_type: ADAM` becomes `type: "Adam"`.
    """,
    positionals=(
        Positional("input", "the old solver file"),
        Positional("output", "the solver file to write"),
    ),
    examples=(
        Example(
            "roastery upgrade_solver_proto_text old_solver.prototxt solver.prototxt", "a solver"
        ),
    ),
    run=_run,
)
