"""SIGKILL of one of several ranks, which torchrun starts again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import h5py
import numpy as np

from frontends.caffemodel import SolverState, read_state
from roastery.training.snapshots import POSITION_FIELD

from .material import Material
from .processes import PATIENCE, command, environment, litter
from .rows import Plan, Row

RANKS = 2
RECORDS, FEATURES = 90, 12
EVERY = 20
"""Iterations between snapshots."""

# What ranks have for themselves: statistics, random numbers, what an LSTM remembers.
NET = """
name: "small"
layer { name: "in" type: "HDF5Data" top: "data" top: "cont" top: "label"
  hdf5_data_param { source: "list.txt" batch_size: 8 shuffle: true } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 16 weight_filler { type: "xavier" } } }
layer { name: "norm" type: "BatchNorm" bottom: "ip" top: "norm" }
layer { name: "scale" type: "Scale" bottom: "norm" top: "norm" scale_param { bias_term: true } }
layer { name: "drop" type: "Dropout" bottom: "norm" top: "norm" }
layer { name: "steps" type: "Reshape" bottom: "norm" top: "steps"
  reshape_param { shape { dim: 8 dim: 1 dim: 16 } } }
layer { name: "lstm" type: "LSTM" bottom: "steps" bottom: "cont" top: "lstm"
  recurrent_param { num_output: 8 weight_filler { type: "xavier" } } }
layer { name: "flat" type: "Reshape" bottom: "lstm" top: "flat"
  reshape_param { shape { dim: 8 dim: 8 } } }
layer { name: "out" type: "InnerProduct" bottom: "flat" top: "out"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "out" bottom: "label" top: "loss" }
"""

SOLVER = """
net: "net.prototxt" type: "Adam" base_lr: 0.01 momentum: 0.9 momentum2: 0.99 lr_policy: "step"
gamma: 0.9 stepsize: 30 display: {every} max_iter: {iterations} test_iter: 3 test_interval: {every}
snapshot: {every} snapshot_prefix: "small" random_seed: 7
"""


def training(material: Material, plan: Plan) -> Row:
    """A rank is killed at any moment; the end is that of the run that nobody disturbed."""
    row = Row(f"SIGKILL of one of {RANKS} ranks under torchrun; the end equals the unbroken run")
    iterations = 60 if plan.short else 400
    whole = make_run(material.place("all ranks"), iterations)
    with Watched(whole) as unbroken:
        began = unbroken.wait_for_rank(0)
        row.expect(unbroken.end() == 0, f"unbroken: {unbroken.log[-1500:]}")
        seconds = time.monotonic() - began
    reached: list[int] = []
    while plan.goes_on(least=10, most=40):
        row.tries += 1
        place = make_run(material.place(f"lost rank {row.tries}"), iterations)
        # Starting up takes most of the time; each second rank is killed after that.
        most = iterations - EVERY if row.tries % 2 else 0
        while (at := _kill_once(row, place, plan.draw, seconds, most)) is None:
            for path in place.glob("small_iter_*"):
                path.unlink()
        reached.append(at)
        row.expect(same_end(place, whole), f"try {row.tries}, killed after {at}: another end")
        row.expect(not litter(place), f"left over: {litter(place)}")
    return row.end(f"resumed at iterations {', '.join(map(str, sorted(reached)))} of {iterations}")


def _kill_once(row: Row, place: Path, draw: Random, seconds: float, most: int) -> int | None:
    """The iteration that training goes on from; None where it was over before the kill.

    Args:
        seconds: after the start within which a rank is killed; or, if there is a ``most``, it is
            killed within some iterations after a snapshot up to that one.
    """
    rank = draw.randrange(RANKS)
    with Watched(place) as run:
        run.wait_for_rank(rank)
        if most:
            wanted = draw.randrange(EVERY, most)
            run.wait(lambda: newest(place) >= wanted)
            time.sleep(draw.uniform(0.0, 0.2))
        else:
            time.sleep(draw.uniform(0.0, seconds))
        if not run.kill(rank):
            return None
        at = newest(place)
        code = run.end()
        row.expect(code == 0, f"exit code {code}, rank {rank} killed at {at}: {run.log[-1500:]}")
        row.expect("Traceback" not in run.log, f"rank {rank}, {at}: a traceback")
        return at


class Watched:
    """``torchrun ... roastery train`` in a folder, whose ranks can be killed.

    Args:
        words: for torchrun; without any it starts all ranks.

    Attributes:
        log: its standard error, once it has ended.
    """

    def __init__(self, place: Path, *words: str) -> None:
        words = words or ("--standalone", f"--nproc-per-node={RANKS}")
        self._words = [
            sys.executable, "-m", "torch.distributed.run", *words, "--max-restarts=3",
            *command("train", "--solver=solver.prototxt", "--device=cpu")[1:],
        ]  # fmt: skip
        self._place = place
        self.log = ""

    def __enter__(self) -> Watched:
        with (self._place / "log").open("w") as log:
            self._process = subprocess.Popen(
                self._words,
                cwd=self._place,
                env={**environment(), "PYTHONFAULTHANDLER": "1"},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for_rank(self, rank: int) -> float:
        """Wait until a rank has started; the time that it is then."""
        self.wait(lambda: rank in self.ranks())
        return time.monotonic()

    def wait(self, until: Callable[[], object]) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + PATIENCE
        while not until() and self._process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    def ranks(self) -> dict[int, int]:
        """The processes of the ranks that run."""
        found = {}
        for pid in children(self._process.pid):
            rank = _variable(pid, "RANK")
            if rank is not None:
                found[int(rank)] = pid
        return found

    def kill(self, rank: int) -> bool:
        """Whether there was such a rank, which is killed now."""
        pid = self.ranks().get(rank)
        if pid is None or _is_over(pid):
            return False
        subprocess.run(["kill", "-KILL", str(pid)], check=False)
        return True

    def end(self) -> int:
        """Wait for the end; the exit code, -6 where it hangs; the log then says where."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            for pid in (*self.ranks().values(), self._process.pid):
                os.kill(pid, signal.SIGABRT)
            code = self._process.wait()
        self.log = (self._place / "log").read_text()
        return code


def make_run(place: Path, iterations: int) -> Path:
    """Data, net and solver in a folder."""
    draw = np.random.default_rng(4)
    data = draw.standard_normal((RECORDS, FEATURES)).astype(np.float32)
    with h5py.File(place / "data.h5", "w") as file:
        file["data"] = data
        file["cont"] = (draw.random((RECORDS, 1)) < 0.9).astype(np.float32)
        file["label"] = data[:, :4].argmax(1).astype(np.float32)
    (place / "list.txt").write_text("data.h5\n")
    (place / "net.prototxt").write_text(NET)
    (place / "solver.prototxt").write_text(SOLVER.format(iterations=iterations, every=EVERY))
    return place


def newest(place: Path) -> int:
    """The iteration of the newest snapshot; 0: there is none."""
    names = [path.stem for path in place.glob("small_iter_*.solverstate")]
    return max((int(name.rpartition("_")[2]) for name in names), default=0)


def end_of(place: Path) -> tuple[bytes, SolverState]:
    """What the newest snapshot holds, but for the name of the run that wrote it."""
    path = place / f"small_iter_{newest(place)}.solverstate"
    state = read_state(path)
    position = json.loads(state.extra[POSITION_FIELD])
    assert position.pop("run"), "torchrun gives each run a name"
    state.extra[POSITION_FIELD] = json.dumps(position).encode()
    return path.with_suffix(".caffemodel").read_bytes(), state


def same_end(one: Path, other: Path) -> bool:
    """Whether two runs ended at the same weights, histories and positions, bit for bit."""
    (weights, state), (others, other_state) = end_of(one), end_of(other)
    histories = zip(state.history, other_state.history, strict=True)
    return (
        weights == others
        and all(np.array_equal(a, b) for a, b in histories)
        and replace(state, history=[]) == replace(other_state, history=[])
    )


def children(pid: int) -> list[int]:
    """Processes that a process has started and not yet waited for."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _is_over(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _variable(pid: int, name: str) -> str | None:
    try:
        for pair in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            key, _, value = pair.partition(b"=")
            if key.decode() == name:
                return value.decode()
    except OSError:
        pass
    return None
