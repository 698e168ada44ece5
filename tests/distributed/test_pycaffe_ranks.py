"""pycaffe's interface for several GPUs: `caffe.NCCL`, as scripts use it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.ranks import environment, largest_difference, made_once, parameters, small_run

pytest.importorskip("torch.distributed", reason="torch is not installed")

BATCH = 12
STEP = 'lr_policy: "step" stepsize: 10'

TRAIN = """
import json
import os
import sys
from multiprocessing import Process, set_start_method

import caffe

def layer_by_layer(solver, nccl, rank):
    solver.add_callback(nccl)
    if solver.param.layer_wise_reduce:
        solver.net.after_backward(nccl)
    solver.step(solver.param.max_iter - solver.iter)

def timed(solver, nccl, rank):
    weights = solver.net.params["ip"][0]
    before, after = [], []
    solver.add_callback(lambda: None, lambda: before.append(weights.diff.flat[3].item()))
    solver.add_callback(nccl)
    solver.add_callback(lambda: None, lambda: after.append(weights.diff.flat[3].item()))
    for _ in range(25):
        solver.step(1)
    with open("seen_%d.json" % rank, "w") as file:
        json.dump([before, after], file)

def by_hand(solver, nccl, rank):
    solver.net.after_backward(nccl)
    while solver.iter < 25:
        solver.net.clear_param_diffs()
        solver.net.forward()
        solver.net.backward()
        solver.apply_update()
        if rank == 0 and solver.iter % 10 == 0:  # the others know nothing of it
            solver.snapshot()
            solver.test_nets[0].forward()

def dies(solver, nccl, rank):
    def ready():
        if rank == 1 and solver.iter == 3:
            raise ValueError("rank 1 has had enough")
    solver.add_callback(lambda: None, ready)
    solver.add_callback(nccl)
    solver.step(25)

HOW = {"timed": timed, "by_hand": by_hand, "dies": dies}

def train(gpus, uids, rank, folders):
    caffe.set_device(gpus[rank])
    caffe.set_mode_gpu()
    caffe.set_solver_count(len(gpus))
    caffe.set_solver_rank(rank)
    caffe.set_multiprocess(True)
    for uid, folder in zip(uids, folders):
        os.chdir(folder)
        solver = caffe.get_solver("solver.prototxt")
        if rank == 0:
            solver.net.params["ip"][1].data[...] = 0.25
        if os.path.exists("from.solverstate"):
            solver.restore("from.solverstate")
        nccl = caffe.NCCL(solver, uid)
        nccl.bcast()
        HOW.get(os.path.basename(folder), layer_by_layer)(solver, nccl, rank)
        if rank == 0:
            solver.net.save("end.caffemodel")
        del solver, nccl

if __name__ == "__main__":
    set_start_method(sys.argv[1])
    gpus = list(range(int(sys.argv[2])))
    folders = sys.argv[3:]
    uids = [caffe.NCCL.new_uid() for _ in folders]
    caffe.init_log()
    caffe.log("Using devices %s" % gpus)
    processes = [Process(target=train, args=(gpus, uids, r, folders)) for r in gpus]
    for process in processes:
        process.daemon = True
        process.start()
    for process in processes:
        process.join()
    print([process.exitcode for process in processes])
"""

SOLVERS = {
    "plain": STEP,
    "timed": f"{STEP} layer_wise_reduce: false",
    "by_hand": STEP,
    "several_passes": f'{STEP} iter_size: 3 type: "Adam" momentum2: 0.99',
    "plateau": 'lr_policy: "plateau" plateau_winsize: 1 plateau_winsize: 1 plateau_winsize: 2',
}


def run(root: Path, ranks: int, names: list[str], start: str = "fork") -> tuple[str, str]:
    """What a script that trains in several folders says: on standard output, and error."""
    script = root / "train.py"
    script.write_text(TRAIN)
    folders = [str(root / str(ranks) / name) for name in names]
    done = subprocess.run(
        [sys.executable, "-m", "roastery", "python", str(script), start, str(ranks), *folders],
        env={**environment(), "CUDA_VISIBLE_DEVICES": "", "ROASTERY_DEVICE": ""},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.strip(), done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each solver's run by one solver, and by two that have half the batch each."""
    return made_once(tmp_path_factory, "pycaffe_ranks", _train)


def _train(root: Path) -> None:
    for ranks in (1, 2):
        for name, solver in SOLVERS.items():
            small_run(root / str(ranks) / name, BATCH // ranks, solver)
        shown, log = run(root, ranks, list(SOLVERS))
        assert shown == str([0] * ranks)
        (root / f"log_{ranks}").write_text(log)


def at_the_end(folder: Path) -> dict[str, np.ndarray]:
    """The parameters that a script saved."""
    shutil.copy(folder / "end.caffemodel", folder / "end_iter_25.caffemodel")
    return parameters(folder, prefix="end")


@pytest.mark.parametrize("name", SOLVERS)
def test_parameters(runs: Path, name: str) -> None:
    found, expected = (at_the_end(runs / ranks / name) for ranks in ("2", "1"))
    assert largest_difference(found, expected) < 1e-5
    assert parameters(runs / "2" / name, 20).keys() == expected.keys()  # snapshots are written


def test_callbacks_behind_nccl_see_the_mean(runs: Path) -> None:
    one, first, second = (
        np.array(json.loads((runs / name).read_text()))
        for name in ("1/timed/seen_0.json", "2/timed/seen_0.json", "2/timed/seen_1.json")
    )
    assert np.array_equal(first[1], second[1])
    assert first[1] == pytest.approx((first[0] + second[0]) / 2, abs=1e-7)
    assert np.abs(first[0] - second[0]).max() > 1e-3, "records differ"
    assert first[1] == pytest.approx(one[1], abs=1e-6)


def test_one_rank_logs(runs: Path) -> None:
    for line in ("Using devices", "Initializing solver", "Testing net (#0)", "Snapshotting to"):
        found, expected = ((runs / f"log_{n}").read_text().count(line) for n in (2, 1))
        assert found == expected > 0, line
    assert (runs / "log_2").read_text().count("there is no GPU") == 1


def test_a_run_goes_on_until_a_rank_dies(runs: Path) -> None:
    """Both are spawned; the first folder's training goes on from a snapshot, as it was."""
    restored = small_run(runs / "2" / "restored", BATCH // 2, STEP)
    small_run(runs / "2" / "dies", BATCH // 2, STEP)
    plain = runs / "2" / "plain"
    shutil.copy(plain / "run_iter_10.caffemodel", restored)
    shutil.copy(plain / "run_iter_10.solverstate", restored / "from.solverstate")
    shown, log = run(runs, 2, ["restored", "dies"], "spawn")
    found, expected = at_the_end(restored), at_the_end(plain)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert shown == "[1, 1]"
    assert "ValueError: rank 1 has had enough" in log
    assert "rank 0 has lost the connection to the other ranks" in log
    assert "the rank that ended first says why" in log
