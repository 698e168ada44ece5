"""Layers that run on the host: Python layers and file outputs."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..host_layers import call_on_host
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
    return call_on_host(ctx)


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
    return call_on_host(ctx)
