"""Layers that run on the host: Python layers and file outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Value
from ir.ops.dynamic import SizeChanged
from ir.ops.host import HostCall
from ir.program import FillerSpec
from ir.types import TensorType

from ..context import LayerContext
from ..registry import layer


@layer(
    "Python",
    param="python_param",
    bottoms=(0, None),
    tops=(0, None),
    in_place=True,
    host=True,
    user_code=True,
    note="`share_in_parallel` has no effect.",
)
def lower_python(ctx: LayerContext) -> Sequence[Value]:
    """The class ``layer`` of ``module``: setup, reshape, forward, backward on blobs.

    Its blobs (``self.blobs.add_blob``) are parameters that start as setup left them. A top that
    forward makes larger or smaller is looked up under its name when the layer is lowered again.
    Caffe: include/caffe/layers/python_layer.hpp.
    """
    for field in ("module", "layer"):
        ctx.check(ctx.param.has(field), f"python_param has no `{field}`", field)
    return _call(ctx)


@layer(
    "HDF5Output",
    param="hdf5_output_param",
    bottoms=2,
    tops=0,
    host=True,
    no_gradient_to=(0, 1),
    note="Every forward pass adds its rows; Caffe stops at the second.",
)
def lower_hdf5_output(ctx: LayerContext) -> Sequence[Value]:
    """Write both bottoms to data sets "data" and "label" of an HDF5 file.

    Caffe: src/caffe/layers/hdf5_output_layer.cpp.
    """
    data, label = ctx.bottoms
    ctx.check(ctx.param.has("file_name"), "hdf5_output_param has no `file_name`", "file_name")
    ctx.check(
        data.shape[:1] == label.shape[:1],
        f"'{ctx.layer.bottom[0]}' has shape {list(data.shape)} and '{ctx.layer.bottom[1]}' "
        f"{list(label.shape)}: they differ in the number of rows",
        "bottom",
    )
    return _call(ctx)


def _call(ctx: LayerContext) -> Sequence[Value]:
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
