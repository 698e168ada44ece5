"""Layers that are calls of the runtime: what it says of their tops, and what it does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Value
from ir.ops.dynamic import SizeChanged
from ir.ops.host import HostCall
from ir.program import FillerSpec
from ir.types import TensorType

from .context import LayerContext


def call_on_host(ctx: LayerContext) -> Sequence[Value]:
    """The tops of a layer that the probe knows as :meth:`.probe.Probe.host_layer`."""
    bottoms = [tuple(map(int, v.shape)) for v in ctx.bottoms]  # code of the user's: fixed
    host = ctx.probe.host_layer(ctx.layer, ctx.phase, bottoms, ctx.key)
    blobs = [ctx.parameter(start.shape, FillerSpec("array", array=start)) for start in host.blobs]
    known = [ctx.shapes.get(top) for top in ctx.tops]
    if not ctx.runs_next and (not known or None in known):
        host.reshape(bottoms)
    shapes = [
        came if shape is None else shape for shape, came in zip(known, host.shapes, strict=True)
    ]

    def forward(inputs: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        results = host.forward(inputs, shapes)
        came = [np.shape(r) for r in results]
        if came != shapes:
            # The call counts: when the layer has been made again, its results are taken.
            host.hold(results)
            pairs = zip(ctx.tops, came, shapes, strict=True)
            raise SizeChanged({top: new for top, new, old in pairs if new != old}, ctx.location)
        return results

    types = tuple(TensorType(tuple(s)) for s in shapes)
    op = HostCall(ctx.name, types, forward, host.backward)
    return ctx.b.emit_all(op, *ctx.bottoms, *blobs)
