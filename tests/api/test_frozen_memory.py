"""What frozen nets hold: parameters that no pass reads any more are had again on demand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import roastery
from compiler.c.compile.c_compiler import CCompiler, find_compiler
from ir.errors import RoasteryError
from roastery.reading import nets
from roastery.weights.parameters import save_weights
from tests.support.lowering import inputs

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists() or not isinstance(find_compiler(), CCompiler),
    reason="Linux takes memory back; only kernels read weights in orders of their own",
)

CONV = """
layer { name: "%s" type: "Convolution" bottom: "%s" top: "%s" convolution_param {
  num_output: 64 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "%s_bn" type: "BatchNorm" bottom: "%s" top: "%s" }
"""
NET = inputs(x=(1, 64, 14, 14))
NET += "".join(CONV % (b, a, b, b, b, b) for a, b in ("xa", "ab", "bc"))
X = np.random.default_rng(0).standard_normal((1, 64, 14, 14)).astype(np.float32)
CONVOLUTION = 4 * 64 * 64 * 9
PAGES = 2 * 4096  # that are not whole

Values = dict[str, np.ndarray]


@pytest.fixture
def weights(tmp_path: Path) -> Values:
    """Of the convolutions, in a file."""
    (tmp_path / "net.prototxt").write_text(NET)
    net = roastery.compile(tmp_path / "net.prototxt", device="reference", seed=5)
    for layer in ("a_bn", "b_bn", "c_bn"):
        for values in net.parameters[layer]:
            values[...] = 1
    message = nets.net_from_text(NET)
    save_weights(tmp_path / "net.caffemodel", message, net.program, net.store)
    return {name: net.parameters[name][0].copy() for name in "abc"}


def frozen(folder: Path) -> roastery.Executable:
    files = folder / "net.prototxt", folder / "net.caffemodel"
    return roastery.compile(*files, device="cpu", threads=1, freeze=True)


def away(net: roastery.Executable) -> int:
    origins = net.store.flat_data.memory.origins
    return origins.nbytes_away if origins else 0


def held(net: roastery.Executable) -> int:
    """Bytes of arenas, of constants, and of parameters that are there."""
    (part,) = net._net.parts
    parameters = sum(buffer.type.nbytes for buffer in net.store.data.values())
    return sum(part._now.memory().values()) + parameters - away(net)


def test_parameters_that_were_transformed_do_not_stay(weights: Values, tmp_path: Path) -> None:
    net = frozen(tmp_path)
    assert away(net) == 0
    first = net(x=X)["c"]
    assert away(net) >= 3 * (CONVOLUTION - PAGES)
    image, transformed = X.nbytes, 4 * CONVOLUTION
    assert held(net) < 3 * transformed + 12 * image
    np.testing.assert_array_equal(net(x=X)["c"], first)  # it asks for none of them
    assert away(net) >= 3 * (CONVOLUTION - PAGES)


def _removed(file: Path) -> None:
    file.unlink()


def _replaced(file: Path) -> None:
    (file.parent / "new").write_bytes(bytes(file.stat().st_size))
    (file.parent / "new").rename(file)


def _kept(file: Path) -> None:
    pass


@pytest.mark.parametrize("happens", [_kept, _removed, _replaced])
def test_they_are_there_when_somebody_asks(
    happens: Callable[[Path], None], weights: Values, tmp_path: Path
) -> None:
    net = frozen(tmp_path)
    result = net(x=X)["c"]
    happens(tmp_path / "net.caffemodel")
    for name, want in weights.items():
        np.testing.assert_array_equal(net.parameters[name][0], want)
    assert away(net) == 0
    np.testing.assert_array_equal(net(x=X)["c"], result)


def test_reading_is_enough_for_kernels_and_snapshots(weights: Values, tmp_path: Path) -> None:
    net = frozen(tmp_path)
    net(x=X)
    buffers = [net.store.data[v] for v in net.program.layers[1].variables]
    np.testing.assert_array_equal(buffers[0].peek(), weights["a"])
    net(x=X)
    diffs = net.backward(c=np.ones_like(X))["x"]
    plain = roastery.compile(
        tmp_path / "net.prototxt", tmp_path / "net.caffemodel", device="cpu", threads=1
    )
    plain(x=X)
    np.testing.assert_allclose(diffs, plain.backward(c=np.ones_like(X))["x"], rtol=1e-4, atol=1e-5)


def test_what_somebody_wrote_or_holds_stays(weights: Values, tmp_path: Path) -> None:
    net = frozen(tmp_path)
    net.parameters["a"][0][...] *= 2
    held = net.parameters["b"][0]
    net(x=X)
    np.testing.assert_array_equal(held, weights["b"])
    np.testing.assert_array_equal(net.parameters["a"][0], 2 * weights["a"])
    assert 0 < away(net) <= CONVOLUTION


def test_a_file_that_was_written_into_is_no_source(weights: Values, tmp_path: Path) -> None:
    net = frozen(tmp_path)
    result = net(x=X)["c"]
    with (tmp_path / "net.caffemodel").open("r+b") as file:
        file.truncate(1000)
    np.testing.assert_array_equal(net(x=X)["c"], result)
    with pytest.raises(RoasteryError, match=r"net\.caffemodel has changed since"):
        net.parameters["a"]


def test_other_sizes_after_the_file_is_gone(weights: Values, tmp_path: Path) -> None:
    net = frozen(tmp_path)
    one = net(x=X)["c"]
    (tmp_path / "net.caffemodel").unlink()
    two = net(x=np.concatenate([X, X]))["c"]
    np.testing.assert_allclose(two[1], one[0], rtol=1e-5, atol=1e-5)
