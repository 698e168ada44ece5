"""What Concat puts together, and Slice takes apart, lies where it belongs: nets train alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from compiler.target import GENERIC
from frontends.prototxt import parse_text
from ir.op import Property
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from roastery.training.solvers import build_solver
from tests.support import sample_nets as sample
from tests.support.lowering import program_of
from tests.support.sample_nets import conv, dense, layer, pool, relu


def cat(name: str, bottoms: str, axis: int = 1) -> str:
    return layer(name, "Concat", bottoms, f"concat_param {{ axis: {axis} }}")


def net(*layers: str, side: int = 4) -> str:
    """From a stem of 8 channels to a loss."""
    stem = sample.inputs(data=(3, 8, side, side), label=(3,)) + conv("stem", "data", 8, 1)
    return stem + relu("stem") + "".join(layers)


def end(bottom: str) -> str:
    return dense("ip", bottom, 2) + layer("loss", "SoftmaxWithLoss", "ip label")


A = conv("a", "stem", 8, 1) + relu("a")
B = conv("b", "stem", 4, 3, "pad: 1") + relu("b")
POOLED = pool("p", "stem", "pool: MAX kernel_size: 3 stride: 1 pad: 1")
SAME = pool("s", "b", "pool: AVE kernel_size: 3 stride: 1 pad: 1")
BOTH = layer("sum", "Eltwise", "z w")

NETS = {
    "branches": net(A, B, POOLED, cat("y", "a b p"), conv("z", "y", 5, 1), relu("z"), end("z")),
    "a whole in a whole": net(
        B, cat("y", "stem b"), conv("z", "y", 4, 1), cat("w", "y z"), conv("v", "w", 4, 3), end("v")
    ),
    "the input, and one blob twice": net(
        A, B, cat("y", "a data b a"), conv("z", "y", 4, 1), end("z")
    ),
    "parts that others read": net(
        A,
        B,
        SAME,
        cat("y", "a b"),
        conv("z", "y", 8, 1),
        conv("w", "a", 8, 1),
        BOTH,
        cat("v", "sum s"),
        end("v"),
        dense("ip2", "b", 2),
        layer("l2", "SoftmaxWithLoss", "ip2 label"),
    ),
    "two wholes": net(
        A,
        B,
        cat("y", "a b"),
        cat("x", "b a"),
        conv("z", "y", 8, 1),
        conv("w", "x", 8, 1),
        BOTH,
        end("sum"),
    ),
    "images": net(
        A,
        conv("z", "stem", 8, 3, "pad: 1"),
        cat("y", "a z", 0),
        conv("w", "y", 4, 1),
        layer("cut", "Slice", "w", "slice_param { axis: 0 }", "q r"),
        layer("sum", "Eltwise", "q r"),
        end("sum"),
    ),
    "rows": net(
        A,
        conv("z", "stem", 8, 3, "pad_h: 0 pad_w: 1"),
        relu("z"),
        cat("y", "a z", 2),
        conv("w", "y", 4, 3),
        end("w"),
    ),
    "odd channels": net(
        conv("z", "stem", 1, 1),
        relu("z"),
        conv("w", "stem", 6, 1),
        relu("w"),
        cat("y", "z w"),
        conv("v", "y", 4, 3),
        end("v"),
    ),
    "slices": net(
        conv("z", "stem", 12, 1),
        relu("z"),
        layer("cut", "Slice", "z", "slice_param { slice_point: 4 }", "q r"),
        conv("v", "q", 4, 3, "pad: 1"),
        relu("v"),
        conv("w", "r", 8, 1),
        relu("w"),
        cat("y", "v w"),
        end("y"),
    ),
    "rows that are reduced": net(
        layer("z", "Softmax", "stem"),
        A,
        layer("drop", "Dropout", "a"),
        cat("y", "z drop"),
        sample.batch_norm("y"),
        conv("w", "y", 4, 1),
        end("w"),
    ),
}
SOLVER = (
    'base_lr: 0.1 lr_policy: "fixed" random_seed: 5 max_iter: 9 snapshot_after_train: false '
    "net_param { %s }"
)


def trained(text: str, device: str) -> dict[str, np.ndarray]:
    """The variables after a step, and their diffs."""
    solver = build_solver(parse_text(SOLVER % text, "SolverParameter"), device)
    train = solver.train
    rng = np.random.default_rng(3)
    for name in train.program.inputs:
        array = train.inputs[name].data.array
        array[...] = rng.integers(0, 2, array.shape) if name == "label" else rng.random(array.shape)
    solver.step(1)
    held = {"data": train.store.data, "diff": train.store.diff}
    return {f"{k} {n}": b.array.copy() for k, found in held.items() for n, b in found.items()}


@pytest.mark.parametrize("name", NETS)
def test_every_net_trains_as_on_the_reference(name: str) -> None:
    assert any(n.op.properties & Property.WHOLE for n in compiled(NETS[name]).graph.nodes)
    expected, found = (trained(NETS[name], device) for device in ("reference", "interpret"))
    for variable, array in expected.items():
        largest = np.abs(array).max(initial=1e-6)
        np.testing.assert_allclose(
            found[variable], array, rtol=1e-4, atol=1e-5 * largest, err_msg=variable
        )


def compiled(text: str) -> CompiledGraph:
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN")
    return compile_program(program, CompileOptions(GENERIC), backward=True).compiled


OBSERVED = {
    "a whole in a whole": ("stem", "y", "w"),
    "parts that others read": ("a", "y", "s", "v"),
    "slices": ("z", "q", "v", "y"),
}


@pytest.mark.parametrize("name", OBSERVED)
def test_what_is_observed_lies_alone_at_every_batch(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(NETS[name])
    expected, found = (
        roastery.compile(file, phase="TRAIN", device=device, observe=OBSERVED[name], seed=1)
        for device in ("reference", "interpret")
    )
    rng = np.random.default_rng(4)
    for batch in (3, 2, 3):
        labels = rng.integers(0, 2, batch).astype(np.float32)
        data = rng.standard_normal((batch, *expected.inputs["data"][1:])).astype(np.float32)
        wanted = expected(data=data, label=labels) | expected.backward()
        results = found(data=data, label=labels) | found.backward()
        assert results.keys() == wanted.keys() >= {*OBSERVED[name], "data"}
        for blob, array in wanted.items():
            np.testing.assert_allclose(results[blob], array, rtol=1e-4, atol=1e-5, err_msg=blob)


@pytest.mark.parametrize("name", OBSERVED)
def test_layer_by_layer_an_edited_part_counts(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(NETS[name])
    edited = OBSERVED[name][0]
    seen = []
    for device in ("reference", "interpret"):
        caffe.set_random_seed(1)
        net = caffe.Net(str(file), caffe.TRAIN, device=device)
        rng = np.random.default_rng(4)
        net.blobs["data"].data[...] = rng.standard_normal(net.blobs["data"].data.shape)
        net.forward()
        net.blobs[edited].data[...] *= -0.5
        layers = [*net.top_names]
        net.forward(start=layers[layers.index(f"relu_{edited}") + 1])
        net.backward()
        diffs = {f"{n} {i}": b.diff.copy() for n, p in net.params.items() for i, b in enumerate(p)}
        seen.append({n: b.data.copy() for n, b in net.blobs.items()} | diffs)
    for blob, array in seen[0].items():
        np.testing.assert_allclose(seen[1][blob], array, rtol=1e-4, atol=1e-5, err_msg=blob)
