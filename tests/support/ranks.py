"""Folders to train in, and ranks as processes, started as users start them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from frontends.caffemodel import read_weights

RECORDS, CLASSES, SIZE = 96, 5, 12

NET = """name: "small"
layer { name: "data" type: "HDF5Data" top: "data" top: "label"
  include { phase: TRAIN } hdf5_data_param { source: "list.txt" batch_size: %(batch)d } }
layer { name: "data" type: "HDF5Data" top: "data" top: "label"
  include { phase: TEST } hdf5_data_param { source: "list.txt" batch_size: 16 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 8 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy"
  include { phase: TEST } }
"""

SOLVER = """net: "net.prototxt"
test_iter: 5 test_interval: 10
base_lr: 0.05 momentum: 0.9 weight_decay: 0.001 gamma: 0.5
display: 5 max_iter: 25 snapshot: 10 snapshot_prefix: "run" random_seed: 3 solver_mode: CPU
"""


STEP = 'lr_policy: "step" stepsize: 10'


def small_run(folder: Path, batch: int, solver: str = STEP, net: str = NET) -> Path:
    """A folder with data, a net of this batch size, and a solver with some lines more."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    data = draw.standard_normal((RECORDS, 3, SIZE, SIZE)).astype(np.float32)
    weights = draw.standard_normal((3 * SIZE * SIZE, CLASSES))
    with h5py.File(folder / "data.h5", "w") as file:
        file["data"] = data
        file["label"] = (data.reshape(RECORDS, -1) @ weights).argmax(1).astype(np.float32)
    (folder / "list.txt").write_text("data.h5\n")
    (folder / "net.prototxt").write_text(net % {"batch": batch})
    (folder / "solver.prototxt").write_text(SOLVER + solver)
    return folder


def train(folder: Path, *words: str, ranks: int = 1, code: int = 0, timeout: int = 100) -> str:
    """``roastery train`` in a folder; its standard error. Fails unless it ends with ``code``."""
    command = ["-m", "roastery", "train", "--solver=solver.prototxt", *words]
    if ranks > 1:
        command.append(f"--ranks={ranks}")
    return run_python(folder, command, code=code, timeout=timeout)


def torchrun(
    folder: Path, ranks: int, words: Sequence[str], *, code: int = 0, timeout: int = 100
) -> str:
    """``torchrun --standalone WORDS`` in a folder; its standard error."""
    starter = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    return run_python(folder, [*starter, *words], code=code, timeout=timeout)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that one of the processes that run tests fills, and all read."""
    own = factory.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with open(root.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "made").exists():
            root.mkdir(parents=True)
            make(root)
            (root / "made").touch()
    return root


def train_all(
    folders: Sequence[Path], ranks: int, device: str = "cpu", *, sent: bool = False
) -> None:
    """Train in several folders, one after the other, by the same ranks; rank 0's log of each is in
    its file ``log``. ``sent``: gradients are sent, as between machines."""
    store = folders[0].parent / f"store_of_{ranks}"
    words = ["-m", "tests.support.rank_worker", str(store), str(ranks), device]
    processes = [
        subprocess.Popen(
            [sys.executable, *words, str(rank), *map(str, folders)],
            env={**environment(), "ROASTERY_SHARE_GRADIENTS": str(int(not sent))},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(ranks)
    ]
    errors = [process.communicate(timeout=200)[1] for process in processes]
    assert all(process.returncode == 0 for process in processes), "\n".join(errors)[-4000:]


def run_python(folder: Path, words: Sequence[str], *, code: int, timeout: int) -> str:
    """Python in a folder; its standard error. Fails unless it ends with ``code``."""
    found = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert found.returncode == code, found.stderr[-4000:]
    return found.stderr


def environment() -> dict[str, str]:
    """For a command of this checkout's."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def parameters(folder: Path, iteration: int = 25, prefix: str = "run") -> dict[str, np.ndarray]:
    """What a snapshot holds, by layer and number."""
    layers = read_weights(folder / f"{prefix}_iter_{iteration}.caffemodel")
    return {
        f"{layer.name}[{index}]": np.asarray(blob)
        for layer in layers
        for index, blob in enumerate(layer.blobs)
    }


def largest_difference(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], floor: float = 1e-3
) -> float:
    """Relative to the largest element of each blob."""
    assert found.keys() == expected.keys() and expected
    return max(
        float(np.abs(found[name] - blob).max() / max(floor, np.abs(blob).max()))
        for name, blob in expected.items()
    )
