"""Counts of a net that runs, at the shapes that its inputs have by now."""

from __future__ import annotations

from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from runtime.layer_counts import NetCount
from runtime.net import PartitionedNet

from .layers import count_net


def count_running(net: PartitionedNet) -> NetCount:
    """Of a forward pass; nothing is run. Raises RoasteryError where a layer cannot take the
    shapes."""
    return count_net(_program_now(net))


def _program_now(net: PartitionedNet) -> NetProgram:
    program, inputs = net.program, dict(net.inputs.shapes)
    before = {name: program.blobs[name][0].shape for name in inputs if name in program.blobs}
    if before == inputs:
        return program
    try:
        return program.at(inputs)
    except OtherSizes:
        if net.context.lower_again is None:
            return program
    asked = {name for layer in program.layers for name in layer.sizes}
    sizes = {name: net.blobs[name].shape for name in asked if name in net.blobs}
    part = net.context.lower_again(
        0, len(program.layers), {**sizes, **inputs}, inputs=inputs, runs_next=False
    )
    if part.sizes is None:
        return part.program
    return part.program.with_numbers(part.sizes, part.values)
