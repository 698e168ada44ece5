"""A net whose training has many small kernels of its parameters."""

from __future__ import annotations

from tests.support import sample_nets as sample


def branches(batch: int = 2, side: int = 24, channels: int = 3) -> str:
    """Weights of several shapes, some alike; weight gradients over many pixels, which are split."""
    text = sample.inputs(data=(batch, channels, side, side), label=(batch,))
    text += sample.conv("stem", "data", 8, 3, "pad: 1") + sample.relu("stem")
    for name in "ab":
        text += sample.conv(f"{name}1", "stem", 4, 1) + sample.relu(f"{name}1")
        text += sample.conv(f"{name}3", f"{name}1", 8, 3, "pad: 1") + sample.batch_norm(f"{name}3")
    text += sample.layer("cat", "Concat", "a3 b3") + sample.conv("last", "cat", 6, 3)
    text += sample.pool("ave", "last", "pool: AVE global_pooling: true")
    text += sample.dense("score", "ave", 5)
    return text + sample.layer("loss", "SoftmaxWithLoss", "score label")
