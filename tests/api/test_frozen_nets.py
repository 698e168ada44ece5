"""Frozen executables and artifacts: BatchNorm and Scale become part of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
from roastery.api.exporting import export_program
from roastery.reading.nets import net_from_text

NET = """
name: "bn"
layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 7 dim: 9 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "c"
  convolution_param { num_output: 5 kernel_size: 3 weight_filler { type: "xavier" }
                      bias_filler { type: "gaussian" } } }
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "scale" type: "Scale" bottom: "c" top: "c"
  scale_param { bias_term: true filler { type: "gaussian" } bias_filler { type: "gaussian" } } }
layer { name: "relu" type: "ReLU" bottom: "c" top: "c" }
layer { name: "ip" type: "InnerProduct" bottom: "c" top: "y"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
"""


def build(freeze: bool) -> roastery.Executable:
    net = roastery.compile(net_from_text(NET), device="cpu", freeze=freeze)
    random = np.random.default_rng(1)
    for statistic in net.parameters["bn"]:
        statistic[...] = random.uniform(0.5, 1.5, statistic.shape)
    return net


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, 3, 7, 9)).astype(np.float32)


def test_freezing_changes_nothing_but_rounding(x: np.ndarray) -> None:
    plain, frozen = build(False)(x=x)["y"], build(True)(x=x)["y"]
    assert np.abs(plain).max() > 0.1
    np.testing.assert_allclose(frozen, plain, rtol=1e-5, atol=1e-5)


def test_later_edits_count_only_without_freezing(x: np.ndarray) -> None:
    for freeze in (False, True):
        net = build(freeze)
        before = net(x=x)["y"]
        net.parameters["scale"][0][...] *= 2.0
        assert np.array_equal(net(x=x)["y"], before) is freeze


def test_all_batch_sizes_share_what_was_computed_once(x: np.ndarray) -> None:
    net = build(True)
    before = net(x=x)["y"]
    net.parameters["scale"][0][...] *= 2.0
    for count in (1, 2, 1):  # edits do not count, whatever size came when
        np.testing.assert_allclose(net(x=x[:count])["y"], before[:count], rtol=1e-5, atol=1e-5)
    (part,) = net._net.parts
    one, two = part._kept
    assert one.constants and one.constants is two.constants


@pytest.mark.parametrize(("device", "passes"), [("reference", None), ("cpu", "none")])
def test_nothing_is_frozen_where_no_pass_may_run(
    x: np.ndarray, device: str, passes: str | None
) -> None:
    net = roastery.compile(net_from_text(NET), device=device, passes=passes, freeze=True)
    before = net(x=x)["y"]
    net.parameters["scale"][0][...] *= 2.0
    assert not np.array_equal(net(x=x)["y"], before)


def test_where_nothing_is_left_to_compute() -> None:
    """Of Dropout at test time, and of what depends on no input."""
    text = """
    layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 3 dim: 5 } } }
    layer { name: "drop" type: "Dropout" bottom: "x" top: "y" }
    layer { name: "one" type: "Power" bottom: "x" top: "z" power_param { scale: 0 shift: 3 } }
    """
    x = np.arange(15, dtype=np.float32).reshape(3, 5)
    out = roastery.compile(net_from_text(text), device="cpu", freeze=True)(x=x)
    np.testing.assert_array_equal(out["y"], x)
    np.testing.assert_array_equal(out["z"], np.full((3, 5), 3, np.float32))


def test_an_artifact_holds_the_folded_weights(x: np.ndarray, tmp_path: Path) -> None:
    net = build(False)
    path = tmp_path / "bn.roast"
    export_program(net.program, net.store, path, ["cpu"])
    loaded = roastery.load(path)
    np.testing.assert_allclose(loaded(x=x)["y"], net(x=x)["y"], rtol=1e-5, atol=1e-5)
    from runtime.artifact import Artifact

    with Artifact.load(path) as artifact:
        text = artifact.text("graph.txt")
    assert "conv(" in text
    assert "sqrt" not in text  # BatchNorm's arithmetic is gone
