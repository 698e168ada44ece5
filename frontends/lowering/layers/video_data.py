"""VideoData. weiliu89/caffe: src/caffe/layers/video_data_layer.cpp."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer
from .inputs import AUGMENTATION, lower_fed


@layer(
    "VideoData",
    param="video_data_param",
    bottoms=0,
    tops=(1, 2),
    source=True,
    also=("data_param", "transform_param"),
    fork="SSD",
    fork_fields=AUGMENTATION,
    note="the batch_size is data_param's. A run that asks for more frames than a video has ends "
    "with an error, where SSD's branch interrupts its own process",
)
def lower_video(ctx: LayerContext) -> Sequence[Value]:
    """Frames of a video or a camera. The VideoData of yjxiong/caffe (TSN) reads lists of videos as
    pictures: another layer of the same name."""
    ctx.check(
        not ctx.param.has("source"),
        "source is a field of the VideoData of another fork (TSN), which reads a list of clips",
        "source",
        "video_file names one video, with video_type: VIDEO",
    )
    return lower_fed(ctx)
