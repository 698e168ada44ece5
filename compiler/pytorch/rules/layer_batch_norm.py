"""BatchNorm."""

from __future__ import annotations

from ..printing.expressions import float_text
from ..printing.matching import call_with
from ..printing.registry import LayerView, TorchModule, layer_rule

_PLAIN = {"use_global_stats", "moving_average_fraction", "eps"}


@layer_rule("BatchNorm")
def batch_norm(layer: LayerView) -> TorchModule | None:
    """A helper with Caffe's three blobs; forks with more are written op by op."""
    if layer.settings is None or len(layer.variables) != 3:
        return None
    param = layer.settings.batch_norm_param
    if not _PLAIN.issuperset(param.fields_set()):
        return None
    stored = param.use_global_stats if param.has("use_global_stats") else None
    made = call_with(
        "BatchNorm",
        str(int(layer.variables[0].type.shape[0])),
        eps=(float_text(param.eps), "1e-05"),
        fraction=(float_text(param.moving_average_fraction), "0.999"),
        stored=(stored, None),
    )
    return TorchModule(made, ("mean", "variance", "weight"), helper="batch_norm")
