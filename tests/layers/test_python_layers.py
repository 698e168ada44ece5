"""Layers of `type: "Python"`, and HDF5Output, through the pycaffe interface."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery.caffe as caffe
from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_file, parse_text
from ir.errors import RoasteryError
from ir.interpret import run_graph
from ir.ops.dynamic import SizeChanged
from roastery.probing.probe import RuntimeProbe
from runtime.python.array_blob import ArrayBlob
from tests.support.layer_cases import net_text

MODULE = "shrink_layers"


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list:
    """The layers' module is importable; what they note down is given to the test."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])
    monkeypatch.setitem(sys.modules, "caffe", caffe)
    module = importlib.import_module(MODULE)
    module.calls.clear()
    return module.calls


def python_layer(kind: str, rest: str, param: str = "") -> str:
    return (
        f'layer {{ name: "l" type: "Python" {rest} python_param {{ module: "{MODULE}" '
        f'layer: "{kind}" {param} }} }}'
    )


def open_net(tmp_path: Path, text: str, phase: int = caffe.TRAIN, **shapes: tuple[int, ...]):
    path = tmp_path / "net.prototxt"
    path.write_text(net_text(text, **shapes))
    return caffe.Net(str(path), phase, device="reference")


def test_a_loss_layer_with_its_gradient(tmp_path: Path, calls: list) -> None:
    text = python_layer(
        "Distance", 'bottom: "a" bottom: "b" top: "loss" loss_weight: 2', 'param_str: "1.5"'
    )
    net = open_net(tmp_path, text, a=(4, 3), b=(4, 3))
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((4, 3)).astype(np.float32) for _ in range(2))
    net.blobs["a"].data[...], net.blobs["b"].data[...] = a, b
    loss = net.forward()["loss"]
    np.testing.assert_allclose(loss, [1.5 * np.sum((a - b) ** 2) / 8], rtol=1e-6)
    net.backward()
    np.testing.assert_allclose(net.blobs["a"].diff, 2 * 1.5 * (a - b) / 4, rtol=1e-5)
    np.testing.assert_allclose(net.blobs["b"].diff, -net.blobs["a"].diff)
    assert calls == [("setup", 0), ("backward", [True, True])]


def test_propagate_down_reaches_the_layer(tmp_path: Path, calls: list) -> None:
    gain = python_layer("Gain", 'bottom: "a" top: "p"')
    loss = 'bottom: "p" bottom: "q" top: "loss" loss_weight: 1'
    text = (
        gain.replace('"l"', '"g"')
        + gain.replace('"l"', '"h"').replace('"a"', '"b"').replace('"p"', '"q"')
        + python_layer("Distance", f"{loss} propagate_down: false propagate_down: true")
    )
    path = tmp_path / "net.prototxt"
    path.write_text(net_text(text, a=(4, 3), b=(4, 3)).replace("force_backward: true", ""))
    net = caffe.Net(str(path), caffe.TRAIN, device="reference")
    net.blobs["b"].data[...] = 1.0
    net.forward()
    net.backward()
    assert calls == [("setup", 0), ("backward", [False, True])]
    assert not net.params["g"][0].diff.any()
    np.testing.assert_allclose(net.params["h"][0].diff[0, 0], 3.0 * 12 / 4)


def test_its_blobs_are_parameters(tmp_path: Path) -> None:
    net = open_net(tmp_path, python_layer("Gain", 'bottom: "x" top: "y"'), x=(2, 3))
    (blob,) = net.params["l"]
    np.testing.assert_array_equal(blob.data, [[3.0], [3.0]])
    blob.data[...] = 0.5
    net.blobs["x"].data[...] = 4.0
    np.testing.assert_array_equal(net.forward()["y"], np.full((2, 3), 2.0))
    net.blobs["y"].diff[...] = 1.0
    net.backward()
    np.testing.assert_array_equal(blob.diff, [[24.0], [0.0]])
    np.testing.assert_array_equal(net.blobs["x"].diff, np.full((2, 3), 0.5))


def test_old_names_of_extents(tmp_path: Path) -> None:
    net = open_net(tmp_path, python_layer("Legacy", 'bottom: "x" top: "y"'), x=(2, 3, 4))
    np.testing.assert_array_equal(net.forward()["y"], [2, 3, 4, 1, 24])


def run_once(tmp_path: Path, text: str, allow_python: bool = False) -> None:
    """One forward pass without the pycaffe interface, which raises users' errors as they are."""
    load_layers()
    path = tmp_path / "net.prototxt"
    path.write_text(net_text(text, x=(2, 3)))
    probe = RuntimeProbe(allow_python=allow_python)
    program = lower_layers(parse_file(path, "NetParameter"), "TRAIN", probe=probe).program
    run_graph(program.graph, [np.ones(p.value.shape, np.float32) for p in program.graph.inputs])


def test_a_net_is_reshaped(tmp_path: Path) -> None:
    net = open_net(tmp_path, python_layer("Gain", 'bottom: "x" top: "y"'), x=(2, 3))
    net.blobs["x"].reshape(5, 1)
    net.blobs["x"].data[...] = 1.0
    np.testing.assert_array_equal(net.forward()["y"], np.full((5, 1), 3.0))


def test_a_size_known_in_forward_only(calls: list) -> None:
    load_layers()
    probe = RuntimeProbe()
    text = net_text(python_layer("Positive", 'bottom: "x" top: "y"'), x=(4, 2))
    message = parse_text(text, "NetParameter")
    x = np.array([[1.0, 2], [-1, 3], [4, 5], [-2, 0]])
    first = lower_layers(message, "TEST", probe=probe).program
    assert first.graph.output("y").value.shape == (1, 2)
    with pytest.raises(SizeChanged) as caught:
        run_graph(first.graph, [x])
    assert caught.value.shapes == {"y": (2, 2)}
    again = lower_layers(message, "TEST", probe=probe, shapes=caught.value.shapes).program
    (y,) = run_graph(again.graph, [x])
    np.testing.assert_array_equal(y, x[[0, 2]])
    assert calls == ["forward"]  # what came is not computed twice


def test_in_place_starts_from_the_bottom(tmp_path: Path) -> None:
    text = (
        'layer { name: "p" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }'
        + python_layer("Gain", 'bottom: "y" top: "y"')
    )
    net = open_net(tmp_path, text, x=(2, 3))
    net.blobs["x"].data[...] = 1.0
    np.testing.assert_array_equal(net.forward()["y"], np.full((2, 3), 6.0))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Nope", ["module 'shrink_layers'", "has no class 'Nope'", "it has: Distance, Faulty"]),
        ("Refuses", ["setup: ValueError: no good", "shrink_layers.py:", 'ValueError("no good")']),
        ("Faulty", ["forward: ValueError: could not broadcast", "in forward: top[0].data[...] ="]),
        ("Forgets", ["forward: NotImplementedError: Forgets has no forward"]),
    ],
)
def test_errors_show_the_users_code(tmp_path: Path, kind: str, expected: list[str]) -> None:
    with pytest.raises(RoasteryError) as caught:
        run_once(tmp_path, python_layer(kind, 'bottom: "x" top: "y"'))
    for part in ["net.prototxt:", "(layer 'l')", *expected]:
        assert part in str(caught.value)


def test_a_missing_module_says_where_it_was_looked_for(tmp_path: Path) -> None:
    text = python_layer("L", 'bottom: "x" top: "y"').replace(MODULE, "no_such_module")
    with pytest.raises(RoasteryError) as caught:
        run_once(tmp_path, text)
    assert "there is no Python module 'no_such_module'" in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "net.prototxt:3:" in str(caught.value) and 'module: "no_such_module"' in str(
        caught.value
    )


def test_a_module_beside_the_prototxt_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside_layers.py").write_text(
        "import caffe\nclass Same(caffe.Layer):\n"
        "    def reshape(self, bottom, top): top[0].reshape(*bottom[0].shape)\n"
        "    def forward(self, bottom, top): top[0].data[...] = bottom[0].data\n"
    )
    (tmp_path / "broken_layers.py").write_text("import surely_not_installed\n")
    text = python_layer("Same", 'bottom: "x" top: "y"')
    net = open_net(tmp_path, text.replace(MODULE, "beside_layers"), x=(2, 3))
    net.blobs["x"].data[...] = 2.0
    assert net.forward()["y"].sum() == 12.0
    with pytest.raises(RoasteryError, match="surely_not_installed"):
        run_once(tmp_path, text.replace(MODULE, "broken_layers"), allow_python=True)


def test_missing_names_are_errors_at_the_block(tmp_path: Path) -> None:
    text = 'layer { name: "l" type: "Python" bottom: "x" top: "y" python_param { layer: "L" } }'
    with pytest.raises(RoasteryError, match="python_param has no `module`"):
        run_once(tmp_path, text)


def test_array_blobs_keep_elements_where_they_can() -> None:
    blob = ArrayBlob((2, 3))
    blob.data[...] = np.arange(6).reshape(2, 3)
    blob.diff[...] = 1.0
    blob.reshape(3, 2)
    np.testing.assert_array_equal(blob.data, np.arange(6).reshape(3, 2))
    assert blob.diff.sum() == 6.0 and blob.shape == (3, 2)
    blob.reshape(4)
    assert blob.data.sum() == 0.0 and blob.diff.shape == (4,)
    with pytest.raises(AttributeError):
        blob.data = np.zeros(4)
    with pytest.raises(RoasteryError, match="cannot have shape"):
        blob.reshape(-1)


def test_a_shape_that_no_blob_has_is_told_at_the_layer() -> None:
    layer = python_layer("Negative", 'bottom: "a" top: "y"')
    net = parse_text(net_text(layer, a=(2, 3)), "NetParameter", file="net.prototxt")
    with pytest.raises(RoasteryError, match=r"(?s)net\.prototxt.*shape \[-1\].*shrink_layers\.py"):
        lower_layers(net, "TRAIN", probe=RuntimeProbe())


SAVE = (
    'layer { name: "save" type: "HDF5Output" bottom: "x" bottom: "t" hdf5_output_param '
    '{ file_name: "%s" } }'
)


def test_hdf5_output_appends_every_pass(tmp_path: Path) -> None:
    path = tmp_path / "written.h5"
    net = open_net(tmp_path, SAVE % path, caffe.TEST, x=(2, 3), t=(2,))
    assert not path.exists()  # making a net writes nothing
    for number in (1.0, 2.0):
        net.blobs["x"].data[...] = number
        net.forward()
    with h5py.File(path) as file:
        assert file["data"].shape == (4, 3, 1, 1) and file["label"].shape == (4, 1, 1, 1)
        np.testing.assert_array_equal(file["data"][:, 0, 0, 0], [1, 1, 2, 2])


def test_hdf5_output_refuses_a_missing_folder_and_other_rows(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="there is no folder"):
        open_net(tmp_path, SAVE % (tmp_path / "gone" / "x.h5"), x=(2, 3), t=(2,))
    with pytest.raises(RoasteryError, match="they differ in the number of rows"):
        open_net(tmp_path, SAVE % (tmp_path / "x.h5"), x=(2, 3), t=(3,))
