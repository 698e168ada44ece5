"""Every batch that SegNet's DenseImageData read from the recorded lists."""

from __future__ import annotations

import numpy as np
import pytest
from recorded_cases import DATA, case_names

import roastery.caffe as caffe
from roastery.probing.data_config import source_config
from roastery.reading import nets
from runtime.data.opening import open_source

FOLDER = DATA / "dense"
EXPECTED = np.load(FOLDER / "expected.npz")
GREY_LEVELS = 2  # other versions of OpenCV resize with other roundings


@pytest.mark.parametrize("name", case_names("dense"))
def test_batches_are_the_forks(name: str) -> None:
    net = nets.net_from_text((FOLDER / "cases" / f"{name}.prototxt").read_text())
    source = open_source(source_config(net.layer[0]), "TEST", 1, FOLDER)
    keys = [key.split(".") for key in EXPECTED.files if key.split(".")[0] == name]
    assert len(keys) >= 4
    for forward in range(len(keys) // 2):
        wanted = [EXPECTED[f"{name}.{forward}.{top}"] for top in ("data", "label")]
        assert source.shapes() == [array.shape for array in wanted]
        data, label = source.next().arrays
        assert data.dtype == label.dtype == np.float32
        if name == "dense_resized":
            assert np.abs(data - wanted[0]).max() <= GREY_LEVELS
        else:
            np.testing.assert_array_equal(data, wanted[0])
        np.testing.assert_array_equal(label, wanted[1])
    source.close()


def test_a_net_reads_pictures_of_several_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.chdir(FOLDER)
    net = caffe.Net("cases/dense_sizes.prototxt", caffe.TEST)
    for forward in range(4):
        net.forward()
        for top in ("data", "label"):
            np.testing.assert_array_equal(
                net.blobs[top].data, EXPECTED[f"dense_sizes.{forward}.{top}"]
            )
