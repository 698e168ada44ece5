"""Snapshots: Caffe's are resumed as Caffe does, ours go on as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from frontends.caffemodel import (
    SolverState,
    read_net_and_weights,
    read_state,
    read_weights,
    write_state,
)
from frontends.schema.pool import caffe_pb2
from roastery.files.process_identity import this_process
from roastery.training.snapshots import POSITION_FIELD, newest_snapshot

Run = Callable[..., str]
ROOT = Path(__file__).parents[2]


def expected(data_dir: Path, prefix: str) -> dict[str, np.ndarray]:
    recorded = np.load(data_dir / "snapshots" / "expected.npz")
    return {k.removeprefix(prefix): recorded[k] for k in recorded if k.startswith(prefix)}


def weights_of(path: Path) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.blobs for layer in read_weights(path) if layer.blobs}


def same(one: str, other: str) -> None:
    """Equal parameters and history, to the last bit."""
    first, second = weights_of(Path(f"{one}.caffemodel")), weights_of(Path(f"{other}.caffemodel"))
    assert first.keys() == second.keys()
    for name in first:
        for mine, theirs in zip(first[name], second[name], strict=True):
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
    a, b = read_state(f"{one}.solverstate"), read_state(f"{other}.solverstate")
    for mine, theirs in zip(a.history, b.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (a.iter, a.current_step) == (b.iter, b.current_step)


# --- Caffe's files ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["sgd", "sgd_h5", "adam", "nesterov", "adagrad", "rmsprop", "adadelta"]
)
def test_resumes_caffes_snapshot(
    name: str, data_dir: Path, snapshot_folder: Path, roastery: Run
) -> None:
    ending = ".h5" if name.endswith("_h5") else ""
    roastery(
        "train",
        f"--solver={name}_solver.prototxt",
        f"--snapshot={name}_iter_5.solverstate{ending}",
    )
    weights = weights_of(snapshot_folder / f"{name}_iter_10.caffemodel{ending}")
    state = read_state(snapshot_folder / f"{name}_iter_10.solverstate{ending}")
    recorded = expected(data_dir, f"{name.removesuffix('_h5')}.resumed10.")
    compared = 0
    for key, value in recorded.items():
        kind, _, rest = key.partition(".")
        if kind == "param":
            layer, index = rest.split(".")
            ours = weights[layer][int(index)]
        elif kind == "history":
            ours = state.history[int(rest)]
        else:
            continue
        np.testing.assert_allclose(ours, value, rtol=1e-5, atol=1e-5, err_msg=key)
        compared += 1
    assert compared >= 16
    assert state.iter == 10
    assert state.current_step == recorded["current_step"]
    assert state.learned_net == f"{name}_iter_10.caffemodel{ending}"


def test_finetunes_by_layer_name(data_dir: Path, snapshot_folder: Path, roastery: Run) -> None:
    for source in ("sgd_iter_5.caffemodel", "sgd_h5_iter_5.caffemodel.h5"):
        log = roastery("train", "--solver=finetune0_solver.prototxt", f"--weights={source}")
        assert f"Finetuning from {source}" in log
        assert "Ignoring source layer ip" in log
        weights = weights_of(snapshot_folder / "finetune0_iter_0.caffemodel")
        kept = expected(data_dir, "sgd.iter5.param.")
        np.testing.assert_array_equal(weights["conv"][0], kept["conv.0"])
        np.testing.assert_array_equal(weights["bn"][1], kept["bn.1"])
        assert (weights["ip_new"][0] == np.float32(0.01)).all()


def test_diffs_are_the_applied_update(snapshot_folder: Path, roastery: Run) -> None:
    roastery("train", "--solver=diff_solver.prototxt")
    layers = {layer.name: layer for layer in read_weights("diff_iter_5.caffemodel")}
    assert layers["ip"].diffs[0] is not None
    assert np.abs(layers["ip"].diffs[0]).max() > 0


# --- our files, read by others -----------------------------------------------------------------


def test_caffes_classes_read_what_we_write(snapshot_folder: Path, roastery: Run) -> None:
    roastery("train", "--solver=adam_solver.prototxt")
    net = caffe_pb2().NetParameter()
    net.ParseFromString((snapshot_folder / "adam_iter_10.caffemodel").read_bytes())
    assert net.name == "snapnet"
    assert [layer.name for layer in net.layer if layer.blobs] == ["conv", "bn", "scale", "ip"]
    state = caffe_pb2().SolverState()
    state.ParseFromString((snapshot_folder / "adam_iter_10.solverstate").read_bytes())
    assert state.iter == 10
    assert state.learned_net == "adam_iter_10.caffemodel"
    shapes = [tuple(blob.shape.dim) for blob in state.history]
    learned = [tuple(blob.shape.dim) for layer in net.layer for blob in layer.blobs]
    assert shapes == learned * 2  # first moments of all parameters, then second moments


def test_hdf5_snapshots_hold_the_same(snapshot_folder: Path, roastery: Run) -> None:
    roastery("train", "--solver=sgd_solver.prototxt")
    roastery("train", "--solver=sgd_h5_solver.prototxt")
    a = weights_of(Path("sgd_iter_10.caffemodel"))
    b = weights_of(Path("sgd_h5_iter_10.caffemodel.h5"))
    for name in a:
        for mine, other in zip(a[name], b[name], strict=True):
            np.testing.assert_array_equal(mine, other)
    c, d = read_state("sgd_iter_10.solverstate"), read_state("sgd_h5_iter_10.solverstate.h5")
    for mine, other in zip(c.history, d.history, strict=True):
        np.testing.assert_array_equal(mine, other)


# --- going on ----------------------------------------------------------------------------------

NET = """
name: "resumed"
layer { name: "in" type: "Data" top: "data" top: "label" data_param { source: "train_lmdb"
  batch_size: 7 backend: LMDB } transform_param { scale: 0.00390625 crop_size: 12 mirror: true } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""

SOLVER = """
net: "resumed.prototxt" base_lr: 0.02 momentum: 0.9 lr_policy: "multistep" gamma: 0.5
stepvalue: 8 stepvalue: 17 max_iter: 20 snapshot: 5 snapshot_prefix: "{prefix}"
"""


@pytest.fixture
def resumed(log_folder: Path) -> Path:
    (log_folder / "resumed.prototxt").write_text(NET)
    for prefix in ("whole", "parts"):
        (log_folder / f"{prefix}_solver.prototxt").write_text(
            SOLVER.format(prefix=prefix) + "random_seed: 11"
        )
    return log_folder


@pytest.mark.parametrize("format", ["BINARYPROTO", "HDF5"])
@pytest.mark.parametrize("debug", [False, True], ids=["fused", "layerwise"])
def test_a_resumed_run_is_the_unbroken_one(
    format: str, debug: bool, resumed: Path, roastery: Run
) -> None:
    """Crops, mirroring, dropout, the position in the data and the rate's step all go on."""
    ending = ".h5" if format == "HDF5" else ""
    for prefix in ("whole", "parts"):
        path = resumed / f"{prefix}_solver.prototxt"
        more = f"\nsnapshot_format: {format} debug_info: {str(debug).lower()}"
        path.write_text(path.read_text() + more)
    roastery("train", "--solver=whole_solver.prototxt")
    short = (resumed / "parts_solver.prototxt").read_text().replace("max_iter: 20", "max_iter: 10")
    (resumed / "short.prototxt").write_text(short)
    roastery("train", "--solver=short.prototxt")
    roastery(
        "train",
        "--solver=parts_solver.prototxt",
        f"--snapshot=parts_iter_10.solverstate{ending}",
    )
    for name, blobs in weights_of(Path(f"whole_iter_20.caffemodel{ending}")).items():
        others = weights_of(Path(f"parts_iter_20.caffemodel{ending}"))[name]
        for mine, other in zip(blobs, others, strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=name)


RECURRENT = """
layer { name: "in/h5" type: "HDF5Data" top: "data" top: "cont" top: "target"
  hdf5_data_param { source: "list.txt" batch_size: 5 } }
layer { name: "seq/lstm" type: "LSTM" bottom: "data" bottom: "cont" top: "h"
  recurrent_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "h" bottom: "target" top: "loss" }
"""


@pytest.mark.parametrize("debug", [False, True], ids=["fused", "layerwise"])
def test_recurrent_state_goes_on(
    debug: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roastery: Run
) -> None:
    """The sequence runs over the end of the first run; names with slashes are HDF5 groups."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    with h5py.File("rows.h5", "w") as file:
        file["data"] = draw.standard_normal((40, 2, 3)).astype(np.float32)
        file["cont"] = np.ones((40, 2), np.float32)
        file["target"] = draw.standard_normal((40, 2, 4)).astype(np.float32)
    Path("list.txt").write_text("rows.h5\n")
    Path("net.prototxt").write_text(RECURRENT)
    solver = (
        'net: "net.prototxt" type: "Nesterov" base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 '
        "iter_size: 2 clip_gradients: 0.5 snapshot_format: HDF5 random_seed: 3 "
        f"debug_info: {str(debug).lower()} "
    )
    for name, last in (("whole", 8), ("parts", 4), ("parts", 8)):
        text = f'{solver} max_iter: {last} snapshot_prefix: "{name}"'
        Path(f"{name}.prototxt").write_text(text)
        roastery("train", f"--solver={name}.prototxt", "--snapshot=auto")
    with h5py.File("whole_iter_8.caffemodel.h5") as a, h5py.File("parts_iter_8.caffemodel.h5") as b:
        for index in "012":
            one, other = a[f"data/seq/lstm/{index}"][...], b[f"data/seq/lstm/{index}"][...]
            np.testing.assert_array_equal(one, other)
            assert np.abs(one).max() > 0


def test_a_run_without_seed_goes_on_with_its_own(resumed: Path, roastery: Run) -> None:
    (resumed / "solver.prototxt").write_text(SOLVER.format(prefix="free"))
    roastery("train", "--solver=solver.prototxt")
    first = weights_of(Path("free_iter_20.caffemodel"))
    for name in ("free_iter_20", "free_iter_15"):
        Path(f"{name}.solverstate").unlink()
    roastery("train", "--solver=solver.prototxt", "--snapshot=auto")
    for name, blobs in weights_of(Path("free_iter_20.caffemodel")).items():
        np.testing.assert_array_equal(blobs[0], first[name][0])


def test_caffes_files_start_the_data_over(snapshot_folder: Path) -> None:
    assert POSITION_FIELD not in read_state("sgd_iter_5.solverstate").extra


# --- which snapshot ----------------------------------------------------------------------------


def test_auto_takes_the_newest_that_is_whole(resumed: Path, roastery: Run) -> None:
    log = roastery("train", "--solver=whole_solver.prototxt", "--snapshot=auto")
    assert "no snapshot of 'whole' yet" in log
    assert newest_snapshot("whole") == "whole_iter_20.solverstate"
    content = Path("whole_iter_20.solverstate").read_bytes()
    Path("whole_iter_20.solverstate").write_bytes(content[: len(content) // 2])
    assert newest_snapshot("whole") == "whole_iter_15.solverstate"
    Path("whole_iter_15.caffemodel").unlink()
    assert newest_snapshot("whole") == "whole_iter_10.solverstate"
    assert newest_snapshot("other") is None
    log = roastery("train", "--solver=whole_solver.prototxt", "--snapshot=auto")
    assert "Resuming from whole_iter_10.solverstate" in log


def test_weights_are_found_beside_a_moved_state(
    snapshot_folder: Path, tmp_path: Path, roastery: Run
) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for ending in ("caffemodel", "solverstate"):
        Path(f"sgd_iter_5.{ending}").rename(moved / f"sgd_iter_5.{ending}")
    roastery("train", "--solver=sgd_solver.prototxt", f"--snapshot={moved}/sgd_iter_5.solverstate")
    assert Path("sgd_iter_10.caffemodel").exists()


def test_state_of_another_solver_is_refused(snapshot_folder: Path, roastery: Run) -> None:
    error = roastery(
        "train", "--solver=adam_solver.prototxt", "--snapshot=sgd_iter_5.solverstate", code=1
    )
    assert "holds 8 history blobs" in error and "Adam has 16" in error
    assert "adam_solver.prototxt:" in error


def test_damaged_position_is_refused(snapshot_folder: Path, roastery: Run) -> None:
    state = read_state("sgd_iter_5.solverstate")
    damaged = {
        b"{": "position cannot be read",
        b'{"feeds": [1]}': "its feeds cannot be read",
        b'{"random": {"train": [1, -1]}}': "random state is damaged",
        b'{"state": {"train": 7}}': "its train cannot be read",
    }
    for content, message in damaged.items():
        write_state(
            "bad.solverstate",
            SolverState(state.iter, state.learned_net, state.history, 0, {POSITION_FIELD: content}),
        )
        error = roastery(
            "train", "--solver=sgd_solver.prototxt", "--snapshot=bad.solverstate", code=1
        )
        assert message in error


def test_the_net_in_a_snapshot_is_the_filtered_one(log_folder: Path, roastery: Run) -> None:
    roastery("train", "--solver=multistep_solver.prototxt")
    roastery("train", "--solver=main_solver.prototxt")
    net, _ = read_net_and_weights("main_iter_50.caffemodel")
    names = [layer.name for layer in net.layer]
    assert "label_digits_1_split" in names
    assert names.index("ip2_ip2_0_split") == names.index("ip2") + 1


# --- killed ------------------------------------------------------------------------------------


def test_a_run_killed_20_times_ends_the_same(resumed: Path, roastery: Run) -> None:
    """SIGKILL at random moments, snapshots among them: every restart goes on from a whole one."""
    for prefix in ("whole", "parts"):
        path = resumed / f"{prefix}_solver.prototxt"
        text = path.read_text().replace("max_iter: 20", "max_iter: 900 display: 1")
        path.write_text(text.replace("snapshot: 5", "snapshot: 3"))
    roastery("train", "--solver=whole_solver.prototxt")
    draw = random.Random(4)
    reached = []
    for kill in range(20):
        if kill % 4 == 3:  # a snapshot is quickly written: some kills must come near one
            kill_after("Snapshotting", draw.randint(2, 4), draw.uniform(0.0, 0.004))
        else:
            kill_after(
                "] Iteration" if kill else "Solving",
                draw.randint(1, 30) if kill else 1,
                draw.uniform(0.0, 0.004),
            )
        newest = newest_snapshot("parts")
        reached.append(read_state(newest).iter if newest else 0)
    assert reached == sorted(reached) and 0 < reached[-1] < 900
    assert len(set(reached)) > 3  # the kills were all over the run, however slow the machine
    roastery("train", "--solver=parts_solver.prototxt", "--snapshot=auto")
    same("parts_iter_900", "whole_iter_900")
    assert not list(resumed.glob(".*.partial"))


def kill_after(words: str, number: int, delay: float) -> None:
    """Resume a run and kill it shortly after its ``number``-th log line with these words."""
    command = [sys.executable, "-m", "roastery", "train", "--solver=parts_solver.prototxt"]
    with subprocess.Popen(
        [*command, "--snapshot=auto"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            number -= words in line
            if number == 0:
                break
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_a_prefix_that_ends_with_a_slash(resumed: Path, roastery: Run) -> None:
    """As in Caffe, a folder that is not there yet is no name: `runs/_iter_20.solverstate`."""
    text = SOLVER.format(prefix="runs/").replace("max_iter: 20", "max_iter: 1")
    (resumed / "solver.prototxt").write_text(text)
    assert "made the directory 'runs'" in roastery("train", "--solver=solver.prototxt")
    assert sorted(os.listdir("runs")) == ["_iter_1.caffemodel", "_iter_1.solverstate"]
    assert newest_snapshot("runs/") == "runs/_iter_1.solverstate"


def test_any_training_removes_what_killed_ones_left(resumed: Path, roastery: Run) -> None:
    """Not only --snapshot=auto; and only of its own prefix."""
    owner = f"999999999-1-{this_process().where}-0"
    for name in ("parts_iter_5.caffemodel", "parts_iter_900.solverstate.h5", "other_iter_5.x"):
        folder = resumed / f".{name}.{owner}.partial"
        folder.mkdir()
        (folder / name).write_bytes(b"half")
    roastery("train", "--solver=parts_solver.prototxt")
    assert [path.name for path in resumed.glob(".*")] == [f".other_iter_5.x.{owner}.partial"]
