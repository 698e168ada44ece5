"""``roastery upgrade_net_proto_text``. Caffe: tools/upgrade_net_proto_text.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Positional
from ..upgrades import report


def _run(arguments: Arguments) -> int:
    from ...tools.upgrade_files import upgrade_net_text

    return report(upgrade_net_text(arguments.input, arguments.output), arguments.output)


COMMAND = Command(
    name="upgrade_net_proto_text",
    summary="Bring an old net up to date",
    group="Models",
    description="""
        Nets of Caffe's first two formats (V0 and V1: `layers`, `input_dim`, layer types in
        capitals) become nets of today's.
    """,
    positionals=(
        Positional("input", "the old prototxt"),
        Positional("output", "the prototxt to write"),
    ),
    examples=(Example("roastery upgrade_net_proto_text old.prototxt new.prototxt", "a net"),),
    run=_run,
)
