"""A label that no class has is refused when it is read."""

from __future__ import annotations

import pytest

from ir.errors import RoasteryError
from roastery import nets
from roastery.building import NetBuilder
from roastery.devices import open_backend
from runtime.logging import CaffeLog


def run(label: float, *, classes: int = 3, loss: str = "SoftmaxWithLoss", more: str = "") -> float:
    text = f"""
layer {{ name: "data" type: "DummyData" top: "x" top: "y" dummy_data_param {{
  shape {{ dim: 4 dim: 2 }} shape {{ dim: 4 }}
  data_filler {{ type: "uniform" }} data_filler {{ value: {label} }} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param {{ num_output: {classes} }} }}
layer {{ name: "loss" type: "{loss}" bottom: "ip" bottom: "y" top: "loss" {more} }}
layer {{ name: "again" type: "Silence" bottom: "y" }}
"""
    builder = NetBuilder(open_backend("reference"), CaffeLog())
    built = builder.build(nets.net_from_text(text, "net.prototxt"), nets.state_message("TEST"), 1)
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
