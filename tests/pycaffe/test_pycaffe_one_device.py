"""Scripts for several GPUs on one device, and what old scripts ask of nets and layers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import roastery.caffe as caffe
from runtime.python.layer import Phase

ROOT = Path(__file__).parents[2]
NET = """
layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } }
layer { name: "w" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }
layer { name: "l" type: "Reduction" bottom: "y" top: "l" loss_weight: 1 }
"""
#: Each device's process does what that of Caffe's python/train.py does, timing included.
TRAIN = """
from multiprocessing import Process
import caffe

def solve(path, gpus, uid, rank):
    caffe.set_device(gpus[rank])
    caffe.set_mode_gpu()
    caffe.set_solver_count(len(gpus))
    caffe.set_solver_rank(rank)
    caffe.set_multiprocess(True)
    solver = caffe.SGDSolver(path)
    nccl = caffe.NCCL(solver, uid)
    nccl.bcast()
    forward = [caffe.Timer() for _ in solver.net.layers]
    solver.net.before_forward(lambda layer: forward[layer].start())
    solver.net.after_forward(lambda layer: forward[layer].stop())
    solver.add_callback(lambda: None, lambda: None)
    solver.add_callback(nccl)
    solver.net.after_backward(nccl)
    solver.step(solver.param.max_iter)
    print(solver.iter, solver.param.display, solver.param.layer_wise_reduce, forward[0].ms > 0)

if __name__ == "__main__":
    uid = caffe.NCCL.new_uid()
    assert isinstance(uid, bytes)
    caffe.init_log()
    caffe.log("Using devices %s" % str(GPUS))
    for rank in range(len(GPUS)):
        process = Process(target=solve, args=("solver.prototxt", GPUS, uid, rank))
        process.daemon = True
        process.start()
        process.join()
"""


def train(folder: Path, gpus: str) -> subprocess.CompletedProcess[str]:
    (folder / "net.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 3 display: 2 '
        "snapshot_after_train: false"
    )
    (folder / "train.py").write_text(TRAIN.replace("GPUS", gpus))
    return subprocess.run(
        [sys.executable, "-m", "roastery", "python", "train.py"],
        cwd=folder, capture_output=True, text=True,
        env={**os.environ, "ROASTERY_DEVICE": "reference", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip


def test_a_script_for_several_gpus_trains_on_one(tmp_path: Path) -> None:
    done = train(tmp_path, "[0]")
    assert done.stdout == "3 2 True True\n", done.stderr
    assert "Using devices [0]" in done.stderr


@pytest.mark.parametrize(("phase", "number"), [(Phase.TRAIN, 0), (Phase.TEST, 1)])
def test_phases_are_numbers_that_show_as_names(phase: Phase, number: int) -> None:
    assert phase == number and phase in (caffe.TRAIN, caffe.TEST)
    assert str(phase) == f"{phase}" == f"{phase:s}" == phase.name
    assert f"{phase:d}" == str(number) and f"{phase:>6}" == f"{phase.name:>6}"
