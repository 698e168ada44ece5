"""TRT: a net inside a layer."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..host_layers import call_on_host
from ..registry import layer


@layer(
    "TRT",
    param="trt_param",
    bottoms=2,
    host=True,
    deployed=True,
    no_gradient_to=(0, 1),
    fork="NVCaffe",
    note="Roastery runs the deploy net itself, in float32 whatever trt_mode says. Hits are not "
    "counted: an Accuracy layer does that.",
)
def lower_trt(ctx: LayerContext) -> Sequence[Value]:
    """What the net ``deploy``, with the weights ``model``, makes of a picture.

    Bottoms: the picture (1, C, H, W), and its label, which changes nothing.
    NVIDIA/caffe: src/caffe/layers/trt_layer.cpp.
    """
    for field in ("deploy", "model"):
        ctx.check(bool(ctx.param[field]), f"trt_param has no `{field}`", field)
    ctx.check(
        bool(ctx.param.deploy_outputs),
        "trt_param has no `deploy_outputs`",
        "deploy_outputs",
        'name the blob that the net inside ends with: deploy_outputs: "prob"',
    )
    batch = ctx.x.shape[0] if ctx.x.shape else 0
    ctx.check(
        batch == 1,
        f"'{ctx.layer.bottom[0]}' has shape {list(ctx.x.shape)}; the net inside takes a picture at "
        "a time",
        "bottom",
        "set batch_size: 1",
    )
    return call_on_host(ctx)
