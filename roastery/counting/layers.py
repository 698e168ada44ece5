"""What every layer of a lowered net takes, and the net in sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ir.graph import Value
from ir.program import LayerInfo, NetProgram
from runtime.layer_counts import LayerCount, NetCount, ReceptiveField

from .fields import receptive_fields
from .nodes import multiply_adds


def count_net(program: NetProgram) -> NetCount:
    """Of the forward pass of a net, layer by layer."""
    return _counted(program, receptive_fields(program.graph))


def count_sizes(program: NetProgram) -> NetCount:
    """The same as forms over the sizes that may change; receptive fields are those of now."""
    now = count_net(program)
    if program.general is None:
        return now
    general = _counted(program.general, {})
    layers = zip(general.layers, now.layers, strict=True)
    return replace(now, layers=tuple(replace(form, field=at.field) for form, at in layers))


def _counted(program: NetProgram, fields: Mapping[Value, ReceptiveField]) -> NetCount:
    inserted = [layer for layer in program.layers if not layer.is_written]
    split = {top: layer.bottoms[0] for layer in inserted for top in layer.tops}
    written = (layer for layer in program.layers if layer.is_written)
    found = [_count(program, layer, fields, split) for layer in written]
    return NetCount(program.name, program.phase, tuple(found))


def layer_multiply_adds(program: NetProgram, layer: LayerInfo) -> int:
    """Of the forward pass of one layer."""
    return multiply_adds(program.graph.nodes[layer.first : layer.last])


def _count(
    program: NetProgram,
    layer: LayerInfo,
    fields: Mapping[Value, ReceptiveField],
    split: Mapping[str, str],
) -> LayerCount:
    variables = [(name, program.variables[name].type) for name in layer.variables]
    own = [type for name, type in variables if program.owns(layer, name)]
    every = [type for _, type in variables]
    apart = [
        value
        for top, value in zip(layer.tops, layer.top_values, strict=True)
        if not layer.shares_data and top not in layer.bottoms
    ]
    return LayerCount(
        layer.key,
        layer.name,
        layer.type,
        tuple(split.get(name, name) for name in layer.bottoms),
        layer.tops,
        tuple(value.shape for value in layer.bottom_values),
        tuple(value.shape for value in layer.top_values),
        sum(type.size for type in own),
        sum(type.nbytes for type in own),
        sum(type.size for type in every) - sum(type.size for type in own),
        layer_multiply_adds(program, layer),
        sum(value.type.nbytes for value in apart),
        next((fields[value] for value in layer.top_values if value in fields), None),
    )
