"""VideoData: SSD's, and temporal segment networks'.

weiliu89/caffe and yjxiong/caffe: src/caffe/layers/video_data_layer.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer
from .inputs import AUGMENTATION, SCALED_CROPS, lower_fed


@layer(
    "VideoData",
    param="video_data_param",
    bottoms=0,
    tops=(1, 2),
    source=True,
    also=("data_param", "transform_param"),
    fork="SSD, TSN",
    fork_fields=(*AUGMENTATION, *SCALED_CROPS),
    note="with a source it is TSN's, which reads lists of clips, otherwise SSD's, whose batch_size "
    "is data_param's. A run that asks for more frames than a video has ends with an error, where "
    "SSD's branch interrupts its own process",
)
def lower_video(ctx: LayerContext) -> Sequence[Value]:
    """Frames of a video, a camera, or clips; runtime.data.sources has a file for each fork."""
    ctx.check(
        not (ctx.param.has("source") and ctx.param.has("video_file")),
        "both source and video_file are given",
        "source",
        "source names a list of clips (TSN), video_file names one video (SSD)",
    )
    return lower_fed(ctx)
