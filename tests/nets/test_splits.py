"""Split layers where several layers read a blob: names, loss weights, diffs."""

from __future__ import annotations

import numpy as np
import pytest

import roastery
from frontends.lowering.splits import with_splits
from frontends.state_rules import filtered
from ir.program import NetProgram
from roastery.reading import nets
from tests.support.lowering import inputs, layer_named, lowered

X = inputs(x=(2, 3))


def layers(program: NetProgram) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(m.name, m.bottoms, m.tops) for m in program.layers]


def test_names_and_order() -> None:
    program = lowered(
        X
        + """
        layer { name: "a" type: "Power" bottom: "x" top: "a" }
        layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "x" bottom: "a" top: "s" }
        """
    )
    assert layers(program) == [
        ("in_x", (), ("x",)),
        ("x_in_x_0_split", ("x",), ("x_in_x_0_split_0", "x_in_x_0_split_1")),
        ("a", ("x_in_x_0_split_0",), ("a",)),
        ("a_a_0_split", ("a",), ("a_a_0_split_0", "a_a_0_split_1")),
        ("sum", ("a_a_0_split_0", "x_in_x_0_split_1", "a_a_0_split_1"), ("s",)),
    ]  # fmt: skip
    assert program.outputs == ("s",)


def test_the_second_top_has_its_own_number() -> None:
    program = lowered(
        X
        + """
        layer { name: "cut" type: "Slice" bottom: "x" top: "a" top: "b"
                slice_param { slice_point: 1 } }
        layer { name: "p" type: "Power" bottom: "b" top: "p" }
        layer { name: "q" type: "Power" bottom: "b" top: "q" }
        """
    )
    assert [m.name for m in program.layers if m.type == "Split"] == ["b_cut_1_split"]


def test_each_version_of_an_in_place_blob_is_split_by_itself() -> None:
    program = lowered(
        X
        + """
        layer { name: "p" type: "Power" bottom: "x" top: "p" }
        layer { name: "r" type: "ReLU" bottom: "p" top: "p" }
        layer { name: "s" type: "Power" bottom: "p" top: "s" }
        layer { name: "t" type: "Power" bottom: "p" top: "t" }
        """
    )
    assert [m.name for m in program.layers if m.type == "Split"] == ["p_r_0_split"]


def test_one_reader_needs_no_split() -> None:
    assert [m.type for m in lowered(X + """
        layer { name: "p" type: "Power" bottom: "x" top: "p" }
        layer { name: "q" type: "Power" bottom: "p" top: "q" }
        """).layers] == ["Input", "Power", "Power"]  # fmt: skip


def test_a_loss_weight_counts_as_a_reader_and_moves_to_the_first_top() -> None:
    program = lowered(
        X
        + """
        layer { name: "p" type: "Power" bottom: "x" top: "p" loss_weight: 0.5 }
        layer { name: "q" type: "Power" bottom: "p" top: "q" }
        """
    )
    split = layer_named(program, "p_p_0_split")
    assert split.loss_weights == (0.5, 0.0)
    assert layer_named(program, "p").loss_weights == (0.0,)
    assert layer_named(program, "q").bottoms == ("p_p_0_split_1",)
    # Caffe's names: the loss is an output of the net.
    assert program.outputs == ("p_p_0_split_0", "q")


def test_with_splits_is_what_is_lowered() -> None:
    text = (
        X
        + """
        layer { name: "p" type: "Power" bottom: "x" top: "p" loss_weight: 1 }
        layer { name: "s" type: "Eltwise" bottom: "p" bottom: "x" top: "s" }
        """
    )
    net = nets.net_from_text(text)
    message = with_splits(filtered(net, nets.state_message("TRAIN")))
    assert [m.name for m in message.layer] == [m.name for m in lowered(text).layers]
    assert [tuple(m.bottom) for m in message.layer] == [m.bottoms for m in lowered(text).layers]


@pytest.mark.parametrize("name", ["l", "y_l_0_split", "x_in_x_0_split"])
def test_what_a_file_has_is_its_own(name: str) -> None:
    """Split layers in a file, too, and those that are called as one that is inserted."""
    program = lowered(
        X
        + f"""
        layer {{ name: "{name}" type: "Split" bottom: "x" top: "y" top: "z" }}
        layer {{ name: "p" type: "Power" bottom: "y" top: "p" }}
        layer {{ name: "q" type: "Eltwise" bottom: "y" bottom: "x" top: "q" }}
        """
    )
    own = [layer for layer in program.layers if layer.is_written]
    assert [layer.name for layer in own] == ["in_x", name, "p", "q"]
    assert own[1].tops == ("y", "z")
    assert len(program.layers) == 6


def test_errors_stay_at_the_lines_of_the_file() -> None:
    """A bottom that a split renamed is still the user's bottom in messages."""
    program = lowered(
        X
        + """
        layer { name: "p" type: "Power" bottom: "x" top: "p" }
        layer { name: "q" type: "Power" bottom: "x" top: "q" }
        """
    )
    assert layer_named(program, "x_in_x_0_split").location.line == 1
    assert layer_named(program, "q").location.line == 4


LOSS = (
    inputs(x=(4, 3), y=(4,))
    + """
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
            inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "loss" WEIGHT }
    """
)
READER = 'layer { name: "log" type: "Power" bottom: "loss" top: "twice" power_param { scale: 2 } }'


@pytest.mark.parametrize("weight", ["", "loss_weight: 1", "loss_weight: 3"])
def test_a_loss_that_a_layer_reads_still_trains(weight: str, tmp_path) -> None:
    """Caffe counts a default loss weight as no reader: the reader overwrites the loss's diff."""
    plain, read = tmp_path / "plain.prototxt", tmp_path / "read.prototxt"
    plain.write_text(LOSS.replace("WEIGHT", weight))
    read.write_text(LOSS.replace("WEIGHT", weight) + READER)
    x = np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    y = np.array([0, 1, 2, 0], np.float32)
    diffs = []
    for path in (plain, read):
        net = roastery.compile(path, phase="TRAIN", device="reference", seed=3)
        net(x=x, y=y)
        net.backward()
        diffs.append(net.parameter_diffs["ip"][0].copy())
    assert np.abs(diffs[0]).max() > 0.01
    np.testing.assert_array_equal(diffs[0], diffs[1])
