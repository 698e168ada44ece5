"""Decode (MyCaffe): how far encodings are from the centroid of each label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from frontends.schema.registry import declare_message
from frontends.schema.types import enum, optional, repeated
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.centroids import MoveCentroids
from ir.program import FillerSpec
from ir.types import I32, TensorType

from ..centroids import (
    FARTHEST,
    first_labels,
    highest_seen,
    label_count,
    rows_of,
    squared_distances,
)
from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "DecodeParameter",
    enum("Target", PREGEN=0, CENTROID=1, KNN=2),
    optional("int32", "centroid_output_iteration", default=300),
    optional("bool", "enable_centroid_update", default=True),
    optional("int32", "cache_size", default=100),
    optional("bool", "output_centroids", default=False, execution_only=True),
    optional("Target", "target", default="CENTROID"),
    optional("double", "pregen_alpha", default=1.1),
    optional("int32", "pregen_label_count", default=0),
    optional("int32", "k", default=5),
    repeated("int32", "ignore_label"),
)
_OUTPUT_ITERATION = 300
_MOST_TARGETS = 1000
_MOST_NUMBERS = 1 << 24
_SWEEPS = 300
_WIDER = 1.1
"""How much larger the box becomes from which targets are drawn that were too near to others."""


class _Kept(NamedTuple):
    """Centroids (L, D), whether each label is done (L,), how many rows it has seen (L,)."""

    centroids: Value
    done: Value
    seen: Value


@layer(
    "Decode",
    param="decode_param",
    message=MESSAGE,
    bottoms=(1, 2),
    tops=(1, 2),
    no_gradient_to=(0, 1),
    host=True,
    fork="MyCaffe",
    note="There are as many labels as `pregen_label_count` says for every `target`, else 10, and "
    "labels above the largest so far are as far away as can be; MyCaffe makes its blobs larger "
    "with each larger label, and forgets the centroids then. `target: KNN` is refused: in MyCaffe "
    "it gives zeros. The targets of PREGEN are the same in every run. Moves centroids on the host.",
)
def lower_decode(ctx: LayerContext) -> Sequence[Value]:
    """(N, L, 1, 1): the squared distance of every row to the centroid of each label.

    Blobs, which no solver changes: centroids (L, D, 1, 1), whether each is done, how many rows it
    has seen. In training every row moves the centroid of its label, the first one that it has in
    bottom 1. Second top: the centroids, zeros until all are done and ``centroid_output_iteration``
    passes were made. ``target: PREGEN``: the centroids are given, at random and apart.
    MyCaffe: MyCaffe.layers.beta/layers.beta/DecodeLayer.cs.
    """
    b, p = ctx.b, ctx.param
    ctx.check(
        p.target != "KNN",
        "target KNN: MyCaffe's layer never gets beyond filling its cache, and gives zeros",
        "target",
        "CENTROID; or a Knn layer",
    )
    ctx.check(ctx.x.type.rank >= 1, "the bottom is a scalar, which has no rows", "bottom")
    ctx.check(p.cache_size > 0, f"cache_size is {p.cache_size}", "cache_size", "1 or more")
    ctx.check(
        not ctx.train or len(ctx.bottoms) == 2,
        "in training the second bottom holds labels, and it is missing",
        "bottom",
    )
    given = p.target == "PREGEN"
    ctx.check(
        not given or 0 < p.pregen_label_count <= _MOST_TARGETS,
        f"pregen_label_count is {p.pregen_label_count}, with target PREGEN",
        "pregen_label_count",
        f"1 to {_MOST_TARGETS} labels",
    )
    labels, width = label_count(ctx, p), int(math.prod(ctx.x.shape[1:]))
    ignored = sorted({label for label in p.ignore_label if 0 <= label < labels})
    start = _targets(ctx, labels, width) if given else FillerSpec(value=0.0)
    blobs = [
        ctx.parameter((labels, extent, 1, 1), filler, learns=False, overrules=True)
        for extent, filler in ((width, start), (1, 0.0), (1, 0.0))
    ]
    rows = rows_of(ctx, width)
    kept = _Kept(
        b.reshape(blobs[0], (labels, width)), *(b.reshape(blob, (labels,)) for blob in blobs[1:])
    )
    distances = None
    if ctx.train:
        kept, distances = _learned(ctx, kept, rows, ignored)
        for blob, new in zip(blobs, kept, strict=True):
            ctx.write(blob, b.reshape(new, blob.shape))
    if distances is None:
        distances = squared_distances(b, rows, kept.centroids)
    highest = highest_seen(b, kept.seen)
    out: Expr = e.const(False) if given else e.index(1) > e.arg(1, I32)
    for label in ignored:
        out = out | e.equal(e.index(1), label)
    told = b.map(e.where(out, FARTHEST, e.arg(0)), distances, b.reshape(highest, (1, 1)))
    tops = [b.reshape(told, (rows.shape[0], labels, 1, 1))]
    if ctx.top_count > 1:
        tops.append(_told_centroids(ctx, kept, highest, len(ignored)))
    return tops


def _learned(
    ctx: LayerContext, kept: _Kept, rows: Value, ignored: Sequence[int]
) -> tuple[_Kept, Value | None]:
    """What is kept after a batch, and the distances if they were taken while it changed."""
    b, p = ctx.b, ctx.param
    numbers = first_labels(ctx)
    if p.target == "CENTROID" and p.enable_centroid_update:
        many = max(int(rows.shape[0]) * p.cache_size, 1)
        op = MoveCentroids(many)
        distances, centroids, seen = b.emit_all(op, rows, numbers, kept.centroids, kept.seen)
        # Done is a label that comes when so many of it have been there, unless it is ignored.
        came = (e.arg(2) > float(many)) & (e.arg(2) > e.arg(1))
        for label in ignored:
            came = came & e.not_equal(e.index(0), label)
        done = b.map(e.where(came, 1.0, e.arg(0)), kept.done, kept.seen, seen)
        return _Kept(centroids, done, seen), distances
    seen = _counted(ctx, numbers, kept.seen)
    if p.target == "PREGEN":
        done = b.map(e.where(e.arg(0) > 1.0, e.arg(0), 1.0), kept.done)
        return _Kept(kept.centroids, done, seen), None
    known = e.index(0) <= e.arg(1, I32)
    done = b.map(e.where(known, 1.0, e.arg(0)), kept.done, highest_seen(b, seen))
    return _Kept(kept.centroids, done, seen), None


def _counted(ctx: LayerContext, numbers: Value, seen: Value) -> Value:
    """The counts with the labels of this batch."""
    b = ctx.b
    count, labels = numbers.shape[0], seen.shape[0]
    same = e.where(e.equal(e.index(1), e.arg(0, I32)), 1.0, 0.0)
    new = b.map(same, b.reshape(numbers, (count, 1)), shape=(count, labels))
    return b.add(seen, b.reshape(b.sum(new, (0,)), (labels,)))


def _told_centroids(ctx: LayerContext, kept: _Kept, highest: Value, ignored: int) -> Value:
    b, p = ctx.b, ctx.param
    labels, width = kept.centroids.shape
    passes = ctx.state("passes", TensorType((1,)))
    ctx.write(passes, b.map(e.arg(0) + 1.0, passes))
    given = p.target == "PREGEN"
    first = 0
    if not given:
        first = p.centroid_output_iteration if p.enable_centroid_update else _OUTPUT_ITERATION
    total = e.const(labels) if given else e.arg(3, I32) + 1
    wanted = e.where(total > ignored, total - ignored, total)
    ready = (e.arg(1) >= float(first)) & e.equal(e.to_int(e.arg(2)), wanted)
    values = [b.reshape(v, (1, 1)) for v in (passes, b.sum(kept.done, (0,)), highest)]
    told = b.map(e.where(ready, e.arg(0), 0.0), kept.centroids, *values)
    return b.reshape(told, (labels, width, 1, 1))


def _targets(ctx: LayerContext, labels: int, width: int) -> FillerSpec:
    """Centroids at random, whose squared distances are above 2 * ``pregen_alpha``."""
    least = 2.0 * ctx.param.pregen_alpha
    ctx.check(
        0.0 < least < 1e30,
        f"pregen_alpha is {ctx.param.pregen_alpha:g}",
        "pregen_alpha",
        "above 0",
    )
    ctx.check(
        labels * width <= _MOST_NUMBERS,
        f"{labels} targets of {width} numbers",
        "pregen_label_count",
        f"at most {_MOST_NUMBERS} numbers in all",
    )
    rng = np.random.default_rng(labels)
    side = math.sqrt(least)
    points = rng.random((labels, width)) * side
    for _ in range(_SWEEPS if width else 0):
        squares = np.square(points).sum(axis=1)
        apart = squares[:, None] + squares[None, :] - 2.0 * points @ points.T
        near = np.triu(apart <= least * 1.001, 1).any(axis=0)
        if not near.any():
            return FillerSpec("array", array=points.astype(np.float32).reshape(labels, width, 1, 1))
        side *= _WIDER
        points[near] = rng.random((int(near.sum()), width)) * side
    raise ctx.error(f"no {labels} targets of {width} numbers lie so far apart", "pregen_alpha")
