"""What a net says while it is built, filled with weights and fed.

Caffe: src/caffe/net.cpp, src/caffe/layer_factory.hpp. What data sources say stands with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .numbers import LoggedNumber, as_float32, format_number
from .records import CaffeLine
from .writer import LineWriter


def _net(line: int) -> CaffeLine:
    return CaffeLine("net.cpp", line)


def logged_shape(shape: Sequence[int]) -> str:
    """``64 1 28 28 (50176)``; of a scalar ``(1)``, after the blank that Caffe leaves too."""
    return "".join(f"{extent} " for extent in shape) + f"({math.prod(shape)})"


class NetLines(LineWriter):
    """Lines of a net, in the order in which building one writes them."""

    def rule_phase_differs(self, phase: int, rule_phase: int, layer: str) -> None:
        """A layer is left out: its rule asks for the other phase (0 TRAIN, 1 TEST)."""
        self.write(
            _net(296),
            f"The NetState phase ({phase}) differed from the phase ({rule_phase}) "
            f"specified by a rule in layer {layer}",
        )

    def rule_level_differs(self, level: int, bound: int, layer: str, *, below: bool) -> None:
        """A rule's level does not admit the net's. Caffe says "above the min_level" of a level
        that is below it; so do we, since readers match the line."""
        name, line = ("min_level", 306) if below else ("max_level", 316)
        self.write(
            _net(line),
            f"The NetState level ({level}) is above the {name} ({bound}) "
            f"specified by a rule in layer {layer}",
        )

    def rule_stage_differs(self, stage: str, layer: str, *, negated: bool) -> None:
        """The net lacks a ``stage`` that a rule asks for, or has a ``not_stage``."""
        words, line = ("contained a not_stage", 347) if negated else ("did not contain stage", 332)
        self.write(
            _net(line), f"The NetState {words} '{stage}' specified by a rule in layer {layer}"
        )

    def initializing_net(self, net_text: str) -> None:
        """``net_text``: the filtered net as prototxt."""
        self.write(_net(53), "Initializing net from parameters: ", body=net_text)

    def creating_layer(self, layer: str, *, registry_only: bool = False) -> None:
        """A layer is made. Layers inside layers (a loss' softmax) only pass the registry."""
        self.write(CaffeLine("layer_factory.hpp", 77), f"Creating layer {layer}")
        if not registry_only:
            self.layer_created(layer)

    def layer_created(self, layer: str) -> None:
        """The second line of :meth:`creating_layer`: what opens a database does so between."""
        self.write(_net(86), f"Creating Layer {layer}")

    def bottom(self, layer: str, blob: str) -> None:
        """The layer reads a blob."""
        self.write(_net(408), f"{layer} <- {blob}")

    def top(self, layer: str, blob: str, *, in_place: bool = False) -> None:
        """The layer writes a blob."""
        if in_place:
            self.write(_net(369), f"{layer} -> {blob} (in-place)")
        else:
            self.write(_net(382), f"{layer} -> {blob}")

    def setting_up(self, layer: str) -> None:
        """The layer's tops get their shapes."""
        self.write(_net(124), f"Setting up {layer}")

    def top_shape(self, shape: Sequence[int]) -> None:
        """The shape of a top, and its number of elements."""
        self.write(_net(131), f"Top shape: {logged_shape(shape)}")

    def loss_weight(self, weight: LoggedNumber) -> None:
        """The top counts in the loss."""
        self.write(_net(134), f"    with loss weight {format_number(as_float32(weight))}")

    def memory_required(self, size: int) -> None:
        """Bytes of all tops so far, as Caffe counts them: without any sharing."""
        self.write(_net(139), f"Memory required for data: {size}")

    def sharing_parameters(self, param: str, owner: str, owner_index: int) -> None:
        """A parameter of this layer is the one of an earlier layer."""
        self.write(
            _net(467),
            f"Sharing parameters '{param}' owned by layer '{owner}', param index {owner_index}",
        )

    def needs_backward(self, layer: str, needs: bool) -> None:
        """Whether the layer takes part in the backward pass."""
        if needs:
            self.write(_net(200), f"{layer} needs backward computation.")
        else:
            self.write(_net(202), f"{layer} does not need backward computation.")

    def produces_output(self, blob: str) -> None:
        """A blob that no layer reads."""
        self.write(_net(244), f"This network produces output {blob}")

    def initialization_done(self) -> None:
        """The net is ready."""
        self.write(_net(257), "Network initialization done.")

    def ignoring_source_layer(self, layer: str, *, hdf5: bool = False) -> None:
        """A weights file holds a layer that the net lacks."""
        self.write(_net(801 if hdf5 else 746), f"Ignoring source layer {layer}")
