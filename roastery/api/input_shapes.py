"""Shapes that a caller gives for a net's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ir.errors import RoasteryError


def check_input_shapes(
    argument: str, shapes: Mapping[str, Sequence[int]], inputs: Mapping[str, Sequence[int]]
) -> None:
    """Raise RoasteryError for the shape of what is no input, or gets its shape from data.

    Args:
        argument: what the shapes are called in the call.
        inputs: the shapes that the net's inputs have, by name.
    """
    for name, shape in shapes.items():
        if name not in inputs:
            raise RoasteryError(
                f"{argument} has '{name}', which is no input of the net",
                hint=f"inputs: {', '.join(inputs) or 'none'}",
            )
        if tuple(inputs[name]) != tuple(shape):
            raise RoasteryError(
                f"{argument} gives '{name}' {list(shape)}, and its data layer reads "
                f"{list(inputs[name])}",
                hint="leave it out, or make the layer an Input",
            )
