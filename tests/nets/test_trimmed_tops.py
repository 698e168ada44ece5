"""Tops of which only so many rows count, as a run tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from compiler.partitions import whole
from ir import expr as e
from ir.ops.dynamic import Trim
from ir.ops.gather import Gather
from ir.ops.sort import TopK
from ir.types import I32
from roastery.api.exporting import export_net
from roastery.reading import nets
from runtime.backends.reference import ReferenceBackend
from tests.support.lowering import layers_of

NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 6 dim: 3 } } }
layer { name: "d" type: "Power" bottom: "x" top: "d" power_param { scale: 2 } }
layer { name: "p" type: "TestPositiveRows" bottom: "d" top: "rows" }
layer { name: "r" type: "Power" bottom: "rows" top: "y" power_param { shift: 1 } }
layer { name: "q" type: "TestPositiveRows" bottom: "d" top: "last" }
"""


@roastery.layer("TestPositiveRows")
def positive_rows(ctx):  # type: ignore[no-untyped-def]
    """The rows whose first element is above 0."""
    b, x = ctx.b, ctx.x
    rows = int(x.shape[0])
    flags = b.map(e.where(e.arg(0) > 0.0, 1.0, 0.0), b.slice(x, 1, 0, 1))
    _, places = b.emit_all(TopK(rows, "first"), b.reshape(flags, (rows,)))
    total = b.reshape(b.sum(flags, [0]), (1,))
    found = b.map(e.where(e.arg(0) > 0.5, e.const(1), e.const(0)), total)
    for count in range(2, rows + 1):
        step = e.where(e.arg(1) > count - 0.5, e.const(1), e.const(0))
        found = b.map(e.arg(0, I32) + step, found, total)
    picked = b.emit(Gather(), x, places)
    key = f"{ctx.name}/rows"
    return b.emit(Trim(ctx.told(key, 1), 0, key), picked, found)


def positive(x: np.ndarray) -> np.ndarray:
    return 2 * x[x[:, 0] > 0]


BATCHES = [np.random.default_rng(seed).standard_normal((6, 3)) for seed in range(4)]
BATCHES += [-np.ones((6, 3)), np.ones((6, 3))]


@pytest.fixture
def prototxt(tmp_path: Path) -> str:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return str(path)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_a_whole_net_follows_the_rows(prototxt: str, device: str) -> None:
    net = roastery.compile(prototxt, device=device)
    for x in BATCHES:
        found = net(x=x.astype(np.float32))
        np.testing.assert_allclose(found["y"], positive(x) + 1, atol=1e-6)
        np.testing.assert_allclose(found["last"], positive(x), atol=1e-6)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_layers_one_by_one_follow_the_rows(prototxt: str, device: str) -> None:
    net = caffe.Net(prototxt, caffe.TEST, device=device)
    for x in BATCHES:
        net.blobs["x"].data[...] = x
        net.forward()
        assert net.blobs["rows"].data.shape == positive(x).shape
        np.testing.assert_allclose(net.blobs["rows"].data, positive(x), atol=1e-6)
        np.testing.assert_allclose(net.blobs["y"].data, positive(x) + 1, atol=1e-6)


def test_another_number_runs_nothing_again(prototxt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = roastery.compile(prototxt, device="reference")
    net(x=BATCHES[0].astype(np.float32))
    bound: list[object] = []
    bind = ReferenceBackend.bind

    def counted(self, graph, *more):  # type: ignore[no-untyped-def]
        bound.append(graph)
        return bind(self, graph, *more)

    monkeypatch.setattr(ReferenceBackend, "bind", counted)
    x = np.concatenate([np.ones((5, 3)), -np.ones((1, 3))])
    assert net(x=x.astype(np.float32))["last"].shape == (5, 3)
    # Only what comes after the rows is bound for another number of them.
    assert [[n.name for n in graph.outputs] for graph in bound] == [["last", "y", "found:0:last"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_an_artifact_follows_the_rows(device: str, tmp_path: Path) -> None:
    text = "".join(line for line in NET.splitlines(True) if '"rows"' not in line)
    (tmp_path / "net.prototxt").write_text(text)
    export_net(tmp_path / "net.prototxt", None, tmp_path / "net.roast")
    net = roastery.load(tmp_path / "net.roast", device=device)
    assert list(net.outputs) == ["last"]
    for x in BATCHES:
        np.testing.assert_allclose(net(x=x.astype(np.float32))["last"], positive(x), atol=1e-6)


def test_it_is_the_last_of_its_partition(prototxt: str) -> None:

    program = layers_of(nets.net_from_text(NET, "net"), "TEST").program
    bounds = [(part.first, part.last) for part in whole(program).parts]
    assert bounds[0][0] == 0 and len(bounds) == 2
