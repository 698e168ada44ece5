"""YoloSeg: the loss of masks of pixels beside the boxes of YOLO (MobileNet-YOLO)."""

from __future__ import annotations

from frontends.schema.registry import message_type
from ir import expr as e
from ir.graph import Value
from ir.types import F32

from ..context import LayerContext
from ..loss_terms import check_equal_batches
from ..registry import layer


@layer(
    "YoloSeg",
    param="yolo_seg_param",
    message=message_type("YoloSegParameter"),
    bottoms=3,
    loss=True,
    no_gradient_to=(1, 2),
    fork="MobileNet-YOLO",
    note="As in the fork, `object_scale` alone has an effect, and the gradient is what each "
    "probability is too large by: neither twice that nor times the slope of the sigmoid.",
)
def lower_yolo_seg(ctx: LayerContext) -> Value:
    """Squares of what the sigmoids of masks are too large by, summed per image.

    Bottoms: masks (N, C, H, W) before their sigmoid, labels of as many elements, 0 or 1, and how
    many pixels each class has in each image, (N, C). A class counts for more where it is there
    (label above 0.5): object_scale times 2 less its pixels over those that are of other classes.
    eric612/MobileNet-YOLO: src/caffe/layers/yolo_seg.cpp.
    """
    b, x = ctx.b, ctx.x
    check_equal_batches(ctx)
    _check(ctx)
    images, classes, height, width = x.shape
    label = b.reshape(ctx.bottoms[1], x.shape)
    pixels = b.reshape(ctx.bottoms[2], (images, classes, 1, 1))
    own = b.sum(pixels, (0,))
    others = b.sum(b.map(e.dyn(height * width, F32) - e.arg(0), pixels), (0,))
    scale = float(ctx.param.object_scale)
    given, wanted, share = e.arg(0), e.arg(1), e.arg(2) / e.arg(3)
    weight = e.where(wanted > 0.5, (2.0 - share) * scale, scale)
    delta = e.stop((e.sigmoid(given) - wanted) * weight)
    number = e.dyn(images, F32)
    term = e.grad_as(delta * delta / number, delta / number * given)
    return b.reshape(b.sum(b.map(term, x, label, own, others), range(4)), ())


def _check(ctx: LayerContext) -> None:
    x, label, pixels = ctx.bottoms
    names = ctx.layer.bottom
    ctx.check(
        x.type.rank == 4,
        f"'{names[0]}' has shape {list(x.shape)}; masks (N, C, H, W) are expected",
        "bottom",
    )
    ctx.check(
        label.type.size == x.type.size and (*label.shape, 1)[1] == x.shape[1],
        f"'{names[1]}' has shape {list(label.shape)}; one label for each element of "
        f"'{names[0]}', {list(x.shape)}, is expected",
        "bottom",
        index=1,
    )
    ctx.check(
        pixels.type.size == x.shape[0] * x.shape[1],
        f"'{names[2]}' has shape {list(pixels.shape)}; {x.shape[0]} images times {x.shape[1]} "
        "numbers of pixels are expected",
        "bottom",
        "a Reduction of the labels from axis 2 on",
        index=2,
    )
