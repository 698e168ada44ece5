"""One lowering serves all sizes: calls of it are counted while real nets run at several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import frontends.lowering.layer as lowering
import roastery
import roastery.caffe as caffe
from tests.support.sample_nets import dense, fully_convolutional, inputs, layer, lenet

Count = Callable[[], int]


@pytest.fixture
def layers_lowered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """How many layers were lowered since it was asked last."""
    count = 0
    place = lowering.shown_place  # called once for each layer

    def counting(message: object) -> object:
        nonlocal count
        count += 1
        return place(message)  # type: ignore[arg-type]

    monkeypatch.setattr(lowering, "shown_place", counting)

    def since() -> int:
        nonlocal count
        found, count = count, 0
        return found

    yield since


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


def labels(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32) % 10


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_batches_of_1_5_and_64(tmp_path: Path, layers_lowered: Count, phase: str) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(lenet(64))
    net = roastery.compile(file, phase=phase, device="reference")
    assert layers_lowered() > 5
    for batch in (1, 5, 64, 5):
        data = random(batch, 1, 28, 28)
        loss = net(data=data, label=labels(batch))["loss"]
        assert layers_lowered() == 0
        file.write_text(lenet(batch))
        alone = roastery.compile(file, phase=phase, device="reference")
        np.testing.assert_array_equal(loss, alone(data=data, label=labels(batch))["loss"])
        assert layers_lowered() > 5


def test_two_image_sizes_of_a_fully_convolutional_net(
    tmp_path: Path, layers_lowered: Count
) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(fully_convolutional(2, 40, 48))
    net = roastery.compile(file, device="reference")
    layers_lowered()
    for batch, height, width in ((2, 40, 48), (1, 64, 32), (3, 33, 65)):
        data = random(batch, 3, height, width)
        pixels = net(data=data)["prob"]
        assert layers_lowered() == 0
        file.write_text(fully_convolutional(batch, height, width))
        alone = roastery.compile(file, device="reference")
        np.testing.assert_array_equal(pixels, alone(data=data)["prob"])
        assert layers_lowered() > 5


def test_layers_of_a_pycaffe_net(tmp_path: Path, layers_lowered: Count) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(fully_convolutional(2, 40, 48))
    net = caffe.Net(str(file), caffe.TEST, device="reference")
    layers_lowered()
    for batch, height, width in ((2, 40, 48), (1, 64, 32), (3, 33, 65)):
        net.blobs["data"].reshape(batch, 3, height, width)
        net.reshape()
        net.forward()
        # For its first new size each layer is lowered alone, then never again.
        assert layers_lowered() == 0


def test_diffs_of_two_means_at_other_batches(tmp_path: Path) -> None:
    """Each is a number that follows from the batch; the passes add them up."""
    mean = "reduction_param { operation: MEAN } loss_weight: 1"
    text = inputs(data=(2, 4)) + dense("ip", "data", 3)
    text += layer("one", "Reduction", "ip", mean) + layer("other", "Reduction", "ip", mean)
    file = tmp_path / "net.prototxt"
    file.write_text(text)
    net = caffe.Net(str(file), caffe.TRAIN)
    for batch in (2, 5, 1, 3):
        net.blobs["data"].reshape(batch, 4)
        net.forward()
        net.clear_param_diffs()
        net.backward()
        np.testing.assert_allclose(net.params["ip"][1].diff, np.full(3, 2 / 3), rtol=1e-6)
