"""Artifacts of nets that go on with the regions they found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net

NET = """
layer { name: "cls" type: "Input" top: "cls"
  input_param { shape { dim: 1 dim: 6 dim: 4 dim: 5 } } }
layer { name: "box" type: "Input" top: "box"
  input_param { shape { dim: 1 dim: 12 dim: 4 dim: 5 } } }
layer { name: "info" type: "Input" top: "info" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "p" type: "Python" bottom: "cls" bottom: "box" bottom: "info"
  top: "rois" top: "scores" python_param { module: "rpn.proposal_layer" layer: "ProposalLayer"
    param_str: "{'feat_stride': 16, 'scales': [1], 'rpn_post_nms_top_n': 9, 'rpn_min_size': 12}" } }
layer { name: "roi" type: "ROIPooling" bottom: "box" bottom: "rois" top: "roi"
  roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 0.0625 } }
layer { name: "fc" type: "InnerProduct" bottom: "roi" top: "y"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "r" type: "Reshape" bottom: "rois" top: "z"
  reshape_param { shape { dim: 0 dim: 1 dim: 5 } } }
"""


def inputs(seed: int, scale: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = {
        "cls": rng.uniform(size=(1, 6, 4, 5)),
        "box": scale * rng.standard_normal((1, 12, 4, 5)) - (scale > 1),
        "info": np.array([[64.0, 80.0, 1.0]]),
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_outputs_have_as_many_rows_as_were_found(device: str, tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    weights = tmp_path / "net.caffemodel"
    caffe.Net(str(path), caffe.TEST, device="reference").save(weights)
    net = roastery.compile(path, weights=weights, device="reference")
    export_net(path, weights, tmp_path / "net.roast")
    artifact = roastery.load(tmp_path / "net.roast", device=device)
    counts = []
    for seed, scale in enumerate([0.2, 0.2, 2.0, 6.0]):
        given = inputs(seed, scale)
        expected, found = net(**given), artifact(**given)
        assert found.keys() == expected.keys() == {"scores", "y", "z"}
        for name, array in expected.items():
            assert found[name].shape == array.shape
            np.testing.assert_allclose(found[name], array, atol=1e-4)
        counts.append(len(expected["y"]))
    assert counts[0] == 9 and min(counts) < 9, counts


def test_an_output_that_mixes_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET.replace("dim: 0 dim: 1 dim: 5", "dim: -1"))
    with pytest.raises(RoasteryError, match="'trim' runs on the host"):
        export_net(path, None, tmp_path / "net.roast")
