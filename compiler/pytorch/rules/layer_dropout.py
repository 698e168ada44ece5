"""Dropout."""

from __future__ import annotations

from ..printing.expressions import float_text
from ..printing.registry import LayerView, TorchModule, layer_rule

_PLAIN = {"dropout_ratio"}


@layer_rule("Dropout")
def dropout(layer: LayerView) -> TorchModule | None:
    """``nn.Dropout`` scales what is left in training, as Caffe does; forks may do otherwise."""
    if layer.settings is None:
        return None
    param = layer.settings.dropout_param
    if not _PLAIN.issuperset(param.fields_set()):
        return None
    return TorchModule(f"nn.Dropout({float_text(param.dropout_ratio)})")
