"""``roastery draw_net``. Caffe: python/draw_net.py."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..reading import DIALECT_FLAG
from ..say import say
from ..shape_flags import SHAPE_FLAG, shapes


def _run(arguments: Arguments) -> None:
    from ...caffe.draw import draw_net_to_file
    from ...reading import nets

    net = nets.read_net(arguments.input_net_proto_file)
    say(f"Drawing net to {arguments.output_image_file}")
    phase = None if arguments.phase == "ALL" else arguments.phase
    given = shapes(arguments)
    if given and not (arguments.display_shapes or arguments.display_sizes):
        raise UsageError("--shape is for --display_shapes and --display_sizes: add one of them")
    draw_net_to_file(
        net,
        arguments.output_image_file,
        arguments.rankdir,
        phase,
        arguments.display_lrm,
        display_shapes=arguments.display_shapes,
        display_sizes=arguments.display_sizes,
        shapes=given,
    )


COMMAND = Command(
    name="draw_net",
    summary="Draw a net as SVG, PNG or DOT",
    group="Logs and pictures",
    description="""
        The ending of the output file says its kind: .svg and .dot need nothing else, .png and .pdf
        matplotlib. Where Graphviz is installed, its dot places the nodes. Shapes and sizes are of
        both phases, where they differ both; a net that does not tell the shapes of its data needs
        --shape for them. `roastery view` makes a page to look around in.
    """,
    positionals=(
        Positional("input_net_proto_file", "the net"),
        Positional("output_image_file", "the picture to write"),
    ),
    flags=(
        Flag(
            "rankdir",
            "the direction of the flow: left to right, right to left, top to bottom, or up",
            default="LR",
            choices=("LR", "RL", "TB", "BT"),
        ),
        Flag(
            "phase",
            "draw the layers of one phase",
            default="ALL",
            choices=("ALL", "TRAIN", "TEST"),
        ),
        Flag("display_lrm", "show the learning rate multipliers of layers", "bool", False),
        Flag("display_shapes", "show the shapes of blobs", "bool", False),
        Flag(
            "display_sizes",
            "show how many parameters layers have, and how many products they add up",
            "bool",
            False,
        ),
        SHAPE_FLAG,
        DIALECT_FLAG,
    ),
    examples=(
        Example("roastery draw_net train_val.prototxt net.svg", "all layers, for a browser"),
        Example("roastery draw_net train_val.prototxt net.png --rankdir=TB --phase=TEST",
                "what testing runs, from top to bottom"),
        Example("roastery draw_net deploy.prototxt net.svg --display_shapes --display_sizes",
                "with the shapes of blobs, and with what layers take"),
    ),
    run=_run,
)  # fmt: skip
