"""Blobs and layers by name: unknown, twice, in place, and names that meet those of variables."""

from __future__ import annotations

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import ErrorGroup
from roastery.reading import nets
from roastery.weights.parameters import load_weights, save_weights
from runtime.memory.store import Store
from tests.support.lowering import inputs, layer_named, lowered, refusal

X = inputs(x=(2, 3))
IP = (
    'layer { name: "%s" type: "InnerProduct" bottom: "%s" top: "%s" '
    "inner_product_param { num_output: %d } }\n"
)


def test_every_wrong_name_is_reported_at_once() -> None:
    error = refusal(
        X
        + """
        layer { name: "a" type: "Rleu" bottom: "x" top: "a" }
        layer { name: "b" type: "ReLU" bottom: "X" top: "b" }
        layer { name: "c" type: "ReLU" bottom: "b" top: "a" }
        """
    )
    assert isinstance(error, ErrorGroup)
    assert [(e.location.line, e.location.layer) for e in error.errors] == [
        (3, "a"), (4, "b"), (5, "c"),
    ]  # fmt: skip
    assert "did you mean 'ReLU'?" in str(error)
    assert "did you mean 'x'?" in str(error)
    assert str(error).endswith("3 errors")


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (
            'layer { name: "a" type: "Power" bottom: "p" top: "a" }\n'
            'layer { name: "r" type: "ReLU" bottom: "p" top: "p" }',
            "over its bottom 'p': layer 'a' (line 3) reads it too",
        ),
        (
            'layer { name: "r" type: "Eltwise" bottom: "p" bottom: "p" top: "p" }',
            "over its bottom 'p': the layer has it as another bottom too",
        ),
    ],
)
def test_in_place_over_a_blob_that_is_read_elsewhere(layers: str, why: str) -> None:
    error = refusal(X + 'layer { name: "p" type: "Power" bottom: "x" top: "p" }\n' + layers)
    assert why in error.message
    assert error.location is not None and error.location.layer == "r"


def test_in_place_over_a_loss() -> None:
    error = refusal(
        X
        + """
        layer { name: "p" type: "Power" bottom: "x" top: "p" loss_weight: 1 }
        layer { name: "r" type: "ReLU" bottom: "p" top: "p" }
        """
    )
    assert "it is a loss of layer 'p'" in error.message


def test_reading_after_the_write_is_fine() -> None:
    program = lowered(
        X
        + """
        layer { name: "r" type: "ReLU" bottom: "x" top: "x" }
        layer { name: "a" type: "Power" bottom: "x" top: "a" }
        layer { name: "b" type: "Power" bottom: "x" top: "b" }
        """
    )
    assert program.outputs == ("a", "b")
    assert len(program.blobs["x"]) == 2


def test_in_place_needs_the_bottom_of_the_same_number() -> None:
    error = refusal(
        inputs(a=(2, 3), b=(2, 3))
        + """
        layer { name: "e" type: "Eltwise" bottom: "a" bottom: "b" top: "b" }
        """
    )
    assert "top blob 'b' is produced by two layers, 'in_b' (line 2) and 'e'" in error.message


def test_one_top_twice_in_a_layer() -> None:
    error = refusal(X + 'layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "a" }')
    assert error.message == "the layer names its top 'a' twice"


def test_names_of_the_compiler() -> None:
    error = refusal(X + 'layer { name: "p" type: "Power" bottom: "x" top: "@loss" }')
    assert "'@loss' is a name of Roastery's own" in error.message


def test_two_layers_of_one_name() -> None:
    """Caffe takes them (weights are copied by name, to the first); so do nets without names."""
    program = lowered(X + IP % ("ip", "x", "a", 4) + IP % ("ip", "a", "b", 5))
    shapes = [[program.variables[c].type.shape for c in m.variables] for m in program.layers]
    assert shapes == [[], [(4, 3), (4,)], [(5, 4), (5,)]]
    assert len(program.variables) == 4
    assert [c.layer for c in program.variables.values()] == ["ip"] * 4
    assert len(program.notes) == 1
    assert (
        "net.prototxt:3:9 (layer 'ip'): the layer in line 2 has the same name" in program.notes[0]
    )


def test_weights_of_two_layers_of_one_name(tmp_path) -> None:
    """The first layer's are saved and loaded, so that nothing is mixed up."""
    program = lowered(X + IP % ("ip", "x", "a", 3) + IP % ("ip", "a", "b", 3))
    net = nets.net_from_text(X + IP % ("ip", "x", "a", 3) + IP % ("ip", "a", "b", 3))
    path = tmp_path / "w.caffemodel"
    store = Store(program.variables, 1)
    first, second = (program.layers[i].variables[0] for i in (1, 2))
    store.data[first].array[...] = 1
    store.data[second].array[...] = 2
    save_weights(path, net, program, store)
    loaded = Store(program.variables, 1)
    load_weights(path, program, loaded)
    assert (loaded.data[first].array == 1).all()
    assert not (loaded.data[second].array == 1).any()


def test_two_recurrent_layers_of_one_name_keep_their_states_apart() -> None:
    layer = """layer { name: "lstm" type: "LSTM" bottom: "%s" bottom: "cont" top: "%s"
               recurrent_param { num_output: 2 } }\n"""
    program = lowered(inputs(x=(3, 1, 2), cont=(3, 1)) + layer % ("x", "a") + layer % ("a", "b"))
    states = [name for name, c in program.variables.items() if c.index < 0]
    assert len(states) == 4


def test_two_python_layers_of_one_name(tmp_path, monkeypatch) -> None:
    (tmp_path / "doubling.py").write_text(
        "import caffe\nclass Double(caffe.Layer):\n"
        "    def setup(self, bottom, top): pass\n"
        "    def reshape(self, bottom, top): top[0].reshape(*bottom[0].data.shape)\n"
        "    def forward(self, bottom, top): top[0].data[...] = 2 * bottom[0].data\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    layer = """layer { name: "py" type: "Python" bottom: "%s" top: "%s"
               python_param { module: "doubling" layer: "Double" } }\n"""
    path = tmp_path / "net.prototxt"
    path.write_text(X + layer % ("x", "a") + layer % ("a", "b"))
    net = caffe.Net(str(path), caffe.TEST)
    net.blobs["x"].data[...] = 1
    np.testing.assert_array_equal(net.forward()["b"], np.full((2, 3), 4))


def test_a_blob_called_like_a_variable(tmp_path) -> None:
    """The variable takes another name: variables of "ip" would be called ip/0 and ip/1."""
    text = inputs(**{"ip/0": (2, 3)}) + IP % ("ip", "ip/0", "ip/1", 4)
    program = lowered(text, "TEST")
    assert not set(program.variables) & set(program.blobs)
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    net = roastery.compile(path, device="reference")
    weight, bias = net.parameters["ip"]
    weight[...] = 1
    bias[...] = 0.5
    out = net(**{"ip/0": np.ones((2, 3), np.float32)})["ip/1"]
    np.testing.assert_array_equal(out, np.full((2, 4), 3.5, np.float32))


def test_layers_called_like_variables() -> None:
    program = lowered(X + IP % ("a", "x", "t", 4) + IP % ("a/0", "t", "u", 4))
    assert len(program.variables) == 4
    assert layer_named(program, "a/0").variables == ("a/0/0", "a/0/1")


def test_layers_without_names() -> None:
    layer = IP.replace('name: "%s"', "") % ("%s", "%s", 2)
    program = lowered(X + layer % ("x", "a") + layer % ("a", "b"))
    assert len(program.variables) == 4


def test_outputs_are_alphabetical() -> None:
    program = lowered(
        X
        + """
        layer { name: "c" type: "Slice" bottom: "x" top: "b" top: "Z" top: "a1" }
        """
    )
    assert program.outputs == ("Z", "a1", "b")


def test_a_loss_without_a_top_is_no_output() -> None:
    program = lowered(
        inputs(a=(2, 3), b=(2, 3))
        + """
        layer { name: "e" type: "EuclideanLoss" bottom: "a" bottom: "b" }
        """
    )
    assert program.outputs == ()
    assert layer_named(program, "e").loss_weights == (1.0,)


def test_layers_of_another_phase() -> None:
    """`phase` of a layer itself, besides include rules, decides how this one layer runs."""
    text = X + 'layer { name: "d" type: "Dropout" bottom: "x" top: "d" PHASE }'
    randomness = [
        "@random" in lowered(text.replace("PHASE", phase), "TEST").variables
        for phase in ("", "phase: TRAIN")
    ]
    assert randomness == [False, True]
