"""LRN."""

from __future__ import annotations

from ir.ops.window import WindowSum

from ..printing.expressions import float_text
from ..printing.matching import call_with, map_text, numbers_in
from ..printing.registry import LayerView, TorchModule, layer_rule


@layer_rule("LRN")
def lrn(layer: LayerView) -> TorchModule | None:
    """Across channels: PyTorch divides alpha by the number of channels, too."""
    if layer.ops != ["map", "window_sum", "map"] or map_text(layer.nodes[0]) != "mul(a0, a0)":
        return None
    op, text = layer.nodes[1].op, map_text(layer.nodes[2])
    assert isinstance(op, WindowSum)
    found = numbers_in("mul(a0, pow(add(mul(a1, #), #), #))", text)
    if found is None or [op.slides(a) for a in range(4)] != [False, True, False, False]:
        return None
    share, k, power = found
    size = op.window[1]
    alpha = float_text(share * size)
    beta = (float_text(-power), "0.75")
    return TorchModule(
        call_with(
            "nn.LocalResponseNorm",
            str(size),
            alpha=(alpha, "0.0001"),
            beta=beta,
            k=(float_text(k), "1.0"),
        )
    )
