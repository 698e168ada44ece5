"""BoxAnnotatorOHEM (R-FCN): training on the regions that are hardest."""

from __future__ import annotations

from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import optional, required
from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.types import I32

from ..context import LayerContext
from ..found_rows import ranked_as_cpp
from ..registry import layer

MESSAGE = declare_message(
    "BoxAnnotatorOHEMParameter",
    required("uint32", "roi_per_img"),
    optional("int32", "ignore_label", default=-1),
)


@layer(
    "BoxAnnotatorOHEM",
    param="box_annotator_ohem_param",
    message=MESSAGE,
    bottoms=4,
    tops=2,
    no_gradient_to=(0, 1, 2, 3),
    fork="R-FCN",
    note="Of regions with equal losses those are taken that C++'s `std::sort` puts first "
    "(libstdc++'s).",
)
def lower_box_annotator_ohem(ctx: LayerContext) -> Sequence[Value]:
    """Of every image the ``roi_per_img`` regions of the largest loss keep label and weights.

    Bottoms: regions (R, 5), the first number that of the image; their losses (R, 1), labels (R, 1)
    and weights (R, K). Tops: labels (R, 1, 1, 1), ``ignore_label`` elsewhere; weights (R, K, 1, 1),
    0 elsewhere. All may have further axes of places.
    daijifeng001/caffe-rfcn, intel/caffe: src/caffe/layers/box_annotator_ohem_layer.cpp.
    """
    b, p = ctx.b, ctx.param
    ctx.check(p.roi_per_img > 0, f"roi_per_img is {p.roi_per_img}", "roi_per_img")
    regions, losses, labels, weights = (_maps(ctx, i) for i in range(4))
    count, places = regions.shape[0], regions.shape[2:]
    channels = (5, 1, 1, weights.shape[1])
    for index, value in enumerate((regions, losses, labels, weights)):
        expected = (count, channels[index], *places)
        ctx.check(
            value.shape == expected,
            f"'{ctx.layer.bottom[index]}' has shape {list(ctx.bottoms[index].shape)}; "
            f"{list(expected)} is expected",
            "bottom",
            index=index,
        )
    all = count * places[0] * places[1]
    image = b.map(e.to_int(e.arg(0)), b.slice(regions, 1, 0, 1))
    place = _places(b, b.reshape(losses, (1, all)))
    own = [b.reshape(v, (all, 1)) for v in (image, place)]
    other = [b.reshape(v, (1, all)) for v in (image, place)]
    ahead = e.arg(3) < e.arg(2)  # how many of its image come before a region
    same = e.equal(e.arg(0, image.type.dtype), e.arg(1, image.type.dtype))
    before = b.sum(b.map(e.where(same & ahead, 1, 0), own[0], other[0], own[1], other[1]), (1,))
    rank = b.reshape(before, (count, 1, *places))
    kept = e.arg(0, rank.type.dtype) < p.roi_per_img
    return [
        b.map(e.where(kept, e.arg(1), float(p.ignore_label)), rank, labels),
        b.map(e.where(kept, e.arg(1), 0.0), rank, weights),
    ]


def _places(b: Builder, losses: Value) -> Value:
    """Where each region stands, f32[R], when ``losses`` [1, R] are sorted, largest first; of equal
    ones as std::sort leaves them. A region without a loss (NaN) comes last.
    """
    all = losses.shape[1]
    sorted = ranked_as_cpp(b, losses, all)
    column, row = e.index(0), e.index(1)
    here = e.equal(e.arg(0, I32), column) & (row < e.arg(1, I32))
    counts = b.reshape(sorted.counts, (1, 1))
    # One row of places is compared with every region: the only match gives its number.
    missing = e.where(here, e.to_float(row) - e.dyn(all), 0.0)
    found = b.sum(b.map(missing, sorted.places, counts, shape=(all, all)), (1,))
    return b.reshape(found, (all,))


def _maps(ctx: LayerContext, index: int) -> Value:
    """A bottom with four axes; missing ones are 1, as Caffe's old accessors count them."""
    value = ctx.bottoms[index]
    rank = value.type.rank
    ctx.check(
        1 <= rank <= 4,
        f"'{ctx.layer.bottom[index]}' has shape {list(value.shape)}; 1 to 4 axes are expected",
        "bottom",
        index=index,
    )
    return ctx.b.reshape(value, value.shape + (1,) * (4 - rank))
