"""waifu2x: numbers of fields in lltcggie/caffe, branch lltcggie/custom."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "waifu2x",
    "waifu2x",
    """
LayerParameter crop_center_param=149
CropCenterParameter crop_size=1
""",
)
