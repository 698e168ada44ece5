"""CenterLoss: its numbers. ydwen/caffe-face."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "caffe_face",
    "CenterLoss",
    """
CenterLossParameter num_output=1 center_filler=2 axis=3
LayerParameter center_loss_param=147
""",
)
