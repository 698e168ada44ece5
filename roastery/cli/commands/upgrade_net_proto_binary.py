"""``roastery upgrade_net_proto_binary``. Caffe: tools/upgrade_net_proto_binary.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Positional
from ..reading import DIALECT_FLAG
from ..upgrades import report


def _run(arguments: Arguments) -> int:
    from ...tools.upgrade_files import upgrade_net_binary

    return report(upgrade_net_binary(arguments.input, arguments.output), arguments.output)


COMMAND = Command(
    name="upgrade_net_proto_binary",
    summary="Bring old weights up to date",
    group="Models",
    description="""
        Weights of Caffe's first two formats become a .caffemodel of today's, with the net in it.
    """,
    positionals=(
        Positional("input", "the old .caffemodel"),
        Positional("output", "the .caffemodel to write"),
    ),
    flags=(DIALECT_FLAG,),
    examples=(
        Example("roastery upgrade_net_proto_binary old.caffemodel new.caffemodel", "weights"),
    ),
    run=_run,
)
