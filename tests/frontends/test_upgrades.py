"""Upgrades of old nets and solvers give what Caffe's upgrade tools wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontends.caffemodel import read_net_and_weights, read_weights, write_weights
from frontends.prototxt import parse_file, parse_text, to_text
from frontends.upgrade import (
    fill_snapshot_prefix,
    net_needs_upgrade,
    solver_needs_upgrade,
    upgrade_net,
    upgrade_solver,
)
from ir.errors import RoasteryError

RECORDS = Path(__file__).parents[1] / "data" / "upgrades"
UPGRADED = sorted(path.name for path in (RECORDS / "out").iterdir())
REFUSED = {
    "mixed_v1_and_v2": (3, "both `layers` \\(old\\) and `layer`"),
    "solver_both_fields": (4, "both `solver_type` \\(old\\) and `type`"),
    "v0_bad_type": (3, "unknown V0 layer type 'quux'"),
    "v0_padding_into_relu": (4, "a padding layer feeds a layer of type 'relu'"),
}


def read(path):
    return parse_file(path, "SolverParameter" if "solver" in path.name else "NetParameter")


def upgrade(message):
    is_solver = message.message_type.name == "SolverParameter"
    return (upgrade_solver if is_solver else upgrade_net)(message)


@pytest.mark.parametrize("name", UPGRADED)
def test_equals_caffes_upgrade(name):
    before = read(RECORDS / "in" / name)
    copy = before.copy()
    after, notes = upgrade(before)
    expected = RECORDS / "out" / name
    assert after == read(expected)
    assert to_text(after) == expected.read_text()
    assert before == copy
    # As many problems as Caffe logs about single fields.
    log = (RECORDS / "log" / f"{Path(name).stem}.txt").read_text()
    assert len([n for n in notes if n.level == "error"]) == log.count("Unknown parameter")
    again, notes = upgrade(after)
    assert again == after
    assert not notes


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_caffe_refuses(name):
    line, message = REFUSED[name]
    assert not (RECORDS / "out" / f"{name}.prototxt").exists()
    with pytest.raises(RoasteryError, match=message) as caught:
        upgrade(read(RECORDS / "in" / f"{name}.prototxt"))
    assert caught.value.location.line == line


def test_needs_upgrade():
    assert net_needs_upgrade(read(RECORDS / "in" / "v1_training.prototxt"))
    assert not net_needs_upgrade(read(RECORDS / "out" / "v1_training.prototxt"))
    assert solver_needs_upgrade(read(RECORDS / "in" / "solver_sgd.prototxt"))
    assert not solver_needs_upgrade(read(RECORDS / "in" / "solver_current.prototxt"))


def test_places_survive():
    net, notes = upgrade_net(read(RECORDS / "in" / "v0_classifier.prototxt"))
    lines = (RECORDS / "in" / "v0_classifier.prototxt").read_text().split("\n")
    convolution = next(layer for layer in net.layer if layer.type == "Convolution")
    place = convolution.convolution_param.location_of("num_output")
    assert lines[place.line - 1][place.column - 1 :].startswith("num_output")
    place = convolution.location_of("type")
    assert lines[place.line - 1][place.column - 1 :].startswith("type")
    assert convolution.location.layer == convolution.name
    assert notes[0].location.line > 0


def test_input_shapes_must_fit():
    text = 'input: "a" input: "b" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4'
    with pytest.raises(RoasteryError, match="2 inputs need 8, but the net gives 4 input_dim"):
        upgrade_net(parse_text(text, "NetParameter"))
    text = 'input: "a" input: "b" input_shape { dim: 1 }'
    with pytest.raises(RoasteryError, match="2 inputs need 2, but the net gives 1 input_shape"):
        upgrade_net(parse_text(text, "NetParameter"))


def test_unknown_bottom_in_a_v0_net():
    text = 'layers { layer { name: "r" type: "relu" } bottom: "gone" top: "b" }'
    with pytest.raises(RoasteryError, match="unknown bottom blob 'gone' \\(layer 'r'\\)"):
        upgrade_net(parse_text(text, "NetParameter"))


@pytest.mark.parametrize("name", ["v0_weights", "v1_weights"])
def test_binary_nets_upgrade_to_caffes_bytes(name, tmp_path):
    source = RECORDS / "binary" / f"{name}.caffemodel"
    net, weights = read_net_and_weights(source)
    upgraded, _ = upgrade_net(net)
    target = tmp_path / "new.caffemodel"
    write_weights(
        target,
        upgraded,
        {layer.name: layer.blobs for layer in weights},
        legacy={layer.name: layer.legacy for layer in weights},
    )
    expected = RECORDS / "binary" / f"{name}_upgraded.caffemodel"
    assert target.read_bytes() == expected.read_bytes()
    assert [w.name for w in read_weights(target) if w.blobs] == [w.name for w in weights if w.blobs]


def test_snapshot_prefix(tmp_path):
    solver = parse_text("", "SolverParameter")
    (note,) = fill_snapshot_prefix(solver, "models/lenet.v2.prototxt")
    assert solver.snapshot_prefix == "models/lenet.v2"
    assert "snapshot_prefix is not set" in note.text
    solver = parse_text(f'snapshot_prefix: "{tmp_path}"', "SolverParameter")
    fill_snapshot_prefix(solver, "models/lenet.prototxt")
    assert solver.snapshot_prefix == str(tmp_path / "lenet")
    solver = parse_text('snapshot_prefix: "some/prefix"', "SolverParameter")
    assert fill_snapshot_prefix(solver, "models/lenet.prototxt") == []
    assert solver.snapshot_prefix == "some/prefix"


def test_rates_of_old_layers_in_new_ones():
    net = parse_text(
        """layer { name: "a" type: "Convolution" bottom: "x" top: "a"
             blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 }
           layer { name: "b" type: "InnerProduct" bottom: "a" top: "b"
             param { name: "w" decay_mult: 3 } blobs_lr: 0 weight_decay: 3 }
           layer { name: "c" type: "ReLU" bottom: "b" top: "c" }""",
        "NetParameter",
    )
    assert net_needs_upgrade(net)
    new, notes = upgrade_net(net)
    assert [[p.lr_mult, p.decay_mult] for p in new.layer[0].param] == [[1, 1], [2, 0]]
    (spec,) = new.layer[1].param
    assert (spec.name, spec.lr_mult, spec.decay_mult) == ("w", 0, 3)
    assert not any(layer.has("blobs_lr") or layer.has("weight_decay") for layer in new.layer)
    (note,) = notes
    assert "2 layer(s)" in note.text
    assert note.location.line == 2
    assert not net_needs_upgrade(new)


def test_rates_of_old_layers_that_contradict():
    text = """layer { name: "a" type: "Convolution"
      param { lr_mult: 2 }
      blobs_lr: 1 }"""
    with pytest.raises(RoasteryError, match=r"blobs_lr: 1.*lr_mult: 2.*number 1") as caught:
        upgrade_net(parse_text(text, "NetParameter"))
    assert caught.value.location.line == 3
    assert caught.value.location.layer == "a"


def test_types_as_mycaffe_spells_them():
    net = parse_text(
        """layer { name: "a" type: "Lstm" recurrent_param { num_output: 3 } }
           layer { name: "b" type: "Lstm" }""",
        "NetParameter",
    )
    new, (note,) = upgrade_net(net)
    assert [layer.type for layer in new.layer] == ["LSTM", "Lstm"]  # the second is somebody's own
    assert note.text == 'type: "Lstm" is read as "LSTM"'
    assert not net_needs_upgrade(new)
