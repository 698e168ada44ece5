"""DataSequence (MyCaffe): pairs and triplets out of a stream of labelled rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.ops.sequences import DrawSequences
from ir.types import I32, TensorType

from ..context import LayerContext
from ..loss_terms import check_row_labels
from ..registry import layer

MESSAGE = declare_message(
    "DataSequenceParameter",
    optional("int32", "k", default=0),
    optional("bool", "balance_matches", default=True),
    optional("int32", "cache_size", default=256),
    optional("bool", "output_labels", default=True),
    optional("int32", "label_count", default=0),
    optional("int32", "label_start", default=0),
)
_MOST_NEGATIVES = 10
_MOST_LABELS = 1 << 20
_MOST_STORED = 1 << 28


@layer(
    "DataSequence",
    param="data_sequence_param",
    message=MESSAGE,
    bottoms=2,
    tops=(2, 3 + _MOST_NEGATIVES),
    no_gradient_to=(0, 1),
    host=True,
    fork="MyCaffe",
    note="`label_count` must be given (MyCaffe takes 0 for the labels of the first batch). Rows "
    "and labels are drawn evenly; `balance_matches` counts for `k: 0` alone, as MyCaffe says it.",
)
def lower_data_sequence(ctx: LayerContext) -> Sequence[Value]:
    """Anchors, which are the first bottom; beside each a row of its label and ``k`` rows of others,
    out of the newest ``cache_size`` rows of each label. With ``k: 0`` there is one row beside it,
    of the same label and of another in turns (``balance_matches``), or always of another.

    The last top, with ``output_labels``: (N, 2 + k, 1, 1) labels, in the order of the tops.
    MyCaffe: MyCaffe.layers.beta/layers.beta/DataSequenceLayer.cs.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    ctx.check(x.type.rank >= 1, "the bottom is a scalar, which has no rows", "bottom")
    ctx.check(0 <= p.k <= _MOST_NEGATIVES, f"k is {p.k}", "k", f"0 to {_MOST_NEGATIVES}")
    ctx.check(p.cache_size > 0, f"cache_size is {p.cache_size}", "cache_size", "1 or more")
    ctx.check(
        2 <= p.label_count <= _MOST_LABELS,
        f"label_count is {p.label_count}",
        "label_count",
        "how many labels there are, from label_start on; at least 2",
    )
    tops = 2 + p.k + (1 if p.output_labels else 0)
    ctx.check(
        ctx.top_count == tops,
        f"k: {p.k} {'with' if p.output_labels else 'without'} labels makes {tops} tops, "
        f"{ctx.top_count} are named",
        "top",
        "anchors, rows of the same label (with k above 0), k of others, labels",
    )
    labels, count, width = ctx.bottoms[1], x.shape[0], int(math.prod(x.shape[1:]))
    check_row_labels(ctx, count)
    stored = p.label_count * p.cache_size * width
    ctx.check(
        stored <= _MOST_STORED,
        f"{p.label_count} labels with {p.cache_size} rows of {width} numbers are {stored} numbers",
        "cache_size",
        f"at most {_MOST_STORED}",
    )
    cache = ctx.state("cache", TensorType((p.label_count, p.cache_size, width)))
    counts = ctx.state("counts", TensorType((p.label_count,)))
    beside = 1 + p.k
    uniform, random = ctx.uniform(0, 2)
    found, others, cached, counted = b.emit_all(
        DrawSequences(p.k > 0, p.k == 0 and p.balance_matches, p.label_start),
        b.reshape(x, (count, width)),
        b.map(e.to_int(e.arg(0)), b.reshape(labels, (count,))),
        cache,
        counts,
        b.map(uniform, *random, shape=(count, beside)),
    )
    ctx.write(cache, cached)
    ctx.write(counts, counted)
    made = [x, *(b.reshape(b.slice(found, 0, t, t + 1), x.shape) for t in range(beside))]
    if p.output_labels:
        names = b.map(e.to_float(e.arg(0, I32)), others)
        every = b.concat([b.reshape(labels, (count, 1)), names], 1)
        made.append(b.reshape(every, (count, 1 + beside, 1, 1)))
    return made
