"""A label that no class has is refused when it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.graph import Value
from roastery.building import LogReport, NetBuilder, NetRequest
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.logging import CaffeLog


def run(
    label: float,
    *,
    classes: int = 3,
    loss: str = "SoftmaxWithLoss",
    more: str = "",
    before: str = "",
    scores: str = "ip",
    labels: str = "y",
) -> float:
    text = f"""
layer {{ name: "data" type: "DummyData" top: "x" top: "y" dummy_data_param {{
  shape {{ dim: 4 dim: 2 }} shape {{ dim: 4 }}
  data_filler {{ type: "uniform" }} data_filler {{ value: {label} }} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param {{ num_output: {classes} }} }} {before}
layer {{ name: "loss" type: "{loss}" bottom: "{scores}" bottom: "{labels}" top: "loss" {more} }}
layer {{ name: "again" type: "Silence" bottom: "y" }}
"""
    builder = NetBuilder(open_backend("reference"), CompileOptions(), LogReport(CaffeLog()))
    built = builder.build(
        NetRequest(nets.net_from_text(text, "net.prototxt"), nets.state_message("TEST")), 1
    )
    return built.net.forward_loss()


@pytest.mark.parametrize("label", [0, 2, 2.5, -0.5])
def test_labels_of_a_class_pass(label: float) -> None:
    assert run(label) == pytest.approx(1.0986, abs=1e-3)


@pytest.mark.parametrize("label", [3, -1, 255])
@pytest.mark.parametrize("loss", ["SoftmaxWithLoss", "Accuracy", "MultinomialLogisticLoss"])
def test_other_labels_are_refused_with_their_place(label: float, loss: str) -> None:
    with pytest.raises(RoasteryError) as caught:
        run(label, loss=loss)
    text = str(caught.value)
    assert f"label {label} (value 0 of the batch in 'y')" in text
    assert "3 class(es): 0 to 2" in text
    assert "net.prototxt:7" in text and "(layer 'loss')" in text


def test_the_ignored_label_passes() -> None:
    assert run(255, more="loss_param { ignore_label: 255 }") == 0.0
    assert run(9, loss="Accuracy", more="accuracy_param { ignore_label: 9 }") == 0.0


def test_accuracy_counts_what_a_loss_ignores_as_wrong() -> None:
    second = 'layer { name: "found" type: "Accuracy" bottom: "ip" bottom: "y" top: "found" }'
    assert run(255, more="loss_param { ignore_label: 255 }", before=second) == 0.0
    with pytest.raises(RoasteryError, match="layer 'found' has 3 class"):
        run(254, more="loss_param { ignore_label: 255 }", before=second)


def test_only_a_layer_that_ignores_labels_lets_the_ignored_one_pass() -> None:
    with pytest.raises(RoasteryError, match="label 255"):
        run(255, loss="HingeLoss", more="loss_param { ignore_label: 255 }")


def test_labels_are_followed_through_layers_that_share_their_data() -> None:
    column = """layer { name: "c" type: "Reshape" bottom: "y" top: "column"
      reshape_param { shape { dim: 4 dim: 1 } } }"""
    assert run(2, before=column, labels="column") > 0
    with pytest.raises(RoasteryError, match="label 3 "):
        run(3, before=column, labels="column")


def test_labels_that_were_computed_with_are_not_looked_at() -> None:
    power = 'layer { name: "p" type: "Power" bottom: "y" top: "y" power_param { scale: 0.5 } }'
    assert run(4, before=power) > 0


def test_every_score_of_a_row_is_a_class() -> None:
    """Caffe: dim = count / num. So scores of 4 x 3 x 2 have 6 classes."""
    wide = """layer { name: "r" type: "Reshape" bottom: "ip" top: "wide"
      reshape_param { shape { dim: 4 dim: 3 dim: 2 } } }"""
    assert run(5, classes=6, loss="HingeLoss", before=wide, scores="wide") > 0
    with pytest.raises(RoasteryError, match=r"6 class\(es\): 0 to 5"):
        run(6, classes=6, loss="HingeLoss", before=wide, scores="wide")


def test_a_layer_of_ones_own_says_what_labels_it_takes() -> None:
    @roastery.layer("OwnLoss", bottoms=2, loss=True, no_gradient_to=[1], replace=True)
    def own_loss(ctx: roastery.LayerContext) -> Value:
        ctx.takes_labels(ctx.x.shape[1], ignored=9)
        return ctx.b.sum(ctx.x, (0, 1))

    run(2, loss="OwnLoss")
    run(9, loss="OwnLoss")
    with pytest.raises(RoasteryError, match=r"label 3 .*layer 'loss' has 3 class\(es\)"):
        run(3, loss="OwnLoss")


# --- boxes ---------------------------------------------------------------------------------

BOXES = """
layer { name: "p" type: "DummyData" top: "prior" top: "loc" top: "conf" dummy_data_param {
  shape { dim: 1 dim: 2 dim: 8 } shape { dim: 1 dim: 8 } shape { dim: 1 dim: 6 }
  data_filler { value: 0.5 } data_filler { value: 0 } data_filler { value: 0 } } }
layer { name: "data" type: "HDF5Data" top: "gt" hdf5_data_param { source: "list" batch_size: 1 } }
layer { name: "loss" type: "MultiBoxLoss" bottom: "loc" bottom: "conf" bottom: "prior" bottom: "gt"
  top: "loss" multibox_loss_param { num_classes: 3 PARAM } }
"""


def run_boxes(folder: Path, *rows: tuple[float, float], param: str = "") -> None:
    """Of boxes (item, label)."""
    h5py = pytest.importorskip("h5py")
    table = np.zeros((1, 1, len(rows), 8), np.float32)
    table[0, 0, :, :2] = rows
    table[..., 5:7] = 0.5
    with h5py.File(folder / "data.h5", "w") as file:
        file["gt"] = table
    (folder / "list").write_text(f"{folder}/data.h5\n")
    text = BOXES.replace('"list"', f'"{folder}/list"').replace("PARAM", param)
    builder = NetBuilder(open_backend("reference"), CompileOptions(), LogReport(CaffeLog()))
    message = nets.net_from_text(text, "net.prototxt")
    builder.build(NetRequest(message, nets.state_message("TEST")), 1).net.forward_loss()


def test_boxes_of_a_class_pass(tmp_path: Path) -> None:
    run_boxes(tmp_path, (0, 1), (0, 2), (-1, -1), (0, 2.5))
    run_boxes(tmp_path, (0, 0), param="background_label_id: 2")


@pytest.mark.parametrize("label", [0, 3, -1, 255])
def test_other_boxes_are_refused(tmp_path: Path, label: float) -> None:
    with pytest.raises(RoasteryError) as caught:
        run_boxes(tmp_path, (0, 1), (0, label))
    text = str(caught.value)
    assert f"a box with label {label} (row 1 of the batch in 'gt')" in text
    assert "3 class(es): 0 to 2, of which 0 is the background" in text
    assert "net.prototxt:6" in text
