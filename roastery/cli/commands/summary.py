"""``roastery summary``: a net as a table: shapes, parameters, multiply-adds, bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..nets import OWN_PHASE_FLAG, PYTHON_FLAG, STATE_FLAGS, net_of_own_phase
from ..say import say_note
from ..shape_flags import SHAPE_FLAG

if TYPE_CHECKING:
    from runtime.layer_counts import NetCount

_ARCHIVE = b"PK\x03\x04"
"""What an exported net begins with, and no text does."""


def _run(arguments: Arguments) -> None:
    import json

    counted = _exported(arguments) if _is_exported(arguments.net) else _lowered(arguments)
    if arguments.json:
        print(json.dumps(counted.told(), indent=1))
    else:
        print(counted, end="")


def _lowered(arguments: Arguments) -> NetCount:
    from ...building import BuildReport, lower_net
    from ...counting import count_net

    return count_net(
        lower_net(net_of_own_phase(arguments), BuildReport(say_note, say_note)).program
    )


def _is_exported(path: str) -> bool:
    from ...files.regular_file import open_regular

    try:
        with open_regular(path) as file:
            return file.read(len(_ARCHIVE)) == _ARCHIVE
    except OSError:
        return False  # reading the net says why


def _exported(arguments: Arguments) -> NetCount:
    """At the sizes of its export: there is no net to be lowered for others."""
    from runtime.artifact import Artifact
    from runtime.artifact.layers import count_at

    if refused := sorted(arguments.given & {"phase", "shape", "level", "stage"}):
        raise UsageError(
            f"--{refused[0]} is for a prototxt, and {arguments.net} is an exported net: "
            "in Python the summary() of roastery.load(...) tells of other shapes"
        )
    with Artifact.load(arguments.net) as artifact:
        return count_at(artifact.layers(), artifact.manifest.sizes, artifact.path)


COMMAND = Command(
    name="summary",
    summary="Print a net's layers: shapes, parameters, work, bytes",
    group="Nets",
    description="""
        A line for each layer, and sums below: shapes of its bottoms and tops; its parameters, the
        statistics of BatchNorm too (an earlier layer's that it shares are not counted again); what
        its convolutions and matrix products multiply and add up in a forward pass, for the whole
        batch (twice that are floating-point operations; nothing else is counted); bytes of its
        tops, but for those that are in place or a bottom under another shape; and its receptive
        field: how many pixels of the input, high and wide, an element of its first top depends on,
        "whole" where that is all of them, as behind global pooling and InnerProduct. Where branches
        meet it is the region that covers what each of them sees, which is the largest branch's
        where all have the same centre.

        A net that has inputs (deploy.prototxt) is shown in phase TEST, another one in TRAIN. It
        needs no database, mean file or weights: what is not there gets the shapes that the net's
        fields tell, or that --shape gives. Of an exported net (net.roast) it prints what its
        layers were before they were optimised.
    """,
    positionals=(Positional("net", "a prototxt, or an exported net"),),
    flags=(
        OWN_PHASE_FLAG,
        Flag("json", "print JSON instead, with the names of bottoms and tops", "bool", False),
        SHAPE_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example("roastery summary deploy.prototxt", "what each layer takes"),
        Example(
            "roastery summary train_val.prototxt --phase=TEST --shape data=1,3,227,227",
            "what testing runs, for one picture",
        ),
        Example("roastery summary deploy.prototxt --json", "the same, for programs"),
        Example("roastery summary net.roast", "of an exported net"),
    ),
    run=_run,
)
