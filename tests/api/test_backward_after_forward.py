"""`Executable.backward` belongs to the forward pass before it, whatever state that pass changed."""

from __future__ import annotations

import numpy as np
import pytest

import roastery
from roastery.reading.nets import net_from_text

RECURRENT = """
layer { name: "in" type: "Input" top: "x" top: "cont"
  input_param { shape { dim: 3 dim: 2 dim: 4 } shape { dim: 3 dim: 2 } } }
layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "y"
  recurrent_param { num_output: 5 weight_filler { type: "xavier" } } }
"""

DROPOUT = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 40 dim: 7 } } }
layer { name: "drop" type: "Dropout" bottom: "x" top: "y" }
"""


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_a_recurrent_net(phase: str) -> None:
    """The second pass starts from the first one's h and c; so does the backward of the second."""
    random = np.random.default_rng(0)
    x = random.standard_normal((3, 2, 4)).astype(np.float32)
    cont = np.ones((3, 2), np.float32)
    diffs = []
    for passes_before_backward in (False, True):
        net = roastery.compile(net_from_text(RECURRENT), phase=phase, device="reference")
        net(x=x, cont=cont)
        if passes_before_backward:
            net.backward(y=np.ones((3, 2, 5)))
        net(x=x, cont=cont)
        diffs.append(net.backward(y=np.ones((3, 2, 5)))["x"])
    assert np.abs(diffs[0]).max() > 0
    np.testing.assert_array_equal(diffs[0], diffs[1])


def test_dropout_has_the_mask_of_its_forward() -> None:
    net = roastery.compile(net_from_text(DROPOUT), phase="TRAIN", device="reference")
    ones = np.ones((40, 7), np.float32)
    for _ in range(2):
        out = net(x=ones)["y"]
        np.testing.assert_array_equal(net.backward(y=ones)["x"], out)
    assert 0 < np.count_nonzero(out) < out.size
