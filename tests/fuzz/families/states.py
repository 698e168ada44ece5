"""Solver states, and the resume data in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from frontends.caffemodel import SolverState, read_state, write_state
from roastery.training.snapshots import newest_snapshot, saved_seed

from .. import mutate_json
from ..inputs import Sample, from_folder
from ..targets import Target, register
from .odd_hdf5 import odd_file
from .small_net import ready_solver, snapshot

_KINDS = ("SGD", "Adam", "RMSProp")


def _states(room: Path, format: str) -> list[Sample]:
    samples = []
    for kind in _KINDS:
        folder = room / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        _, state = snapshot(folder, kind, format)
        samples.append(from_folder(folder, state.name, (state.name,)))
    return samples


def _binary(room: Path) -> list[Sample]:
    return _states(room, "BINARYPROTO")


def _hdf5(room: Path) -> list[Sample]:
    return _states(room, "HDF5")


def _restore(path: Path) -> object:
    saved_seed(str(path))
    count = len(read_state(path).history)
    # SGD's net has eight variables of history, Adam twice as many; the others are refused.
    solver = ready_solver("SGD" if count <= 7 else "Adam")
    solver.restore(str(path))
    newest_snapshot("s")
    return None


def _odd_resume(rng: Random, room: Path) -> Sample:
    """A right state with other resume data."""
    folder = room / "resume"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _, path = snapshot(folder, "SGD", "BINARYPROTO")
    state = read_state(path)
    extra = dict(state.extra)
    for key, content in state.extra.items():
        try:
            json.loads(content)
        except ValueError:
            continue
        for _ in range(rng.choice((1, 1, 2, 4))):
            content = mutate_json.mutate(content, rng)
        extra[key] = content
    write_state(
        path,
        SolverState(
            iter=rng.choice((state.iter, 0, 2**31 - 1)),
            learned_net=rng.choice((state.learned_net, "", "gone", "/dev/zero", "\0", "x" * 300)),
            history=state.history,
            current_step=rng.choice((state.current_step, 5)),
            extra=extra,
        ),
    )
    return from_folder(folder, path.name, (path.name,))


def _odd_state(rng: Random, room: Path) -> Sample:
    names = ("iter", "current_step", "learned_net", "history", "history/0", "history/1")
    return odd_file("s_iter_2.solverstate.h5", names, rng, room)


register(Target("solverstate", _binary, _restore, "wire", known=("hostile/shape_cut.solverstate",)))
register(Target("resume data", _binary, _restore, "wire", odd=_odd_resume))
register(
    Target(
        "solverstate.h5",
        _hdf5,
        _restore,
        "bytes",
        odd=_odd_state,
        known=(
            "hostile/learned_group.solverstate.h5",
            "hostile/hist_group.solverstate.h5",
            "hostile/extra_ds.solverstate.h5",
            "hostile/learned_huge.solverstate.h5",
        ),
    )
)
