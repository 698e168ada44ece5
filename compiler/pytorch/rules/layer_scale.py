"""Scale."""

from __future__ import annotations

from ..printing.matching import call_with, map_text
from ..printing.registry import LayerView, TorchModule, layer_rule


@layer_rule("Scale")
def scale(layer: LayerView) -> TorchModule | None:
    """By learned tensors: a helper, as PyTorch has none."""
    nodes = layer.views()
    if len(layer.info.bottom_values) != 1 or len(nodes) != 1:
        return None
    text = map_text(nodes[0])
    if text not in ("mul(a0, a1)", "add(mul(a0, a1), a2)"):
        return None
    bias = text != "mul(a0, a1)"
    if len(layer.variables) != 1 + bias:
        return None
    shape = layer.variables[0].type.shape
    spread = nodes[0].inputs[1].shape
    begins = [a for a in range(len(spread)) if spread[a : a + len(shape)] == shape]
    if not shape or not begins or layer.variables[-1].type.shape != shape:
        return None
    behind = len(spread) - begins[0] - len(shape)
    sizes = [str(int(d)) for d in shape]
    made = call_with("Scale", *sizes, behind=(behind, 0), bias=(bias, True))
    return TorchModule(made, ("weight", "bias")[: 1 + bias], helper="scale")
