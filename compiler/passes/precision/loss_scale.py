"""The number that diffs are multiplied with while they have 16 bits."""

from __future__ import annotations

LOSS_SCALE = "loss_scale"
"""The name of its port, f32[1], HYPER."""
