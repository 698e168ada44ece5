"""Fast R-CNN: its numbers. rbgirshick/caffe-fast-rcnn."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "fast_rcnn",
    "Fast R-CNN",
    """
DropoutParameter scale_train=2
LayerParameter roi_pooling_param=8266711 smooth_l1_loss_param=8266712
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
SmoothL1LossParameter sigma=1
""",
)
