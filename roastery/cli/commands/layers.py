"""``roastery layers``: which layer types there are, and what they take."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional


def _run(arguments: Arguments) -> None:
    from frontends.lowering.known_layers import find_layer
    from ir.location import Location

    from ...inspection import layer_table

    if arguments.markdown:
        print(layer_table.markdown(), end="")
    elif arguments.type:
        kinds = [find_layer(name, Location()) for name in arguments.type]
        print("\n\n".join(map(layer_table.layer_page, kinds)))
    else:
        print(layer_table.layer_list())


COMMAND = Command(
    name="layers",
    summary="List the layer types and their parameters",
    group="Nets",
    description="""
        Without TYPE: all layer types, with the number of their bottoms and tops and the name of
        their parameters. With TYPE: its parameters, their types and defaults, and where it differs
        from Caffe on purpose.
    """,
    positionals=(
        Positional("type", "a layer type, such as Pooling", required=False, repeated=True),
    ),
    flags=(Flag("markdown", "write docs/layers.md instead", "bool", False),),
    examples=(
        Example("roastery layers", "all layer types"),
        Example("roastery layers Convolution Pooling", "the parameters of two"),
    ),
    run=_run,
)
