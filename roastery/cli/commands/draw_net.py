"""``roastery draw_net``. Caffe: python/draw_net.py."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..say import say


def _run(arguments: Arguments) -> None:
    from ...caffe.draw import draw_net_to_file
    from ...reading import nets

    net = nets.read_net(arguments.input_net_proto_file)
    say(f"Drawing net to {arguments.output_image_file}")
    phase = None if arguments.phase == "ALL" else arguments.phase
    draw_net_to_file(
        net, arguments.output_image_file, arguments.rankdir, phase, arguments.display_lrm
    )


COMMAND = Command(
    name="draw_net",
    summary="Draw a net as SVG, PNG or DOT",
    group="Logs and pictures",
    description="""
        The ending of the output file says its kind: .svg and .dot need nothing else, .png and .pdf
        matplotlib. Where Graphviz is installed, its dot places the nodes.
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
    ),
    examples=(
        Example("roastery draw_net train_val.prototxt net.svg", "all layers, for a browser"),
        Example("roastery draw_net train_val.prototxt net.png --rankdir=TB --phase=TEST",
                "what testing runs, from top to bottom"),
    ),
    run=_run,
)  # fmt: skip
