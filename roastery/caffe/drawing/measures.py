"""Shapes of blobs and sizes of layers, for a drawing that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from frontends.prototxt import Message
from frontends.state_rules import filtered
from ir.errors import RoasteryError
from runtime.layer_counts import shape_cell

from ...building import BuildReport, NetRequest, lower_net
from ...counting import LayerCount, count_net
from ...reading import nets


@dataclass
class Measures:
    """What layers take in each phase that a net has.

    Attributes:
        layers: by the identity of their messages. shapes: of blobs, by name; several where phases
            differ.
    """

    layers: dict[int, LayerCount] = field(default_factory=dict)
    shapes: dict[str, list[str]] = field(default_factory=dict)

    def of_blob(self, name: str) -> tuple[str, ...]:
        found = self.shapes.get(name)
        return (" or ".join(found),) if found else ()

    def of_layer(self, layer: Message) -> tuple[str, ...]:
        """Parameters and multiply-adds, where it has any."""
        count = self.layers.get(id(layer))
        if count is None:
            return ()
        lines = []
        if count.parameters or count.shared:
            lines.append(f"{count.parameters + count.shared:,} parameters")
        if count.multiply_adds:
            lines.append(f"{count.multiply_adds:,} multiply-adds")
        return tuple(lines)


def measure(net: Message, phases: Sequence[str], given: Mapping[str, Sequence[int]]) -> Measures:
    """Lower a net in some phases, without its data; nothing is run.

    Args:
        given: shapes of inputs and of tops of data layers that the net does not tell.

    Raises RoasteryError where that works for none of the phases.
    """
    found, errors = Measures(), []
    report = BuildReport.silent()  # what was assumed of data is of no matter here
    for phase in phases:
        state = nets.net_state(net, phase)
        try:
            chosen = filtered(net, state)
            request = NetRequest(net, state, given, assume="missing")
            layers = count_net(lower_net(request, report).program).layers
        except RoasteryError as error:
            errors.append(error)
            continue
        for message, layer in zip(chosen.layer, layers, strict=True):
            found.layers.setdefault(id(message), layer)
            for name, shape in zip(layer.top_names, layer.tops, strict=True):
                shapes = found.shapes.setdefault(name, [])
                if (text := shape_cell(shape)) not in shapes:
                    shapes.append(text)
    if len(errors) == len(phases):
        raise errors[0]
    return found
