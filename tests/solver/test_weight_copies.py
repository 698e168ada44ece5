"""Parameters move between nets and files by layer name, with Caffe's rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from frontends.caffemodel import read_weights, write_weights, write_weights_hdf5
from frontends.prototxt import Message
from ir.errors import RoasteryError
from roastery.building import BuiltNet, LogReport, NetBuilder, NetRequest
from roastery.devices.backends import open_backend
from roastery.reading import nets
from roastery.weights.parameters import load_weights, save_weights
from runtime.logging import CaffeLog, LogRecord

NET = """
name: "pair"
layer { name: "in" type: "Input" top: "x" top: "z" input_param {
  shape { dim: 2 dim: 3 } shape { dim: 2 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" } param { name: "" }
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "b" type: "InnerProduct" bottom: "z" top: "b" param { name: "w" }
  inner_product_param { num_output: 4 bias_filler { value: 2 } } }
"""


class Lines:
    """Keeps the log's lines."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def handle(self, record: LogRecord) -> None:
        self.texts.append(record.text)

    def close(self) -> None:
        pass


def build(text: str = NET, seed: int = 1) -> BuiltNet:
    builder = NetBuilder(open_backend("reference"), CompileOptions(), LogReport(CaffeLog()))
    return builder.build(NetRequest(nets.net_from_text(text), nets.state_message("TEST")), seed)


def load(path: Path, built: BuiltNet) -> list[str]:
    lines = Lines()
    load_weights(path, built.program, built.store, CaffeLog([lines]))
    return lines.texts


def write(path: Path, **layers: list[np.ndarray]) -> Path:
    net = Message("NetParameter")
    for name in layers:
        net.add("layer").set("name", name)
    write_weights(path, net, layers)
    return path


def numbers(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize("format", ["BINARYPROTO", "HDF5"])
def test_what_is_saved_is_loaded(format: str, tmp_path: Path) -> None:
    first, second = build(seed=1), build(seed=2)
    path = tmp_path / "w"
    save_weights(path, first.message, first.program, first.store, format)  # type: ignore[arg-type]
    before = second.store.data["a/0"].array.copy()
    assert load(path, second) == []
    assert not np.array_equal(before, second.store.data["a/0"].array)
    for name, buffer in first.store.data.items():
        np.testing.assert_array_equal(buffer.array, second.store.data[name].array)


def test_a_shared_parameter_is_stored_per_layer_or_once(tmp_path: Path) -> None:
    built = build()
    for format, counts in (("BINARYPROTO", [2, 2]), ("HDF5", [2, 1])):
        path = tmp_path / format
        save_weights(path, built.message, built.program, built.store, format)  # type: ignore[arg-type]
        stored = {layer.name: len(layer.blobs) for layer in read_weights(path)}
        assert [stored["a"], stored["b"]] == counts


def test_unknown_layers_are_named_and_passed_over(tmp_path: Path) -> None:
    built = build()
    path = write(tmp_path / "w", a=[numbers(4, 3), numbers(4)], other=[numbers(2)])
    assert load(path, built) == ["Ignoring source layer other"]
    np.testing.assert_array_equal(built.store.data["a/0"].array, numbers(4, 3))


def test_no_layer_in_common_is_worth_a_warning(tmp_path: Path) -> None:
    lines = load(write(tmp_path / "w", other=[numbers(2)]), build())
    assert "no layer of" in lines[-1]


def test_legacy_shapes_fit(tmp_path: Path) -> None:
    built = build()
    net = Message("NetParameter")
    net.add("layer").set("name", "a")
    blobs = {"a": [numbers(1, 1, 4, 3), numbers(1, 1, 1, 4)]}
    write_weights(tmp_path / "w", net, blobs, legacy={"a": [True, True]})
    load(tmp_path / "w", built)
    np.testing.assert_array_equal(built.store.data["a/0"].array, numbers(4, 3))
    write_weights(tmp_path / "w", net, blobs)  # the same four axes, but meant as such
    with pytest.raises(RoasteryError, match="1 x 1 x 4 x 3 there and 4 x 3 in the net"):
        load(tmp_path / "w", built)


def test_a_wrong_shape_names_both_and_the_remedy(tmp_path: Path) -> None:
    built = build()
    kept = built.store.data["a/1"].array.copy()
    path = write(tmp_path / "w", b=[numbers(4, 3), numbers(4)], a=[numbers(4, 5), numbers(4)])
    with pytest.raises(RoasteryError) as caught:
        load(path, built)
    text = str(caught.value)
    assert "param 0 of layer 'a'" in text and "4 x 5 there and 4 x 3 in the net" in text
    assert "rename the layer" in text
    assert "<text>:5" in text
    np.testing.assert_array_equal(built.store.data["a/1"].array, kept)  # nothing was copied


def test_a_wrong_number_of_blobs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"1 blob\(s\) in .* and 2 in the net"):
        load(write(tmp_path / "w", a=[numbers(4, 3)]), build())
    write_weights_hdf5(tmp_path / "h", {"a": [numbers(4, 3)]})
    with pytest.raises(RoasteryError, match=r"1 blob\(s\) in .* and 2 in the net"):
        load(tmp_path / "h", build())
