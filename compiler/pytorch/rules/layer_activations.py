"""Layers that work element by element."""

from __future__ import annotations

from ..printing.expressions import float_text
from ..printing.matching import map_text, numbers_in, only_map
from ..printing.registry import LayerView, TorchModule, layer_rule

_MODULES = {"sigmoid(a0)": "nn.Sigmoid()", "tanh(a0)": "nn.Tanh()", "max(a0, 0.0)": "nn.ReLU()"}


@layer_rule("ReLU", "Sigmoid", "TanH", "ELU")
def activation(layer: LayerView) -> TorchModule | None:
    text = only_map(layer)
    if text in _MODULES:
        return TorchModule(_MODULES[text])
    leaky = numbers_in("where(gt(a0, 0.0), a0, mul(a0, #))", text)
    if leaky:
        return TorchModule(f"nn.LeakyReLU({float_text(*leaky)})")
    linear = numbers_in("where(gt(a0, 0.0), a0, mul(expm1(min(0.0, a0)), #))", text)
    return TorchModule(f"nn.ELU({float_text(*linear)})") if linear else None


@layer_rule("PReLU")
def prelu(layer: LayerView) -> TorchModule | None:
    """One slope for each channel; one for all is a scalar in Caffe, which PyTorch's is not."""
    nodes = layer.views()
    if len(nodes) != 1 or map_text(nodes[0]) != "where(gt(a0, 0.0), a0, mul(a0, a1))":
        return None
    if len(layer.variables) != 1 or layer.variables[0].type.rank != 1:
        return None
    return TorchModule(f"nn.PReLU({int(layer.variables[0].type.shape[0])})", ("weight",))
