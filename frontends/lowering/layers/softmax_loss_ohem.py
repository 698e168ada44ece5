"""SoftmaxWithLossOHEM (R-FCN)."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer
from .softmax_loss import losses_of_labels, softmax_axis


@layer(
    "SoftmaxWithLossOHEM",
    param="loss_param",
    bottoms=2,
    tops=(1, 3),
    loss=True,
    no_gradient_to=(1,),
    also=("softmax_param",),
    inner_softmax=True,
    probabilities="Softmax",
    fork_fields=("normalization", "pre_fixed_normalizer"),
    fork="R-FCN",
    note="With ignore_label it is what the fork computes on GPUs; on CPUs it adds up other losses.",
)
def lower_softmax_loss_ohem(ctx: LayerContext) -> Sequence[Value]:
    """SoftmaxWithLoss with a third top: the loss of every label, for BoxAnnotatorOHEM.

    The second top holds the probabilities. No gradient flows through these two. An ignored label
    has loss 0. daijifeng001/caffe-rfcn, intel/caffe: src/caffe/layers/softmax_loss_ohem_layer.cpp.
    """
    s, terms, labels, where = losses_of_labels(ctx, softmax_axis(ctx))
    tops = [where.normalized(ctx, terms, labels)]
    if ctx.top_count > 1:
        tops.append(s.probabilities(ctx, flows=False))
    if ctx.top_count > 2:
        each = ctx.b.map(e.stop(e.arg(0)), terms)
        tops.append(ctx.b.reshape(each, _shape(ctx)))
    return tops


def _shape(ctx: LayerContext) -> tuple[int, ...]:
    """That of the labels; (N, 1, 1, 1) where there is one for all channels of an image: so R-FCN's
    own layer makes them, and what is added to their losses has four axes."""
    labels = ctx.bottoms[1].shape
    return (*labels, 1, 1, 1) if len(labels) == 1 and ctx.x.type.rank == 4 else labels
