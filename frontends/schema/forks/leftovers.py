"""Fields of Caffe's older layers that nets still carry in layers of the current format."""

from __future__ import annotations

from ..registry import extend_message
from ..types import repeated

extend_message(
    "LayerParameter",
    repeated("float", "blobs_lr"),
    repeated("float", "weight_decay"),
)
